package redshift

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"millrace/internal/testenv/postgres"
)

// statement is what one call has Redshift do: one statement, or more as a transaction.
type statement struct {
	id      string
	sqls    []string
	batch   bool
	created time.Time

	mu     sync.Mutex
	asked  int // times it was described
	status string
	fault  string
	parts  []part
	result *result
	cancel context.CancelFunc
}

// part is one statement of a batch.
type part struct {
	status, fault string
	rows          int64
}

// result are the rows of the last statement, as texts.
type result struct {
	is      bool // a set of rows, perhaps empty
	columns []string
	kinds   []uint32
	rows    [][]*string
}

func newStatement(id string, sqls []string, batch bool) *statement {
	return &statement{id: id, sqls: sqls, batch: batch, created: time.Now(), status: "SUBMITTED", parts: make([]part, len(sqls))}
}

// run runs the statements in a session of their own.
func (s *statement) run(ctx context.Context, w *Warehouse) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	if s.cancel = cancel; s.status == "ABORTED" {
		cancel()
	} else {
		s.status = "STARTED"
	}
	s.mu.Unlock()
	err := s.session(ctx, w)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.status == "ABORTED" && err != nil:
	case err != nil:
		s.status, s.fault = "FAILED", text(err)
	default:
		s.status = "FINISHED"
	}
}

// ErrAborted as the fault of a statement has it end as one that was aborted.
var ErrAborted = &StatementError{Code: "57014", Text: "aborted by the test"}

func text(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return "ERROR: " + e.Message // as Redshift's Data API tells it: without a code
	}
	return "ERROR: " + err.Error()
}

func (s *statement) session(ctx context.Context, w *Warehouse) error {
	conn, err := pgx.Connect(ctx, fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", postgres.User, postgres.Password, w.Addr, w.Database))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if s.batch {
		if _, err := conn.PgConn().Exec(ctx, "BEGIN").ReadAll(); err != nil {
			return err
		}
	}
	for i, sql := range s.sqls {
		results, err := conn.PgConn().Exec(ctx, sql).ReadAll()
		s.mu.Lock()
		if err != nil {
			s.parts[i] = part{status: "FAILED", fault: text(err), rows: -1}
			if text(err) == "ERROR: "+ErrAborted.Text {
				s.status = "ABORTED"
			}
		} else {
			s.parts[i] = part{status: "FINISHED", rows: results[len(results)-1].CommandTag.RowsAffected()}
			s.result = taken(results[len(results)-1])
		}
		s.mu.Unlock()
		if err != nil {
			return err // the session ends, and its transaction with it
		}
	}
	if s.batch {
		_, err = conn.PgConn().Exec(ctx, "COMMIT").ReadAll()
	}
	return err
}

func taken(from *pgconn.Result) *result {
	r := &result{is: from.CommandTag.Select()}
	for _, f := range from.FieldDescriptions {
		r.columns, r.kinds = append(r.columns, f.Name), append(r.kinds, f.DataTypeOID)
	}
	for _, row := range from.Rows {
		var texts []*string
		for _, value := range row {
			var cell *string
			if value != nil {
				text := string(value)
				cell = &text
			}
			texts = append(texts, cell)
		}
		r.rows = append(r.rows, texts)
	}
	return r
}

// stop cancels the statement, and tells whether it was under way.
func (s *statement) stop() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status == "FINISHED" || s.status == "FAILED" || s.status == "ABORTED" {
		return false
	}
	s.status = "ABORTED"
	if s.cancel != nil {
		s.cancel()
	}
	return true
}

// describe tells how far the statement is. One that has ended is PICKED and STARTED
// to the first who ask, as it is where there is something to wait for.
func (s *statement) describe() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := s.status
	if s.asked++; s.asked <= 2 {
		status = []string{"PICKED", "STARTED"}[s.asked-1]
	}
	d := map[string]any{"Id": s.id, "Status": status, "CreatedAt": seconds(s.created), "UpdatedAt": seconds(time.Now()), "QueryString": s.sqls[0]}
	if status != s.status {
		return d
	}
	if s.fault != "" {
		d["Error"] = s.fault
	}
	d["HasResultSet"] = s.result != nil && s.result.is
	if !s.batch {
		d["ResultRows"] = s.parts[0].rows
		return d
	}
	var parts []map[string]any
	for i, p := range s.parts {
		sub := map[string]any{"Id": s.id + ":" + strconv.Itoa(i+1), "Status": p.status, "QueryString": s.sqls[i], "ResultRows": p.rows}
		if p.fault != "" {
			sub["Error"] = p.fault
		}
		if p.status == "" {
			sub["Status"] = "SUBMITTED"
		}
		parts = append(parts, sub)
	}
	d["SubStatements"] = parts
	return d
}

// page is a page of the result.
func (s *statement) page(token string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status != "FINISHED" || s.result == nil || !s.result.is {
		return nil, &callError{"ResourceNotFoundException", "the statement has no result"}
	}
	from := 0
	if token != "" {
		n, err := strconv.Atoi(token)
		if err != nil || n < 0 || n > len(s.result.rows) {
			return nil, invalid("NextToken")
		}
		from = n
	}
	to := min(len(s.result.rows), from+resultRows)
	records := [][]map[string]any{}
	for _, row := range s.result.rows[from:to] {
		var record []map[string]any
		for i, cell := range row {
			record = append(record, field(s.result.kinds[i], cell))
		}
		records = append(records, record)
	}
	columns := []map[string]any{}
	for _, name := range s.result.columns {
		columns = append(columns, map[string]any{"name": name, "label": name})
	}
	answer := map[string]any{"Records": records, "ColumnMetadata": columns, "TotalNumRows": len(s.result.rows)}
	if to < len(s.result.rows) {
		answer["NextToken"] = strconv.Itoa(to)
	}
	return answer, nil
}

// Types of PostgreSQL, by their numbers.
const (
	oidBool, oidInt8, oidInt2, oidInt4 = 16, 20, 21, 23
)

func field(kind uint32, cell *string) map[string]any {
	if cell == nil {
		return map[string]any{"isNull": true}
	}
	switch kind {
	case oidBool:
		return map[string]any{"booleanValue": *cell == "t"}
	case oidInt8, oidInt2, oidInt4:
		if n, err := strconv.ParseInt(*cell, 10, 64); err == nil {
			return map[string]any{"longValue": n}
		}
	}
	return map[string]any{"stringValue": *cell}
}
