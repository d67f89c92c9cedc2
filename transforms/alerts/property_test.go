package alerts_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/schemas/alert"
	"millrace/transforms/alerts"
)

// randomRule is any rule that is valid.
func randomRule(t testing.TB, r *rand.Rand) *alerts.Rule {
	t.Helper()
	maybe := func(n int64) int64 { return r.Int64N(2) * n }
	out := alerts.Rule{AtLeast: 1 + r.IntN(3), ClearFor: 1 + r.IntN(3), Cooldown: maybe(r.Int64N(10) * minute), Missing: alerts.Missings[r.IntN(2)]}
	out.Of = out.AtLeast + r.IntN(4)
	switch r.IntN(6) {
	case 0:
		out.Above = f(6)
	case 1:
		out.Above, out.ClearAbove = f(6), f(3)
	case 2:
		out.Above, out.Below = f(8), f(2)
	case 3:
		out.Above, out.ChangeOver = f(4), minute*(1+r.Int64N(5))
	case 4:
		out.Above, out.Aggregate, out.Within = f(20), alerts.Sum, minute*(1+r.Int64N(5))
	case 5:
		out.AtLeast, out.Of = 1, 1
		out.AbsentFor = minute * (1 + r.Int64N(6))
		out.GiveUp = out.AbsentFor + minute*(1+r.Int64N(20))
	}
	if out.Within > 0 && r.IntN(2) == 0 {
		out.Above, out.Per, out.WhileAtLeast = f(2.5), []alerts.Match{{Column: "c", Value: "v"}}, float64(r.IntN(5))
		return rule(t, out)
	}
	if out.AbsentFor == 0 && r.IntN(3) == 0 {
		out.WhileField, out.WhileAtLeast, out.WhileWithin = "w", float64(r.IntN(10)), minute*(1+r.Int64N(4))
	}
	return rule(t, out)
}

func randomReadings(r *rand.Rand) []alerts.Reading {
	var out []alerts.Reading
	at := r.Int64N(1000) * minute
	for range 20 + r.IntN(200) {
		switch r.IntN(20) {
		case 0:
			at += r.Int64N(40) * minute
		default:
			at += r.Int64N(90_000)
		}
		out = append(out, alerts.Reading{Time: at, Value: float64(r.IntN(11)), While: float64(r.IntN(4))})
	}
	return out
}

// One look at the end, over readings in order, is what all other ways must give.
func TestOrderOfArrivalMomentsOfLookingAndRestartsDoNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	total := 0
	for range 3000 {
		rule, readings := randomRule(t, r), randomReadings(r)
		end := readings[len(readings)-1].Time + 100*minute
		plain := alerts.NewWatch(rule, "k", nil)
		for _, x := range readings {
			plain.Add(x)
		}
		want := plain.Seal(end)
		total += len(want)

		// Readings come up to five minutes late, behind a watermark that knows it.
		arrival := slices.Clone(readings)
		due := map[alerts.Reading]int64{}
		for _, x := range arrival {
			due[x] = x.Time + r.Int64N(5*minute)
		}
		slices.SortStableFunc(arrival, func(a, b alerts.Reading) int { return int(due[a] - due[b]) })
		w := alerts.NewWatch(rule, "k", nil)
		var got []alert.Row
		for _, x := range arrival {
			if r.IntN(3) == 0 {
				got = append(got, w.Seal(due[x]-5*minute)...)
			}
			rows, late := w.Add(x)
			if got = append(got, rows...); late {
				t.Fatalf("%+v: a reading in time is late", rule)
			}
			if r.IntN(5) == 0 {
				w = restart(t, w, rule)
			}
		}
		for {
			due, more := w.Due()
			if !more || due > end {
				break
			}
			rows := w.Seal(due)
			got = append(got, rows...)
		}
		got = append(got, w.Seal(end)...)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%+v: rows (-plain +shuffled):\n%s", rule, diff)
		}
	}
	if total < 3000 {
		t.Errorf("only %d rows in 3,000 tries", total)
	}
}

func restart(t *testing.T, w *alerts.Watch, rule *alerts.Rule) *alerts.Watch {
	t.Helper()
	b := w.AppendEncoded(nil)
	again, err := alerts.DecodeWatch(b, rule, "k", nil)
	if err != nil {
		t.Fatal(err)
	}
	if string(again.AppendEncoded(nil)) != string(b) {
		t.Fatalf("%x is encoded as %x", b, again.AppendEncoded(nil))
	}
	return again
}

