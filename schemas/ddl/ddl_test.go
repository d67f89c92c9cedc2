package ddl_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/internal/testenv/postgres"
	"millrace/schemas/badrow"
	"millrace/schemas/ddl"
	"millrace/schemas/late"
	"millrace/schemas/raw"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

var schemas = []*table.Schema{weblog.Events, weblog.Sessions, weblog.TrafficRows, weblog.TopPages, weblog.Visitors, weblog.Bots, badrow.Rows, late.Rows, raw.Rows}

func named(i int, target ddl.Target, s *table.Schema) *ddl.Table {
	return &ddl.Table{Target: target, Name: fmt.Sprint("t", i), Rows: s, Key: s.Order, Folder: "s3://lake/t/"}
}

func TestPostgreSQLAndDuckDBTakeTheirTables(t *testing.T) {
	node := postgres.Server(t)
	conn := node.Connect(t, node.Database(t))
	var duck strings.Builder
	for i, s := range schemas {
		for range 2 { // those that are there stay
			for _, statement := range named(i, ddl.Postgres, s).Create() {
				if _, err := conn.Exec(t.Context(), statement); err != nil {
					t.Errorf("%s: %v", statement, err)
				}
			}
			for _, statement := range named(i, ddl.DuckDB, s).Create() {
				duck.WriteString(statement + ";\n")
			}
		}
	}
	const columns = "SELECT table_name, column_name FROM information_schema.columns WHERE table_name LIKE 't_' ORDER BY table_name, ordinal_position"
	var want, got [][]string
	for i, s := range schemas {
		for _, c := range s.Columns {
			want = append(want, []string{fmt.Sprint("t", i), c.Name})
		}
	}
	if d := cmp.Diff(want, testenv.DuckDB(t, duck.String()+columns)); d != "" {
		t.Errorf("DuckDB's columns (-want +got):\n%s", d)
	}
	rows, err := conn.Query(t.Context(), columns)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var of, name string
		if err := rows.Scan(&of, &name); err != nil {
			t.Fatal(err)
		}
		got = append(got, []string{of, name})
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("PostgreSQL's columns (-want +got):\n%s", d)
	}
	var comment string
	if err := conn.QueryRow(t.Context(), "SELECT col_description('t0'::regclass, 1)").Scan(&comment); err != nil || comment != weblog.Events.Columns[0].Doc {
		t.Errorf("the first column is %q, %v", comment, err)
	}
}

func TestTablesOfRedshiftAreLaidOutForMerging(t *testing.T) {
	sessions := &ddl.Table{Target: ddl.Redshift, Name: "web.sessions", Rows: weblog.Sessions, Key: []int{0}}
	statements := sessions.Create()
	for _, part := range []string{
		`CREATE TABLE IF NOT EXISTS "web"."sessions" (`, `"session_id" VARCHAR(256) NOT NULL`, `"start_time" TIMESTAMP NOT NULL`, `"entry_page" VARCHAR(65535)`,
		`"sealed" BOOLEAN NOT NULL`, `"withdrawn" BOOLEAN NOT NULL`, `DISTSTYLE KEY DISTKEY ("session_id")`, `COMPOUND SORTKEY ("start_time", "visitor_id")`,
	} {
		if !strings.Contains(statements[0], part) {
			t.Errorf("%s is missing in\n%s", part, statements[0])
		}
	}
	all := strings.Join(statements, "\n")
	if !strings.Contains(all, `CREATE VIEW "web"."sessions_current" AS SELECT "session_id"`) || !strings.Contains(all, `WHERE NOT "withdrawn"`) || !strings.Contains(all, `"web"."sessions_loads"`) || strings.Contains(all, "PRIMARY KEY") {
		t.Errorf("statements:\n%s", all)
	}
	raws := &ddl.Table{Target: ddl.Redshift, Name: "web.raw", Rows: raw.Rows, Key: raw.Rows.Order}
	if first := raws.Create()[0]; !strings.Contains(first, `"row_key" VARCHAR(512) NOT NULL`) || !strings.Contains(first, `DISTKEY ("row_key")`) || !strings.Contains(first, `"payload" VARBYTE(2097152)`) || raws.Current() != "" {
		t.Errorf("rows whose identity may hold null:\n%s", first)
	}
	if d := cmp.Diff([]string{ddl.RowKey}, raws.Match()); d != "" {
		t.Error(d)
	}
	for _, s := range schemas {
		for _, c := range named(0, ddl.Redshift, s).Columns() {
			if c.Type == "" {
				t.Errorf("%s of %s has no type", c.Name, s.ID())
			}
		}
	}
	added := strings.Join(sessions.Add([]ddl.Column{{Name: "campaign", Type: "VARCHAR(9)", Doc: "it's a campaign"}}), "\n")
	for _, part := range []string{`ALTER TABLE "web"."sessions" ADD COLUMN "campaign" VARCHAR(9)` + "\n", "IS 'it''s a campaign'", "DROP VIEW IF EXISTS", "CREATE VIEW"} {
		if !strings.Contains(added, part) {
			t.Errorf("%s is missing in\n%s", part, added)
		}
	}
}

func TestNamesAndTextsStayWhatTheyAre(t *testing.T) {
	node := postgres.Server(t)
	conn := node.Connect(t, node.Database(t))
	for _, text := range []string{"", "'", `"`, "it's", `a"b`, "x; DROP TABLE y", `\`, "ü"} {
		var got string
		if err := conn.QueryRow(t.Context(), "SELECT "+ddl.Literal(text)).Scan(&got); err != nil || got != text {
			t.Errorf("%q comes back as %q, %v", text, got, err)
		}
		if text == "" {
			continue
		}
		if err := conn.QueryRow(t.Context(), "SELECT "+ddl.Quote(text)+" FROM (SELECT 'v') AS t("+ddl.Quote(text)+")").Scan(&got); err != nil || got != "v" {
			t.Errorf("a column called %q: %q, %v", text, got, err)
		}
	}
}
