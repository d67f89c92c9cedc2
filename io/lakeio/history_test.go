package lakeio

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/schemas/alert"
	"millrace/schemas/table"
)

// TestViewsHaveTheLastVersionOfAnAlert: the lake has a row of when it began to fire,
// perhaps in another file, and one of when it was over.
func TestViewsHaveTheLastVersionOfAnAlert(t *testing.T) {
	const day = 86_400_000
	rows := func(all ...alert.Row) *table.Batch {
		b := table.NewBatch(alert.Rows)
		for i := range all {
			b.Append(&all[i])
		}
		return b
	}
	row := func(id, state string, version int64) alert.Row {
		return alert.Row{AlertID: id, FiringSince: 20_000 * day, Rule: "r", State: state, Version: version}
	}
	s := openStore(t, t.TempDir())
	schemas := map[string]*table.Schema{"alerts": alert.Rows}
	batches := []*table.Batch{rows(row("b", "resolved", 2), row("a", "firing", 1)), rows(row("b", "firing", 1))}
	var files []File
	for p, runs := range spillAll(t, NewSpiller(t.TempDir(), "alerts", 1), batches) {
		made, err := MergeRuns(t.Context(), alert.Rows, p, 0, runs, t.TempDir(), func(int) {})
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
	c, err := LoadCurrent(t.Context(), s, "alerts")
	if err != nil {
		t.Fatal(err)
	}
	got := testenv.DuckDB(t, Views(s.Name(""), []Current{c})+"SELECT alert_id, state FROM alerts ORDER BY 1")
	if diff := cmp.Diff([][]string{{"a", "firing"}, {"b", "resolved"}}, got); diff != "" {
		t.Errorf("the view (-want +got):\n%s", diff)
	}
}
