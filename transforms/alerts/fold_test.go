package alerts_test

import (
	"encoding/hex"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/schemas/alert"
	"millrace/transforms/alerts"
)

// Readings come in heaps, each heap behind the watermark of the fold before it, and
// the state is written and read between folds.
func TestFoldsGiveWhatOneLookAtTheEndGives(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	total := 0
	for range 1000 {
		rule, readings := randomRule(t, r), randomReadings(r)
		plain := alerts.NewWatch(rule, "k", nil)
		for _, x := range readings {
			plain.Add(x)
		}
		want := plain.Seal(math.MaxInt64)
		total += len(want)

		var got []alert.Row
		state := alerts.NewWatch(rule, "k", nil).AppendState(nil, nil)
		left := slices.Clone(readings)
		for len(left) > 0 {
			n := 1 + r.IntN(len(left))
			watermark := int64(math.MaxInt64)
			if n < len(left) {
				watermark = left[n].Time
			}
			heap := slices.Clone(left[:n])
			r.Shuffle(n, func(i, j int) { heap[i], heap[j] = heap[j], heap[i] })
			left = left[n:]
			w, rest, err := alerts.DecodeState(state, rule, "k", nil)
			if err != nil {
				t.Fatal(err)
			}
			rows, rest := w.Fold(append(rest, heap...), watermark)
			got = append(got, rows...)
			state = w.AppendState(nil, rest)
			if watermark == math.MaxInt64 && len(rest) > 0 {
				t.Fatalf("%d readings are left at the end", len(rest))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("rule %+v (-want +got):\n%s", *rule, diff)
		}
	}
	if total < 500 {
		t.Errorf("%d rows are too few to compare", total)
	}
}

func TestManyWindowsAtOnceAreSealedInOrder(t *testing.T) {
	w := alerts.NewWatch(rule(t, alerts.Rule{Above: f(5)}), "k", nil)
	var readings []alerts.Reading
	for i := range int64(5000) { // more than may wait
		readings = append(readings, alerts.Reading{Time: (5000 - i) * minute, Value: float64(i % 1000 / 990 * 9)})
	}
	rows, rest := w.Fold(readings, math.MaxInt64)
	if len(rows) != 10 || len(rest) != 0 {
		t.Errorf("%d rows, %d readings left", len(rows), len(rest))
	}
}

func FuzzDecodeState(tf *testing.F) {
	fz := mutate.Of(tf)
	r := rand.New(rand.NewPCG(5, 6))
	for seed := range uint64(6) {
		rule := randomRule(fz, rand.New(rand.NewPCG(seed, 1)))
		readings := randomReadings(r)
		w := alerts.NewWatch(rule, "k", nil)
		_, rest := w.Fold(readings, readings[len(readings)/2].Time)
		fz.Add(w.AppendState(nil, rest), seed)
	}
	fz.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		rule := randomRule(t, rand.New(rand.NewPCG(seed, 1)))
		w, rest, err := alerts.DecodeState(b, rule, "k", nil)
		if err != nil {
			return
		}
		w.Fold(rest, math.MaxInt64)
		w2, rest2, err := alerts.DecodeState(w.AppendState(nil, rest), rule, "k", nil)
		if err != nil || w2 == nil || len(rest2) != len(rest) {
			t.Fatalf("what was decoded is not read again: %v", err)
		}
	})
}

// TestStateOfTheFirstVersionIsStillReadAndWritten holds what lies in savepoints.
func TestStateOfTheFirstVersionIsStillReadAndWritten(t *testing.T) {
	const first = "014d01038087c88d9567000280b4b98d95670000000000002240000000000000f03fc0ddc08d95670000000000002040000000000000000003c0ddc08d956780b4b98d956700000000000031400200010101c0a9fb8d9567000000000000f03f0000000000000040"
	r := rule(t, alerts.Rule{Above: f(5), AtLeast: 2, Of: 3, Cooldown: 10 * minute, Aggregate: alerts.Sum, Within: 2 * minute, WhileField: "w"})
	w := alerts.NewWatch(r, "k", nil)
	at := int64(1_772_359_200_000)
	_, rest := w.Fold([]alerts.Reading{{Time: at, Value: 9, While: 1}, {Time: at + minute, Value: 8}, {Time: at + 9*minute, Value: 1, While: 2}}, at+2*minute)
	if got := hex.EncodeToString(w.AppendState(nil, rest)); got != first {
		t.Errorf("written as %s; give a new form a version of its own", got)
	}
	b, _ := hex.DecodeString(first)
	again, rest, err := alerts.DecodeState(b, r, "k", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(again.AppendState(nil, rest)); got != first {
		t.Errorf("read and written as %s", got)
	}
	b[0]++
	if _, _, err := alerts.DecodeState(b, r, "k", nil); err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("a later version: %v", err)
	}
}
