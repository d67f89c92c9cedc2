package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"millrace/internal/testenv"
	"millrace/internal/testenv/postgres"
	"millrace/internal/testenv/redshift"
)

// allJobs are the jobs of the catalogue.
var allJobs = []string{"weblogs", "clickstream", "devices", "authlogs"}

// typesOf are what a target calls a type of column.
var typesOf = map[string]map[string]string{
	"duckdb": {
		"string": "VARCHAR", "int32": "INTEGER", "int64": "BIGINT", "float64": "DOUBLE", "bool": "BOOLEAN", "timestamp": "TIMESTAMP WITH TIME ZONE",
		"date": "DATE", "uuid": "UUID", "bytes": "BLOB",
	},
	"postgres": {
		"string": "text", "int32": "integer", "int64": "bigint", "float64": "double precision", "bool": "boolean", "timestamp": "timestamp without time zone",
		"date": "date", "uuid": "uuid", "bytes": "bytea",
	},
	"redshift": {
		"string": "character varying", "int32": "integer", "int64": "bigint", "float64": "double precision", "bool": "boolean", "timestamp": "timestamp without time zone",
		"date": "date", "uuid": "character varying", "bytes": "bytea",
	},
	"athena": {
		"string": "string", "int32": "int", "int64": "bigint", "float64": "double", "bool": "boolean", "timestamp": "timestamp",
		"date": "date", "uuid": "binary", "bytes": "binary",
	},
}

// shownColumns are the columns of all outputs of a job, as the catalogue explains them:
// output, name, type.
func shownColumns(t *testing.T, e env, job string) (columns [][]string) {
	t.Helper()
	output := ""
	for line := range strings.Lines(mustRun(t, e, "jobs", "show", job, "--columns").stdout) {
		words := strings.Fields(line)
		if name, ok := strings.CutPrefix(line, "Columns of "); ok {
			output = strings.TrimSpace(name)
		} else if len(words) == 0 || words[0] == "Example" {
			continue
		} else if output != "" && line[:2] == "  " && words[0] != "millrace" {
			columns = append(columns, []string{output, words[0], words[1]})
		}
	}
	return columns
}

// TestTablesOfEveryOutputAreTaken: what the program prints for all outputs of all jobs
// is run by DuckDB, PostgreSQL and an OpenSearch node, that for Redshift by its stand-in;
// there is nothing to run Athena's, so its text is read. Columns and types are then those
// of the catalogue.
func TestTablesOfEveryOutputAreTaken(t *testing.T) {
	e, node, house := newEnv(t), testenv.OpenSearch(t), redshift.New(t, redshift.Options{})
	databases := map[string]*pgx.Conn{
		"postgres": house.Node.Connect(t, house.Node.Database(t)),
		"redshift": (&postgres.Node{Addr: house.Addr}).Connect(t, house.Database),
	}
	var duck strings.Builder
	var all [][]string // job, output, column, type
	for _, job := range allJobs {
		shown := shownColumns(t, e, job)
		for _, c := range shown {
			all = append(all, append([]string{job}, c...))
		}
		ddl := func(target string, more ...string) string {
			return mustRun(t, e, append([]string{"ddl", job, "--target", target}, more...)...).stdout
		}
		fmt.Fprintf(&duck, "CREATE SCHEMA %s;\n%s", job, ddl("duckdb", "--schema", job))
		for target, conn := range databases {
			statements := strings.Split(strings.TrimSpace(ddl(target, "--schema", job)), ";\n")
			for _, statement := range append([]string{"CREATE SCHEMA " + job}, statements...) {
				if _, err := conn.Exec(t.Context(), statement); err != nil {
					t.Errorf("%s for %s: %v in\n%s", job, target, err, statement)
				}
			}
		}
		readAthena(t, ddl("athena", "--lake", "s3://lake/"+job), job, shown)
		putTemplates(t, node, ddl("opensearch"), shown)
	}
	if len(all) < 600 {
		t.Errorf("%d columns", len(all))
	}
	want := func(target string) (rows [][]string) {
		for _, c := range all {
			rows = append(rows, []string{c[0], c[1], c[2], typesOf[target][c[3]]})
		}
		slices.SortStableFunc(rows, func(a, b []string) int { return slices.Compare(a[:2], b[:2]) })
		return rows
	}
	const columns = `SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns
		WHERE table_schema IN ('weblogs', 'clickstream', 'devices', 'authlogs') AND NOT regexp_matches(table_name, '_(loads|current)$')
			AND (column_name NOT IN ('row_key', 'sealed', 'withdrawn') OR table_name = 'vault')
		ORDER BY table_schema, table_name, ordinal_position`
	if diff := gocmp.Diff(want("duckdb"), testenv.DuckDB(t, duck.String()+columns)); diff != "" {
		t.Errorf("columns of DuckDB (-want +got):\n%s", cut(diff))
	}
	for target, conn := range databases {
		rows, err := conn.Query(t.Context(), strings.NewReplacer("NOT regexp_matches(table_name,", "table_name !~ (").Replace(columns))
		if err != nil {
			t.Fatal(err)
		}
		got, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]string, error) {
			c := make([]string, 4)
			return c, row.Scan(&c[0], &c[1], &c[2], &c[3])
		})
		if diff := gocmp.Diff(want(target), got); diff != "" || err != nil {
			t.Errorf("%v; columns of PostgreSQL for %s (-want +got):\n%s", err, target, cut(diff))
		}
	}
}

