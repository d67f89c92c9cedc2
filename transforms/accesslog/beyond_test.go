package accesslog_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/ledger"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms/accesslog"
)

// TestDaysAfterTheBoundsAreGivenApart from the rows: they are accounted for as
// skipped, and rows of both kinds, in whatever turn, have their own texts.
func TestDaysAfterTheBoundsAreGivenApart(t *testing.T) {
	w, s := worker(accesslog.Config{From: 20514, To: 20514, After: 3}) // 2026-03-02
	paths := func(b *table.Batch) (all []string) {
		if err := b.Check(); err != nil {
			t.Fatal(err)
		}
		for _, e := range rowsOf[weblog.Event](b) {
			all = append(all, *e.Path+" "+*e.UserAgent)
		}
		return all
	}
	for round, base := range []int64{0, 10_000} {
		process(t, w, record.Block{Base: base},
			line(2, "/in", "x"), line(3, "/after", "x"), line(2, "/in2", "y"), line(5, "/in", "y"), line(2, "/after", "x"),
			line(5, "/p", "panic"), line(6, "/far", "x"), line(1, "/before", "x"))
		beyond := w.TakeBeyond()
		events, _, _, _ := w.Take()
		if diff := cmp.Diff([]string{"/in x", "/in2 y", "/after x"}, paths(events)); diff != "" {
			t.Errorf("round %d, rows (-want +got):\n%s", round, diff)
		}
		if diff := cmp.Diff([]string{"/after x", "/in y"}, paths(beyond)); diff != "" {
			t.Errorf("round %d, beyond (-want +got):\n%s", round, diff)
		}
		if got := rowsOf[weblog.Event](beyond)[0]; got.Source != source {
			t.Errorf("round %d: the source is %q", round, got.Source)
		}
		if w.TakeBeyond() != nil {
			t.Errorf("round %d: there is more", round)
		}
	}
	l := w.TakeLedger()
	if diff := cmp.Diff(ledger.Ledger{In: 16, Events: 6, Skipped: 10}, l); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
	if !l.Balanced() || len(s.counted) != 6 || len(s.visited) != 10 {
		t.Errorf("balanced %v, counted %d, visited %d", l.Balanced(), len(s.counted), len(s.visited))
	}
}

func TestWithoutDaysAfterNothingIsGivenApart(t *testing.T) {
	w, _ := worker(accesslog.Config{From: 20514, To: 20514})
	process(t, w, record.Block{}, line(2, "/", "x"), line(3, "/", "x"))
	if w.TakeBeyond() != nil {
		t.Error("there are rows beyond the bounds")
	}
}
