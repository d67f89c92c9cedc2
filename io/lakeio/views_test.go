package lakeio

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/schemas/late"
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

// TestViewsReachBackBeforeAColumnWasAdded: files of a schema from before, beside
// newer ones, whichever come first.
func TestViewsReachBackBeforeAColumnWasAdded(t *testing.T) {
	older := *late.Rows
	without, _ := older.Index("sequence")
	older.Columns = slices.Delete(slices.Clone(older.Columns), without, without+1)
	sequence := "77"
	for _, order := range [][]bool{{true, false}, {false, true}} {
		lake, c := t.TempDir(), Current{Output: "late", Days: map[string]CurrentDay{}}
		for day, isOld := range order {
			key := fmt.Sprintf("late/%d.parquet", day)
			rows := []late.Row{{Source: "s", Sequence: &sequence, Position: int64(day)}}
			if isOld {
				var out bytes.Buffer
				b := table.NewBatch(&older)
				b.PutUUID(0, table.ID{})
				b.PutInt(1, 0)
				b.PutString(2, "s")
				b.PutInt(3, int64(day))
				b.PutInt(4, 0)
				b.EndRow()
				w := newParquetWriter(&out, &older, 10)
				if err := errors.Join(b.Check(), w.add(piece{b, 0, 1}), w.close()); err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(os.MkdirAll(filepath.Join(lake, "late"), 0o755), os.WriteFile(filepath.Join(lake, key), out.Bytes(), 0o644)); err != nil {
					t.Fatal(err)
				}
			} else {
				writeParquet(t, filepath.Join(lake, key), late.Rows, rows, 10)
			}
			c.Days[DayText(int64(day))] = CurrentDay{Files: []CurrentFile{{Key: key}}}
		}
		got := testenv.DuckDB(t, Views(lake, []Current{c})+"SELECT position, sequence FROM late ORDER BY sequence NULLS FIRST")
		if len(got) != 2 || got[0][1] == "77" || got[1][1] != "77" {
			t.Errorf("the old file first %t: %q", order[0], got)
		}
	}
}
