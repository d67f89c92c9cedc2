package rollup_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/transforms/rollup"
	"millrace/transforms/sketch"
)

type visit struct {
	t       int64
	visitor uint64
}

// randomVisits are requests of some hours, in one minute by very many visitors.
func randomVisits(r *rand.Rand) (all []visit) {
	for range 3000 {
		all = append(all, visit{base + r.Int64N(5*3_600_000), sketch.Hash([]byte{byte(r.IntN(40))})})
	}
	for range 10_000 {
		all = append(all, visit{base + 90*60_000 + r.Int64N(60_000), r.Uint64()})
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func TestVisitorsOfMinutesAreCountedWhateverTheOrderAndThePartition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	all := randomVisits(r)
	seen := map[int64]map[uint64]bool{}
	one := rollup.NewMinutes()
	parts := make([]*rollup.Minutes, 4)
	for i := range parts {
		parts[i] = rollup.NewMinutes()
	}
	merged := rollup.NewMinutes()
	flush := func(i int) {
		encoded := parts[i].Parts()
		if i%2 == 0 {
			encoded = parts[i].MinuteParts()
		}
		parts[i].Reset()
		r.Shuffle(len(encoded), func(i, j int) { encoded[i], encoded[j] = encoded[j], encoded[i] })
		for _, e := range encoded {
			if err := merged.Merge(e.Blob); err != nil {
				t.Fatal(err)
			}
		}
	}
	remembered := make([]map[uint64]*rollup.MinuteSeen, len(parts))
	for i := range remembered {
		remembered[i] = map[uint64]*rollup.MinuteSeen{}
	}
	for n, v := range all {
		one.Add(v.t, v.visitor, nil)
		i := r.IntN(len(parts))
		if _, ok := remembered[i][v.visitor]; !ok && n%3 > 0 {
			remembered[i][v.visitor] = &rollup.MinuteSeen{}
		}
		parts[i].Add(v.t, v.visitor, remembered[i][v.visitor])
		if r.IntN(1000) == 0 {
			flush(i)
		}
		minute := v.t - v.t%60_000
		if seen[minute] == nil {
			seen[minute] = map[uint64]bool{}
		}
		seen[minute][v.visitor] = true
	}
	for i := range parts {
		flush(i)
	}
	if diff := cmp.Diff(one.Rows(), merged.Rows()); diff != "" {
		t.Errorf("(-one +merged):\n%s", diff)
	}
	if diff := cmp.Diff(one.Parts(), merged.Parts()); diff != "" {
		t.Errorf("encoded (-one +merged):\n%s", diff)
	}
	if len(one.Rows()) != len(seen) {
		t.Errorf("%d minutes, want %d", len(one.Rows()), len(seen))
	}
	estimated := 0
	for _, row := range one.Rows() {
		want := int64(len(seen[row.Start]))
		if !row.Exact {
			estimated++
			if off := float64(row.Visitors-want) / float64(want); off < -0.03 || off > 0.03 {
				t.Errorf("%d visitors are estimated as %d", want, row.Visitors)
			}
		} else if row.Visitors != want {
			t.Errorf("%d visitors, want %d", row.Visitors, want)
		}
	}
	if estimated != 1 {
		t.Errorf("%d minutes are estimated", estimated)
	}
}

func FuzzMergeMinutes(tf *testing.F) {
	f := mutate.Of(tf)
	r := rand.New(rand.NewPCG(3, 4))
	x := rollup.NewMinutes()
	for range 20 {
		x.Add(base+r.Int64N(7_200_000), r.Uint64N(9), nil)
	}
	for _, p := range append(x.Parts(), x.MinuteParts()[0]) {
		f.Add(p.Blob)
	}
	f.Fuzz(func(t *testing.T, blob []byte) {
		x, y := rollup.NewMinutes(), rollup.NewMinutes()
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
	})
}
