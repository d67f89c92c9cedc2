package redshiftio

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"millrace/io/driver"
	"millrace/schemas/ddl"
)

// load stores rows. A load that fails because of its rows is cut in halves, and those
// again, until what is at fault is one row, which is refused: COPY of columnar files does
// not say which row it was, nor does a statement that breaks a rule of the table. Rows
// are looked at before they are staged, so it takes a table with rules of its own.
func (s *Sink) load(ctx context.Context, items []item) error {
	for i := range items {
		items[i].attempts++
	}
	err := s.deliver(ctx, items)
	var fault *sqlFault
	switch {
	case err == nil || !errors.As(err, &fault) || fault.blame() != blameRow:
		return err
	case len(items) == 1:
		return s.refuse(items[0].refused(driver.RefusedInvalid, fault.code, err))
	}
	half := len(items) / 2
	if err := s.load(ctx, items[:half]); err != nil {
		return err
	}
	return s.load(ctx, items[half:])
}

// deliver stages rows and has them loaded, until that went well or failed for good.
func (s *Sink) deliver(ctx context.Context, items []item) error {
	st, err := s.stage(items)
	if err != nil {
		return err
	}
	statements := s.config.loading(st)
	for attempt := 0; ; attempt++ {
		if err := s.insist(ctx, func() error { return s.put(ctx, st) }); err != nil {
			return err
		}
		var counts []int64
		// Calls that got lost are made again under the same token, so that the statements
		// run once; those that failed need another, or their failure would be the answer.
		token := s.token(st.id, attempt)
		err := s.insist(ctx, func() (err error) {
			counts, err = s.house.run(ctx, token, statements)
			return err
		})
		if err == nil {
			s.settle(st, counts)
			s.remove(ctx, st)
			return nil
		}
		var fault *sqlFault
		if ctx.Err() != nil || !errors.As(err, &fault) || fault.blame() != blameTime {
			if ctx.Err() == nil {
				s.remove(ctx, st)
			}
			return err
		}
		s.noteFault(ctx, err)
		if err := wait(ctx, attempt); err != nil {
			return err
		}
	}
}

// token tells a call from others, in 64 characters at most. It is of this sink alone: the
// Data API would answer a later one with a failure of hours ago, mended since. That later
// sinks load nothing twice is the ledger's business.
func (s *Sink) token(id string, attempt int) string {
	sum := sha256.Sum256([]byte(s.name + " " + id + " " + strconv.Itoa(attempt)))
	return hex.EncodeToString(sum[:24])
}

// Places of the statements of loading whose counts are looked at.
const (
	atReplayed = 3
	atStale    = 5
	statements = 8
)

// settle counts what became of a load, by how many rows its statements changed.
func (s *Sink) settle(st *staged, counts []int64) {
	s.fault = nil
	s.stats.Loads++
	gone := int64(0)
	if len(counts) == statements {
		if counts[atReplayed] > 0 {
			s.stats.Replays++
		}
		gone = min(int64(st.rows), max(0, counts[atReplayed])+max(0, counts[atStale]))
	}
	s.stats.Stale += gone
	s.stats.Stored += int64(st.rows) - gone
}

// ledger is the table of loads that are done.
func (c *config) ledger() string { return ddl.Quote(c.table.Loads()) }

// loading is the statements of one load; they run as one transaction.
//
// The lock comes first: Redshift takes the snapshot that a transaction sees with the
// first statement that reads or writes, which LOCK is not, so a load that waited sees
// what the one before it did. It is the ledger that is locked, since LOCK keeps readers
// out, and those of the table are not to wait.
//
// MERGE cannot ask for more than equal keys, so what is not newer than the table's rows
// leaves the staged ones before it.
func (c *config) loading(st *staged) []string {
	target, stage := ddl.Quote(c.table.Name), "millrace_stage_"+st.id[:8]
	staged := ddl.Quote(stage)
	role := "DEFAULT"
	if c.role != "default" {
		role = ddl.Literal(c.role)
	}
	return []string{
		"LOCK TABLE " + c.ledger(),
		c.table.Staging(stage),
		"COPY " + staged + " FROM " + ddl.Literal(c.stage+"/"+st.manifestKey(c)) + " IAM_ROLE " + role + " FORMAT AS PARQUET MANIFEST",
		atReplayed: "DELETE FROM " + staged + " USING " + c.ledger() + " AS l WHERE l.load_id = " + ddl.Literal(st.id),
		"INSERT INTO " + c.ledger() + " (load_id, row_count, loaded_at) SELECT " + ddl.Literal(st.id) + ", COUNT(*), GETDATE() FROM " + staged + " HAVING COUNT(*) > 0",
		atStale: "DELETE FROM " + staged + " USING " + target + " AS t WHERE " + c.matching("t", staged) + c.outdated(staged),
		c.merging(target, staged),
		"DROP TABLE " + staged,
	}
}

// matching says that two rows are of one identity.
func (c *config) matching(a, b string) string {
	var parts []string
	for _, name := range c.table.Match() {
		parts = append(parts, a+"."+ddl.Quote(name)+" = "+b+"."+ddl.Quote(name))
	}
	return strings.Join(parts, " AND ")
}

// outdated says that a staged row is not newer than that of the table, t.
func (c *config) outdated(staged string) string {
	if c.version < 0 {
		return ""
	}
	version, sealed := ddl.Quote(c.schema.Columns[c.version].Name), ddl.Quote(ddl.Sealed)
	return fmt.Sprintf(" AND (t.%[1]s > %[2]s.%[1]s OR t.%[1]s = %[2]s.%[1]s AND (t.%[3]s OR NOT %[2]s.%[3]s))", version, staged, sealed)
}

// merging puts the staged rows that are left into the table.
func (c *config) merging(target, staged string) string {
	var names, values, sets []string
	match := c.table.Match()
	for _, column := range c.table.Columns() {
		name := ddl.Quote(column.Name)
		names, values = append(names, name), append(values, staged+"."+name)
		if !slices.Contains(match, column.Name) {
			sets = append(sets, name+" = "+staged+"."+name)
		}
	}
	list, from := strings.Join(names, ", "), strings.Join(values, ", ")
	if c.version < 0 { // all of them are new
		return "INSERT INTO " + target + " (" + list + ") SELECT " + from + " FROM " + staged
	}
	return "MERGE INTO " + target + " USING " + staged + " ON " + c.matching(target, staged) +
		" WHEN MATCHED THEN UPDATE SET " + strings.Join(sets, ", ") +
		" WHEN NOT MATCHED THEN INSERT (" + list + ") VALUES (" + from + ")"
}