func TestAtMostOneAlertIsOpenAndEachIsWrittenOnceAState(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		rule, readings := randomRule(t, r), randomReadings(r)
		w := alerts.NewWatch(rule, "k", nil)
		for _, x := range readings {
			w.Add(x)
		}
		open, ids, last := "", map[string]bool{}, int64(-1)
		for _, row := range w.Seal(readings[len(readings)-1].Time + 1000*minute) {
			if int64(row.ChangedAt) < last {
				t.Fatalf("%+v: a transition at %d after one at %d", rule, row.ChangedAt, last)
			}
			last = int64(row.ChangedAt)
			switch {
			case row.State == alert.Firing && (open != "" || ids[row.AlertID] || row.Version != 1):
				t.Fatalf("%+v: %s fires while %q is open", rule, row.AlertID, open)
			case row.State == alert.Resolved && (open != row.AlertID || row.Version != 2):
				t.Fatalf("%+v: %s is resolved while %q is open", rule, row.AlertID, open)
			}
			if open = row.AlertID; row.State == alert.Resolved {
				open = ""
			}
			ids[row.AlertID] = true
			if row.AlertID != alerts.ID("r", "k", int64(row.FiringSince)) {
				t.Fatalf("the id of %+v", row)
			}
		}
	}
}

// The oracle judges minute after minute by looking at everything.
func TestSimpleLimitsAreThoseOfALookAtEverything(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		n, m, inOrder := 1+r.IntN(3), 0, 1+r.IntN(3)
		m = n + r.IntN(3)
		cool := r.IntN(8)
		rule := rule(t, alerts.Rule{Above: f(6), ClearAbove: f(4), AtLeast: n, Of: m, ClearFor: inOrder, Cooldown: int64(cool) * minute})
		values := make([]float64, 100)
		w := alerts.NewWatch(rule, "k", nil)
		for i := range values {
			values[i] = float64(r.IntN(10))
			w.Add(alerts.Reading{Time: int64(i) * minute, Value: values[i]})
		}
		want, open, from, from2 := "", false, 0, 0
		for i, v := range values {
			if open {
				ok := i-from2+1 >= inOrder
				for j := max(i-inOrder+1, 0); j <= i && ok; j++ {
					ok = values[j] <= 4
				}
				if ok {
					want += sprint("-", i)
					open, from = false, i+1
					from2 = i + 1 + cool
				}
				continue
			}
			broken := 0
			for j := max(i-m+1, from); j <= i; j++ {
				if values[j] > 6 {
					broken++
				}
			}
			if v > 6 && broken >= n && i >= from2 {
				want += sprint("+", i)
				open, from2 = true, i+1
			}
		}
		if got := brief(w.Seal(100 * minute)); got+" " != want && (want != "" || got != "") {
			t.Fatalf("%d of %d, clear for %d, cool-down %d, %v:\n%s\nwant\n%s", n, m, inOrder, cool, values, got, want)
		}
	}
}

func sprint(sign string, minute int) string { return sign + strconv.Itoa(minute) + " " }

// Whatever the bytes are: an error, or a watch that works and is encoded as the
// same bytes.
func FuzzDecodeWatch(tf *testing.F) {
	fz := mutate.Of(tf)
	r := rand.New(rand.NewPCG(7, 8))
	for seed := range uint64(12) {
		rule := randomRule(fz, rand.New(rand.NewPCG(seed, 1)))
		w := alerts.NewWatch(rule, "k", nil)
		readings := randomReadings(r)
		for _, x := range readings {
			w.Add(x)
		}
		w.Seal(readings[len(readings)/2].Time)
		fz.Add(w.AppendEncoded(nil), seed)
	}
	fz.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		rule := randomRule(t, rand.New(rand.NewPCG(seed, 1)))
		w, err := alerts.DecodeWatch(b, rule, "k", nil)
		if err != nil {
			return
		}
		if again := w.AppendEncoded(nil); string(again) != string(b) {
			t.Fatalf("%x is encoded as %x", b, again)
		}
		due, more := w.Due()
		if more {
			w.Seal(due)
		}
		if _, err := alerts.DecodeWatch(w.AppendEncoded(nil), rule, "k", nil); err != nil {
			t.Fatalf("what a decoded watch becomes is no state: %v", err)
		}
	})
}
