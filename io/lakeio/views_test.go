package lakeio

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/schemas/table"
)

func TestViewsShowWhatTheSchemaSays(t *testing.T) {
	lake := filepath.Join(t.TempDir(), "it's a lake")
	s := openStore(t, lake)
	schemas := map[string]*table.Schema{"visitors": lakeSchemas["visitors"]}
	b := table.NewBatch(schemas["visitors"])
	for day := range int64(2) {
		b.PutInt(0, 16_572+day)
		b.PutInt(1, 10+day)
		b.PutInt(2, 5)
		b.PutBool(3, true)
		b.PutInt(4, 7)
		b.EndRow()
	}
	var files []File
	for p, runs := range spillAll(t, NewSpiller(t.TempDir(), "visitors", 1), []*table.Batch{b}) {
		made, err := MergeRuns(t.Context(), b.Schema(), p, 0, runs, t.TempDir(), func(int) {})
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, made...)
	}
	st, err := LoadStanding(t.Context(), s, schemas)
	if err != nil {
		t.Fatal(err)
	}
	if err := Commit(t.Context(), s, Change{Run: "run", Standing: st, Schemas: schemas, Touched: daysOf(files), Files: files}); err != nil {
		t.Fatal(err)
	}
	mustPut(t, s, "visitors/year=2015/month=05/day=17/stray.parquet", "not named by the state", PutOptions{})
	c, err := LoadCurrent(t.Context(), s, "visitors")
	if err != nil {
		t.Fatal(err)
	}
	sql := Views(s.Name(""), []Current{c, {Output: "never_written"}})
	got := testenv.DuckDB(t, sql+"SELECT typeof(day), strftime(day, '%Y-%m-%d'), visitors FROM visitors ORDER BY visitors")
	if diff := cmp.Diff([][]string{{"DATE", "2015-05-17", "10"}, {"DATE", "2015-05-18", "11"}}, got); diff != "" {
		t.Errorf("the view (-want +got):\n%s", diff)
	}
	columns := testenv.DuckDB(t, sql+"SELECT count(*) FROM (DESCRIBE visitors)")
	if columns[0][0] != fmt.Sprint(len(b.Schema().Columns)) {
		t.Errorf("the view has %s columns, the schema %d", columns[0][0], len(b.Schema().Columns))
	}
}
