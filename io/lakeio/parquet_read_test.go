package lakeio

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"millrace/internal/testenv"
	"millrace/schemas/table"
)

// duckType and arrowType are what readers must take each kind of column for.
var duckType = map[table.Kind]string{
	table.String: "VARCHAR", table.Bytes: "BLOB", table.Int32: "INTEGER", table.Int64: "BIGINT", table.Float64: "DOUBLE", table.Bool: "BOOLEAN",
	table.Time: "TIMESTAMP WITH TIME ZONE", table.Date: "DATE", table.UUID: "UUID",
}

var arrowType = map[table.Kind][]string{
	table.String: {"string"}, table.Bytes: {"binary"}, table.Int32: {"int32"}, table.Int64: {"int64"}, table.Float64: {"double"}, table.Bool: {"bool"},
	table.Time: {"timestamp[ms, tz=UTC]"}, table.Date: {"date32[day]"}, table.UUID: {"extension<arrow.uuid>", "fixed_size_binary[16]"},
}

// foreignDays are where the rows of the test lie: before the epoch, at it, at a
// leap day.
var foreignDays = []int64{-20_000, -1, 0, 16_861}

// foreignLake writes awkward rows of every schema, at their places in a lake.
func foreignLake(t *testing.T, lake string) map[string]*table.Batch {
	t.Helper()
	written := map[string]*table.Batch{}
	for i, output := range outputNames() {
		s := lakeSchemas[output]
		b := table.NewBatch(s)
		r := seeded(uint64(i))
		for _, day := range foreignDays {
			for range 60 {
				row := reflect.New(s.RowType())
				awkward(r, s, row.Elem(), day)
				b.Append(row.Interface())
			}
		}
		for p, runs := range spillAll(t, NewSpiller(t.TempDir(), output, 1), []*table.Batch{b}) {
			files, err := MergeRuns(t.Context(), s, p, 0, runs, t.TempDir(), func(int) {})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				to := filepath.Join(lake, f.Key)
				if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Rename(f.Staged, to); err != nil {
					t.Fatal(err)
				}
			}
		}
		written[output] = b
	}
	return written
}

