package rollup_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/transforms/rollup"
)

// FuzzMerge holds that bytes nobody wrote are refused or merged, without a
// panic, and that what was merged comes out the same again.
func FuzzMerge(tf *testing.F) {
	f := mutate.Of(tf)
	r := rand.New(rand.NewPCG(1, 1))
	x := newTables(f, time.Hour)
	for _, q := range randomRequests(r)[:20] {
		x.add(q)
	}
	for i, name := range []string{"traffic", "pages", "visitors", "bots"} {
		f.Add(x.parts()[name][0].Blob, uint8(i))
	}
	f.Fuzz(func(t *testing.T, blob []byte, which uint8) {
		merge := func(x tables) error {
			return []func([]byte) error{x.traffic.Merge, x.pages.Merge, x.visitors.Merge, x.bots.Merge}[which%4](blob)
		}
		x := newTables(t, time.Hour)
		if merge(x) != nil {
			return
		}
		y := newTables(t, time.Hour)
		y.merge(t, x, rand.New(rand.NewPCG(1, 1)))
		if diff := cmp.Diff(x.parts(), y.parts()); diff != "" {
			t.Errorf("a second time (-want +got):\n%s", diff)
		}
		x.rows(t, 3, time.Hour)
	})
}

// FuzzMergeSketches is FuzzMerge of top pages with sketches, exact and beyond a limit.
func FuzzMergeSketches(tf *testing.F) {
	f := mutate.Of(tf)
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 20} {
		for _, x := range []*rollup.TopPages{plain(f, time.Hour), sketched(f, time.Hour)} {
			for _, q := range randomRequests(r)[:n] {
				q.addTo(x)
			}
			f.Add(x.Parts()[0].Blob)
		}
	}
	for _, x := range []*rollup.TopPages{limited(f, 10, false), limited(f, 10, true)} {
		for _, q := range crowd(r, 40) {
			q.addTo(x)
		}
		f.Add(x.Parts()[0].Blob)
	}
	f.Fuzz(func(t *testing.T, blob []byte) {
		x, y := limited(t, 10, true), limited(t, 10, true)
		if x.Merge(blob) != nil {
			return
		}
		for _, p := range x.Parts() {
			if err := y.Merge(p.Blob); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(x.Parts(), y.Parts()); diff != "" {
			t.Errorf("a second time (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(x.Rows(3, nil), y.Rows(3, nil)); diff != "" {
			t.Errorf("rows, a second time (-want +got):\n%s", diff)
		}
	})
}
