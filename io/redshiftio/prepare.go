package redshiftio

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"millrace/io/driver"
	"millrace/schemas/ddl"
	"millrace/schemas/table"
)

// mostStatements is how many go in one call of the Data API.
const mostStatements = 40

// prepare sees to the table, once: that it is there, with all its columns, and how wide
// these are.
func (s *Sink) prepare(ctx context.Context) error {
	if s.limits != nil {
		return nil
	}
	for tries := 0; ; tries++ {
		err := s.prepareOnce(ctx)
		var fault *sqlFault
		// Another worker may make the same table or column at the same time.
		if err == nil || !errors.As(err, &fault) || fault.blame() != blameTime && fault.blame() != blameExists {
			return err
		}
		s.noteFault(ctx, err)
		if err := wait(ctx, tries); err != nil {
			return err
		}
	}
}

func (s *Sink) prepareOnce(ctx context.Context) error {
	c := s.config
	var there map[string]there
	err := s.insist(ctx, func() (err error) {
		there, err = s.columns(ctx, c.table.Name)
		return err
	})
	if err != nil {
		return err
	}
	missing := slices.DeleteFunc(c.table.Columns(), func(column ddl.Column) bool { _, ok := there[column.Name]; return ok })
	var statements []string
	switch {
	case len(missing) > 0 && !c.create:
		return c.lacks(missing[0].Name)
	case len(there) == 0:
		statements = c.table.Create()
	case len(missing) > 0:
		statements = c.table.Add(missing)
	}
	if err := s.change(ctx, statements); err != nil {
		return err
	}
	widths := map[string]int{}
	for name, column := range there {
		widths[name] = column.width
		if err := c.fits(name, column); err != nil {
			return err
		}
	}
	s.limits = newLimits(c, widths)
	return nil
}

// change runs statements that make or change tables, as many at a time as a call takes.
func (s *Sink) change(ctx context.Context, statements []string) error {
	for part := range slices.Chunk(statements, mostStatements) {
		for attempt := 0; ; attempt++ {
			token := randomText()
			err := s.insist(ctx, func() error {
				_, err := s.house.run(ctx, token, part)
				return err
			})
			var fault *sqlFault
			if err == nil {
				break
			}
			if !errors.As(err, &fault) || fault.blame() != blameTime {
				return err
			}
			s.noteFault(ctx, err)
			if err := wait(ctx, attempt); err != nil {
				return err
			}
		}
	}
	return nil
}

// there is a column that the table has.
type there struct {
	kind  string
	width int // of a text, in bytes; 0 when the warehouse names none
}

// columns are those that a table has, by name; none when there is no table.
func (s *Sink) columns(ctx context.Context, table string) (map[string]there, error) {
	in, name, _ := strings.Cut(table, ".")
	rows, err := s.house.query(ctx, "SELECT column_name, data_type, character_maximum_length FROM information_schema.columns WHERE table_schema = "+ddl.Literal(in)+" AND table_name = "+ddl.Literal(name))
	if err != nil {
		return nil, err
	}
	found := map[string]there{}
	for _, row := range rows {
		if len(row) != 3 {
			return nil, s.config.strange()
		}
		width, _ := strconv.Atoi(row[2]) // null for other types
		found[row[0]] = there{kind: row[1], width: width}
	}
	return found, nil
}

// strange is the error of an answer of another form.
func (c *config) strange() error {
	return &driver.Error{Doing: "ask", Object: c.place, Class: driver.ErrCorrupt, Cause: errors.New("the warehouse gives an answer of another form")}
}

func (c *config) lacks(column string) error {
	return c.fault("the table lacks the column "+column, "make it as millrace ddl says, or leave ddl=skip out")
}

// kinds are the names that types have in the catalogue, for values of each kind.
var kinds = map[table.Kind][]string{
	table.String: {"character varying", "text"}, table.UUID: {"character varying", "text", "character"},
	table.Int32: {"integer", "bigint"}, table.Int64: {"bigint"}, table.Float64: {"double precision"}, table.Bool: {"boolean"},
	table.Time: {"timestamp without time zone", "timestamp with time zone"}, table.Date: {"date"},
	table.Bytes: {"binary varying", "bytea", "varbyte"},
}

// fits tells of a column of the table that cannot take what it is to.
func (c *config) fits(name string, t there) error {
	for _, column := range c.table.Columns() {
		if column.Name == name && !slices.Contains(kinds[column.Kind], t.kind) {
			return c.fault("the table's column "+name+" is "+t.kind+", and rows of "+c.schema.ID()+" have "+column.Type, "change the column or write another table")
		}
	}
	return nil
}