func outputNames() []string {
	var names []string
	for name := range lakeSchemas {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// plainText writes a value as both readers are made to write it below.
func plainText(b *table.Batch, c table.Column, col, row int) string {
	if b.Null(col, row) {
		return "NULL"
	}
	switch c.Kind { //nolint:exhaustive // the others are numbers
	case table.String, table.Bytes:
		return hex.EncodeToString(b.Text(col, row))
	case table.UUID:
		return uuid.UUID(b.UUID(col, row)).String()
	case table.Bool:
		return fmt.Sprint(b.Bool(col, row))
	case table.Date:
		return DayText(b.Int(col, row))
	case table.Float64:
		return fmt.Sprint(b.Float(col, row))
	}
	return fmt.Sprint(b.Int(col, row))
}

func plainRows(b *table.Batch) []string {
	rows := make([]string, b.Len())
	for row := range rows {
		cells := make([]string, len(b.Schema().Columns))
		for col, c := range b.Schema().Columns {
			cells[col] = plainText(b, c, col, row)
		}
		rows[row] = strings.Join(cells, "|")
	}
	slices.Sort(rows)
	return rows
}

func TestDuckDBReadsEveryRowType(t *testing.T) {
	lake := t.TempDir()
	for output, b := range foreignLake(t, lake) {
		t.Run(output, func(t *testing.T) {
			from := fmt.Sprintf("read_parquet('%s/%s/**/*.parquet', hive_partitioning = false)", lake, output)
			var want [][]string
			var cells []string
			for _, c := range b.Schema().Columns {
				want = append(want, []string{c.Name, duckType[c.Kind]})
				cell := `"` + c.Name + `"::VARCHAR`
				switch c.Kind { //nolint:exhaustive // the others are read as they are
				case table.String:
					cell = `lower(hex(encode("` + c.Name + `")))`
				case table.Bytes:
					cell = `lower(hex("` + c.Name + `"))`
				case table.Time:
					cell = `epoch_ms("` + c.Name + `")::VARCHAR`
				case table.Float64:
					cell = `regexp_replace("` + c.Name + `"::VARCHAR, '\.0$', '')`
				}
				cells = append(cells, "coalesce("+cell+", 'NULL')")
			}
			if diff := cmp.Diff(want, testenv.DuckDB(t, "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM "+from+")")); diff != "" {
				t.Errorf("columns (-schema +DuckDB):\n%s", diff)
			}
			var got []string
			for _, row := range testenv.DuckDB(t, "SELECT concat_ws('|', "+strings.Join(cells, ", ")+") FROM "+from) {
				got = append(got, row[0])
			}
			slices.Sort(got)
			if diff := cmp.Diff(plainRows(b), got); diff != "" {
				t.Errorf("rows (-written +read):\n%s", diff)
			}
		})
	}
}

func TestFilesArePinnedAndCarryStatistics(t *testing.T) {
	lake := t.TempDir()
	foreignLake(t, lake)
	glob := fmt.Sprintf("'%s/*/*/*/*/*.parquet'", lake)
	for _, row := range testenv.DuckDB(t, "SELECT DISTINCT compression FROM parquet_metadata("+glob+")") {
		if row[0] != "ZSTD" {
			t.Errorf("columns are compressed by %s", row[0])
		}
	}
	for _, row := range testenv.DuckDB(t, "SELECT DISTINCT created_by FROM parquet_file_metadata("+glob+")") {
		if row[0] != "millrace version 1(build lake)" {
			t.Errorf("files say that they were made by %q", row[0])
		}
	}
	bare := testenv.DuckDB(t, `SELECT DISTINCT file_name, path_in_schema FROM parquet_metadata(`+glob+`)
		WHERE stats_null_count IS NULL OR (stats_null_count < num_values AND (stats_min_value IS NULL OR stats_max_value IS NULL) AND type != 'BOOLEAN')`)
	if len(bare) > 0 {
		t.Errorf("columns without statistics: %v", bare)
	}
	for _, output := range outputNames() {
		rows := testenv.DuckDB(t, fmt.Sprintf("SELECT DISTINCT decode(value) FROM parquet_kv_metadata('%s/%s/*/*/*/*.parquet') WHERE decode(key) = 'millrace.schema'", lake, output))
		if want := [][]string{{lakeSchemas[output].ID()}}; cmp.Diff(want, rows) != "" {
			t.Errorf("%s says that its schema is %v", output, rows)
		}
	}
}

// A reader that takes the folders for columns prunes days by them.
func TestFoldersAreHivePartitions(t *testing.T) {
	lake := t.TempDir()
	foreignLake(t, lake)
	from := fmt.Sprintf("read_parquet('%s/events/**/*.parquet', hive_partitioning = true)", lake)
	for _, day := range foreignDays {
		d := time.Unix(day*86400, 0).UTC()
		got := testenv.DuckDB(t, fmt.Sprintf("SELECT count(*), min(event_time) >= '%[1]s UTC'::TIMESTAMPTZ, max(event_time) < '%[1]s UTC'::TIMESTAMPTZ + INTERVAL 1 DAY FROM %s WHERE year = %d AND month::INT = %d AND day::INT = %d",
			d.Format(time.DateOnly+" 00:00:00"), from, d.Year(), d.Month(), d.Day()))
		if want := [][]string{{"60", "true", "true"}}; cmp.Diff(want, got) != "" {
			t.Errorf("of %s: %v", d.Format(time.DateOnly), got)
		}
	}
}

const arrowScript = `
import glob, json, sys
import pyarrow as pa, pyarrow.parquet as pq
lake, result = sys.argv[1], {}
def text(v, t):
    if v is None: return "NULL"
    if isinstance(v, bool): return str(v).lower()
    if isinstance(v, float): return repr(v).removesuffix('.0')
    if isinstance(v, str): return v.encode().hex()
    if t == "binary": return v.hex()
    if isinstance(v, bytes): import uuid; return str(uuid.UUID(bytes=v))
    return str(v)
for output in sys.argv[2:]:
    names, rows = None, []
    for f in sorted(glob.glob(lake + "/" + output + "/**/*.parquet", recursive=True)):
        t = pq.read_table(f, partitioning=None)
        types = [[c.name, str(c.type)] for c in t.schema]
        if names is None: names = types
        assert names == types, (names, types)
        nullable = [c.nullable for c in t.schema]
        cols = []
        for i, c in enumerate(t.schema):
            a = t.column(i)
            if pa.types.is_timestamp(c.type): a = a.cast(pa.int64())
            cols.append([text(v, str(c.type)) for v in a.to_pylist()])
        rows += ["|".join(r) for r in zip(*cols)]
    result[output] = {"names": names, "nullable": nullable, "rows": sorted(rows)}
json.dump(result, sys.stdout)
`

func TestPyArrowReadsEveryRowType(t *testing.T) {
	lake := t.TempDir()
	written := foreignLake(t, lake)
	var got map[string]struct {
		Names    [][2]string
		Nullable []bool
		Rows     []string
	}
	if err := json.Unmarshal(testenv.RunPython(t, arrowScript, append([]string{lake}, outputNames()...)...), &got); err != nil {
		t.Fatal(err)
	}
	for output, b := range written {
		for i, c := range b.Schema().Columns {
			if n := got[output].Names[i]; n[0] != c.Name || !slices.Contains(arrowType[c.Kind], n[1]) || got[output].Nullable[i] != c.Null {
				t.Errorf("%s: column %s, a %s, null %v, is read as %v, null %v", output, c.Name, c.Kind, c.Null, n, got[output].Nullable[i])
			}
		}
		if diff := cmp.Diff(plainRows(b), got[output].Rows); diff != "" {
			t.Errorf("%s (-written +read):\n%s", output, diff)
		}
	}
}