// readAthena compares tables of Athena with the columns they are to have: Parquet over
// the folder of the output, partitioned by what no column is called.
func readAthena(t *testing.T, text, job string, shown [][]string) {
	t.Helper()
	var want, got [][]string
	for _, c := range shown {
		want = append(want, []string{c[0], c[1], typesOf["athena"][c[2]]})
	}
	for _, statement := range strings.Split(strings.TrimSpace(text), ";\n") {
		parts := athenaTable.FindStringSubmatch(strings.TrimSuffix(strings.TrimSpace(statement), ";"))
		if parts == nil || parts[3] != "s3://lake/"+job+"/"+parts[1]+"/" || !strings.Contains(statement, "'"+parts[3]+"year=${p_year}/month=${p_month}/day=${p_day}/'") {
			t.Errorf("%s for athena:\n%s", job, statement)
			continue
		}
		for line := range strings.Lines(parts[2]) {
			column := athenaColumn.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
			if column == nil {
				t.Fatalf("%s of %s for athena: %s", parts[1], job, line)
			}
			got = append(got, []string{parts[1], column[1], column[2]})
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("%s: columns of Athena (-want +got):\n%s", job, cut(diff))
	}
}

var (
	athenaTable  = regexp.MustCompile("(?s)^CREATE EXTERNAL TABLE IF NOT EXISTS `([a-z_0-9]+)` \\(\n(.*)\n\\)\nCOMMENT '[^\n]*'\nPARTITIONED BY \\(`p_year` int, `p_month` int, `p_day` int\\)\nSTORED AS PARQUET\nLOCATION '([^\n']*)'\nTBLPROPERTIES \\(\n(?:  '[a-z_.]+' = '[^']*'[^\n]*\n)+\\)$")
	athenaColumn = regexp.MustCompile("^  `([a-z_0-9]+)` ([a-z]+) COMMENT '(?:[^']|'')*',?$")
)

// putTemplates has a node take index templates, and asks it for the fields that an index
// by each of them would have.
func putTemplates(t *testing.T, node *testenv.OpenSearchNode, text string, shown [][]string) {
	t.Helper()
	got := map[string][]string{}
	for _, call := range strings.Split("\n"+text, "\nPUT ")[1:] {
		path, body, _ := strings.Cut(call, "\n")
		node.Call(t, http.MethodPut, path, json.RawMessage(body), nil)
		output := strings.TrimSuffix(strings.TrimPrefix(path, "_index_template/millrace-"), "-day")
		var made struct {
			Template struct {
				Mappings struct{ Properties map[string]any }
			}
		}
		node.Call(t, http.MethodPost, "_index_template/_simulate_index/"+output+"-2026-03-02", nil, &made)
		node.Call(t, http.MethodDelete, path, nil, nil)
		for name := range made.Template.Mappings.Properties {
			got[strings.ReplaceAll(output, "-", "_")] = append(got[strings.ReplaceAll(output, "-", "_")], name)
		}
	}
	for _, c := range shown {
		if !slices.Contains(got[c[0]], c[1]) {
			t.Errorf("an index of %s has no field %s; it has %v", c[0], c[1], got[c[0]])
		}
	}
}
