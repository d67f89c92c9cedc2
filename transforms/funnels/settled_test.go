package funnels_test

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/transforms/funnels"
)

// upserts are what a sink holds that keeps, of each key, the row of the greatest version,
// in whatever order rows come: null for one that is withdrawn.
type upserts struct {
	rows     map[string]*funnels.Row
	versions map[string]int64
}

func (k *upserts) apply(u funnels.Update) {
	put := func(key string, version int64, row *funnels.Row) {
		if known, ok := k.versions[key]; !ok || version >= known {
			k.rows[key], k.versions[key] = row, version
		}
	}
	for _, w := range u.Withdrawn {
		put(keyOf(w.Funnel, w.Visitor, w.Start), w.Version, nil)
	}
	for _, r := range slices.Concat(u.Provisional, u.Sealed) {
		put(keyOf(r.Funnel, r.Visitor, r.Start), r.Version, &r)
	}
}

func (k *upserts) sorted() (out []funnels.Row) {
	for _, r := range k.rows {
		if r != nil {
			out = append(out, *r)
		}
	}
	sortRows(out)
	return out
}

// fold is a live job: what it has, and the watermark it has that as of.
type fold struct {
	state     []byte
	watermark int64
}

// follow works off the first so many of the visits that come, bundle by bundle. It gives the fold as it
// was after some bundle, and how many visits were worked off by then.
func (f *fold) follow(t *testing.T, r *rand.Rand, e *funnels.Evaluator, s *funnels.Set, arrival []visit, most int, to *upserts) (somewhere fold, done int) {
	t.Helper()
	somewhere = fold{slices.Clone(f.state), f.watermark}
	for from := 0; from < most; {
		n := min(from+1+r.IntN(9), most)
		watermark := int64(endOfTime)
		for _, v := range arrival[n:] {
			watermark = min(watermark, int64(v.Time)/minute*minute)
		}
		if r.IntN(3) == 0 {
			watermark -= r.Int64N(120) * minute
		}
		watermark = max(watermark, f.watermark)
		blobs := collect(r, s, arrival[from:n])
		if r.IntN(4) == 0 { // a round more makes no difference
			f.round(t, e, blobs, f.watermark+(watermark-f.watermark)/minute/2*minute, to)
			blobs = nil
		}
		f.round(t, e, blobs, watermark, to)
		if from = n; r.IntN(3) == 0 {
			somewhere, done = fold{slices.Clone(f.state), f.watermark}, n
		}
	}
	return somewhere, done
}

// endOfTime is the last full minute.
const endOfTime = math.MaxInt64 / minute * minute

func (f *fold) round(t *testing.T, e *funnels.Evaluator, blobs [][]byte, watermark int64, to *upserts) {
	t.Helper()
	u, err := e.AdvanceSettled(f.state, blobs, f.watermark, watermark, minute)
	if err != nil {
		t.Fatal(err)
	}
	if u.State != nil && u.Next <= watermark {
		t.Errorf("next at %d, the watermark is %d", u.Next, watermark)
	}
	to.apply(u)
	f.state, f.watermark = u.State, watermark
}

// TestWhoStartsAgainLeavesNoRowBehind: a job ends somewhere, another one starts from an
// earlier state of it, and the rest comes in another order and other bundles. A sink that was told by
// both has in the end the rows of the rules.
func TestWhoStartsAgainLeavesNoRowBehind(t *testing.T) {
	given := 0
	eachOrder(t, users/3, func(t *testing.T, r *rand.Rand, defs []funnels.Definition, visits []visit, limit int) {
		s := compile(t, defs, funnels.Options{MaxEvents: limit})
		e := s.NewEvaluator(revision)
		sink := upserts{rows: map[string]*funnels.Row{}, versions: map[string]int64{}}
		arrival := arrivals(r, visits, []int64{minute, hour, 20 * hour}[r.IntN(3)])
		var first fold
		known, done := first.follow(t, r, e, s, arrival, r.IntN(len(arrival)+1), &sink)
		given += len(sink.rows)
		rest := arrivals(r, arrival[done:], 20*hour)
		for _, again := range []*fold{{slices.Clone(known.state), known.watermark}, &known} {
			again.follow(t, r, e, s, rest, len(rest), &sink)
			again.round(t, e, nil, endOfTime, &sink)
		}
		if known.state != nil {
			t.Errorf("%d bytes of state after the last watermark", len(known.state))
		}
		want := bruteRows(visits, defs, limit)
		if diff := cmp.Diff(want, sink.sorted()); diff != "" {
			t.Errorf("rows that remain (-want +got):\n%s", diff)
		}
		if keys := slices.Collect(maps.Keys(sink.rows)); len(want) > len(keys) {
			t.Errorf("%d rows of %d", len(keys), len(want))
		}
	})
	if given < 1000 {
		t.Errorf("%d rows before the end of the first", given)
	}
}
