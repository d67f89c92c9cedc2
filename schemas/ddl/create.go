package ddl

import (
	"fmt"
	"slices"
	"strings"
)

// Create is the statements that make the table, its comments and, where rows can be
// withdrawn, the view without those; for Redshift also the ledger of loads. They do nothing where the table is there.
func (t *Table) Create() []string {
	if t.Target == Athena {
		return []string{t.external()}
	}
	statements := []string{"CREATE TABLE IF NOT EXISTS " + Quote(t.Name) + " (\n" + t.body() + "\n)" + t.placed()}
	statements = append(statements, "COMMENT ON TABLE "+Quote(t.Name)+" IS "+Literal("rows of "+t.Rows.ID()))
	statements = append(append(statements, t.comments(t.Columns())...), t.View()...)
	if t.Target == Redshift {
		statements = append(statements, "CREATE TABLE IF NOT EXISTS "+Quote(t.Loads())+" (\n  load_id VARCHAR(64) NOT NULL,\n  row_count BIGINT NOT NULL,\n  loaded_at TIMESTAMP NOT NULL\n)\nDISTSTYLE ALL")
	}
	return statements
}

// Loads is the name of the table of the loads that are done; on Redshift.
func (t *Table) Loads() string { return t.Name + "_loads" }

// body is the columns of the table, a line each.
func (t *Table) body() string {
	var lines []string
	for _, c := range t.Columns() {
		lines = append(lines, "  "+declared(c))
	}
	nullable := slices.ContainsFunc(t.Key, func(c int) bool { return t.Rows.Columns[c].Null })
	if t.Target != Redshift && !nullable { // Redshift would believe a key without looking
		lines = append(lines, "  PRIMARY KEY ("+quoted(t.Match())+")")
	}
	return strings.Join(lines, ",\n")
}

func declared(c Column) string {
	line := Quote(c.Name) + " " + c.Type
	if !c.Null {
		line += " NOT NULL"
	}
	return line
}

func quoted(names []string) string {
	var list []string
	for _, name := range names {
		list = append(list, Quote(name))
	}
	return strings.Join(list, ", ")
}

// placed says where Redshift puts rows: those of one identity on one slice, so that a
// row that comes again finds the one it replaces without a way through the network; in
// the order of the lake, by which queries for days read what they need.
func (t *Table) placed() string {
	if t.Target != Redshift {
		return ""
	}
	return t.spread() + "\nCOMPOUND SORTKEY (" + quoted(t.order()) + ")"
}

func (t *Table) spread() string {
	if match := t.Match(); len(match) == 1 {
		return "\nDISTSTYLE KEY DISTKEY (" + Quote(match[0]) + ")"
	}
	return "\nDISTSTYLE AUTO"
}

func (t *Table) order() (names []string) {
	for _, c := range append([]int{t.Rows.DayBy}, t.Rows.Order...) {
		if name := t.Rows.Columns[c].Name; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (t *Table) comments(columns []Column) (statements []string) {
	for _, c := range columns {
		statements = append(statements, "COMMENT ON COLUMN "+Quote(t.Name)+"."+Quote(c.Name)+" IS "+Literal(c.Doc))
	}
	return statements
}

// Add is the statements that add columns to a table that is there. Values of rows that
// are there already are null. The view is made anew.
func (t *Table) Add(columns []Column) (statements []string) {
	for _, c := range columns {
		c.Null = true
		statements = append(statements, "ALTER TABLE "+Quote(t.Name)+" ADD COLUMN "+declared(c))
	}
	return append(append(statements, t.comments(columns)...), t.View()...)
}

// Staging is the statement that makes a table, for a session, of the columns that are
// loaded, in their order.
func (t *Table) Staging(name string) string {
	var lines []string
	for _, c := range t.Columns() {
		lines = append(lines, "  "+Quote(c.Name)+" "+c.Type)
	}
	spread := ""
	if t.Target == Redshift {
		spread = t.spread()
	}
	return "CREATE TEMP TABLE " + Quote(name) + " (\n" + strings.Join(lines, ",\n") + "\n)" + spread
}

// Current is the name of the view without withdrawn rows; empty when there is none.
func (t *Table) Current() string {
	if _, versions := t.Rows.Versioned(); !versions || t.Target != Redshift {
		return ""
	}
	return t.Name + "_current"
}

// View is the statements that make the view anew.
func (t *Table) View() []string {
	name := t.Current()
	if name == "" {
		return nil
	}
	var names []string
	for _, c := range t.Rows.Columns {
		names = append(names, c.Name)
	}
	return []string{
		"DROP VIEW IF EXISTS " + Quote(name), // Redshift replaces no view by one that has more columns
		"CREATE VIEW " + Quote(name) + " AS SELECT " + quoted(append(names, Sealed)) + " FROM " + Quote(t.Name) + " WHERE NOT " + Quote(Withdrawn),
	}
}

// external is the statement that makes a table of Athena over the files of an output.
// Partitions are computed, not registered: a new day is there when its files are. They
// have names that no column has.
func (t *Table) external() string {
	var b strings.Builder
	tick := func(name string) string { return "`" + strings.ReplaceAll(name, ".", "`.`") + "`" }
	b.WriteString("CREATE EXTERNAL TABLE IF NOT EXISTS " + tick(t.Name) + " (\n")
	for i, c := range t.Columns() {
		if i > 0 {
			b.WriteString(",\n")
		}
		b.WriteString("  " + tick(c.Name) + " " + c.Type + " COMMENT " + Literal(c.Doc))
	}
	b.WriteString("\n)\nCOMMENT " + Literal("rows of "+t.Rows.ID()))
	b.WriteString("\nPARTITIONED BY (`p_year` int, `p_month` int, `p_day` int)\nSTORED AS PARQUET\nLOCATION " + Literal(t.Folder) + "\nTBLPROPERTIES (\n")
	for _, p := range []struct {
		name   string
		values string
		digits int
	}{{"p_year", "1995,2100", 4}, {"p_month", "1,12", 2}, {"p_day", "1,31", 2}} {
		fmt.Fprintf(&b, "  'projection.%s.type' = 'integer', 'projection.%s.range' = '%s', 'projection.%s.digits' = '%d',\n", p.name, p.name, p.values, p.name, p.digits)
	}
	b.WriteString("  'projection.enabled' = 'true',\n  'storage.location.template' = " + Literal(t.Folder+"year=${p_year}/month=${p_month}/day=${p_day}/") + "\n)")
	return b.String()
}
