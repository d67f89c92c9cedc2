package redshiftio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"millrace/io/driver"
	"millrace/io/lakeio"
	"millrace/schemas/ddl"
)

var _ driver.Checker = (*Sink)(nil)

// Check implements driver.Checker: it looks at the way to the warehouse and the login,
// at the table, the ledger and what the user may do with both, and at the stage, where
// it puts a small object and removes it. Whether the warehouse may read the stage only
// the first load tells.
func (s *Sink) Check(ctx context.Context) []driver.Check {
	var checks []driver.Check
	add := func(what, found string, err error) {
		checks = append(checks, driver.Check{What: what, Found: found, Err: err})
	}
	user, err := s.house.query(ctx, "SELECT current_user")
	if err == nil && (len(user) != 1 || len(user[0]) != 1) {
		err = s.config.strange()
	}
	switch {
	case errors.Is(err, driver.ErrPermission):
		add("login", "", err)
	case err != nil:
		add("reach", "", err)
	default:
		way := "the Data API answers"
		if s.config.wire {
			way = "the warehouse answers"
		}
		add("reach", way, nil)
		add("login", "as "+user[0][0], nil)
		s.checkTables(ctx, add)
	}
	found, err := s.checkStage(ctx)
	add("stage", found, err)
	return checks
}

// checkTables looks at the table, the ledger and the rights on them.
func (s *Sink) checkTables(ctx context.Context, add func(what, found string, err error)) {
	table, err := s.columns(ctx, s.config.table.Name)
	if err != nil {
		add("table", "", err)
		return
	}
	found, err := s.config.checkTable(table)
	add("table", found, err)
	ledger, err := s.columns(ctx, s.config.table.Loads())
	if err == nil {
		found, err = s.config.checkLedger(ledger, len(table) > 0)
	}
	add("ledger", found, err)
	found, err = s.checkRights(ctx, len(table) > 0, len(ledger) > 0)
	add("rights", found, err)
}

// checkTable compares the columns that a table has with those that rows need.
func (c *config) checkTable(there map[string]there) (string, error) {
	var missing []string
	for _, column := range c.table.Columns() {
		has, ok := there[column.Name]
		if !ok {
			missing = append(missing, column.Name)
		} else if err := c.fits(column.Name, has); err != nil {
			return "", err
		}
	}
	switch {
	case len(there) == 0 && c.create:
		return "none yet; the first row makes it", nil
	case len(there) == 0:
		return "", c.absent("the table " + c.table.Name + " is not there, or not to be seen by this user")
	case len(missing) == 0:
		return fmt.Sprintf("its %d columns take the rows", len(c.table.Columns())), nil
	case c.create:
		return "lacks " + strings.Join(missing, ", ") + "; the first row adds what is missing, if the table is this user's", nil
	}
	return "", c.lacks(missing[0])
}

// checkLedger looks at the table of loads. It is made together with the table, and not
// after it.
func (c *config) checkLedger(there map[string]there, table bool) (string, error) {
	switch {
	case len(there) == 0 && c.create && !table:
		return "none yet; the first row makes it", nil
	case len(there) == 0:
		return "", c.absent("the ledger of loads " + c.table.Loads() + " is not there, or not to be seen by this user")
	}
	for _, name := range []string{"load_id", "row_count", "loaded_at"} {
		if _, ok := there[name]; !ok {
			return "", c.fault("the ledger of loads "+c.table.Loads()+" lacks the column "+name, "make it as millrace ddl says")
		}
	}
	return c.table.Loads() + " is there", nil
}

func (c *config) absent(what string) error {
	return &driver.Error{Doing: "write to", Object: c.place, Class: driver.ErrNotFound, Cause: errors.New(what), Cure: "make it as millrace ddl says, and grant the user SELECT, INSERT, UPDATE and DELETE on it"}
}

// checkRights asks the warehouse what the user may do, of what loads do: see Rights in
// docs/sinks/redshift.md.
func (s *Sink) checkRights(ctx context.Context, table, ledger bool) (string, error) {
	c := s.config
	type right struct{ function, object, right string }
	in, _, _ := strings.Cut(c.table.Name, ".")
	needs := []right{{"database", c.database, "TEMP"}, {"schema", in, "USAGE"}}
	if c.create && !(table && ledger) {
		needs = append(needs, right{"schema", in, "CREATE"})
	}
	for _, t := range []struct {
		name  string
		there bool
	}{{c.table.Name, table}, {c.table.Loads(), ledger}} {
		for _, each := range []string{"SELECT", "INSERT", "UPDATE", "DELETE"} {
			if t.there {
				needs = append(needs, right{"table", t.name, each})
			}
		}
	}
	var asked []string
	for _, n := range needs {
		asked = append(asked, "CASE WHEN has_"+n.function+"_privilege("+ddl.Literal(n.object)+", "+ddl.Literal(n.right)+") THEN 'yes' ELSE 'no' END")
	}
	rows, err := s.house.query(ctx, "SELECT "+strings.Join(asked, ", "))
	switch {
	case err != nil:
		return "", err
	case len(rows) != 1 || len(rows[0]) != len(needs):
		return "", c.strange()
	}
	var lacks, has []string
	for i, n := range needs {
		if has = append(has, n.right); rows[0][i] != "yes" {
			lacks = append(lacks, n.right+" on the "+n.function+" "+n.object)
		}
	}
	if len(lacks) > 0 {
		return "", &driver.Error{Doing: "write to", Object: c.place, Class: driver.ErrPermission, Cause: errors.New("the user lacks " + strings.Join(lacks, ", ")), Cure: "grant it; see docs/sinks/redshift.md"}
	}
	slices.Sort(has)
	return strings.Join(slices.Compact(has), ", "), nil
}

// checkStage puts an object, removes it, and looks for what loads have left behind.
// Loads list nothing themselves, so whoever may not is told of that, and all is well.
func (s *Sink) checkStage(ctx context.Context) (string, error) {
	prefix := s.config.table.Name + "/"
	key := prefix + "check-" + s.name
	if _, err := s.store.Put(ctx, key, bytes.NewReader([]byte("{}")), lakeio.PutOptions{}); err != nil {
		return "", err
	}
	if err := s.store.Delete(ctx, key); err != nil {
		return "", err
	}
	left, err := s.store.List(ctx, prefix)
	switch {
	case errors.Is(err, driver.ErrPermission):
		return "takes and removes objects; listing them, which loads do not need, is not allowed", nil
	case err != nil:
		return "", err
	}
	return fmt.Sprintf("takes and removes objects; %d lie there", len(left)), nil
}
