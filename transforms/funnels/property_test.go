package funnels_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/table"
	"millrace/transforms/funnels"
)

func stepOf(letter string) funnels.Step {
	return funnels.Step{Name: letter, Where: fmt.Sprintf("name.contains(%q)", letter)}
}

// randomDefinition draws a funnel of an order.
func randomDefinition(r *rand.Rand, n int, order string) funnels.Definition {
	d := funnels.Definition{Name: fmt.Sprint("f", n), Order: order, Within: []time.Duration{0, time.Minute, time.Hour, 30 * time.Hour}[1+r.IntN(3)]}
	letters := []string{"a", "b", "c", "d"}[:1+r.IntN(4)]
	for _, l := range letters {
		d.Steps = append(d.Steps, stepOf(l))
	}
	if len(letters) > 1 && order != funnels.Any && r.IntN(2) == 0 {
		from := r.IntN(len(letters) - 1)
		to := from + 1 + r.IntN(len(letters)-from-1)
		d.Exclude = append(d.Exclude, funnels.Exclusion{Where: `name.contains("x")`, Between: [2]string{letters[from], letters[to]}})
	}
	if k := r.IntN(4); k > 0 {
		attribution := []string{"", funnels.First, funnels.Last, funnels.AtStep + letters[r.IntN(len(letters))]}[k]
		d.Breakdown = &funnels.Breakdown{Field: "site", Attribution: attribution}
	}
	return d
}

// eachOrder runs a property on so many random users of each order.
func eachOrder(t *testing.T, users int, property func(t *testing.T, r *rand.Rand, defs []funnels.Definition, visits []visit, limit int)) {
	for i, order := range []string{funnels.Ordered, funnels.Strict, funnels.Any} {
		t.Run(order, func(t *testing.T) {
			for k := range users / 3 {
				r := rand.New(rand.NewPCG(uint64(i), uint64(k)))
				defs := []funnels.Definition{randomDefinition(r, 0, order), randomDefinition(r, 1, order)}
				visits := randomVisits(r, defs[0].Within.Milliseconds(), "aabbcdxz")
				limit := []int{2, 3, 1000}[r.IntN(3)]
				property(t, r, defs, visits, limit)
				if t.Failed() {
					t.Fatalf("round %d, limit %d, %+v", k, limit, defs)
				}
			}
		})
	}
}

func TestFragmentsOfShuffledBlocksGiveTheRowsOfTheRules(t *testing.T) {
	eachOrder(t, users, func(t *testing.T, r *rand.Rand, defs []funnels.Definition, visits []visit, limit int) {
		s := compile(t, defs, funnels.Options{MaxEvents: limit})
		if diff := cmp.Diff(bruteRows(visits, defs, limit), rowsOf(t, s, collect(r, s, visits))); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
	})
}

func TestTheLevelOfAVisitorIsThatOfWindowFunnel(t *testing.T) {
	levels := map[int]int{}
	eachOrder(t, users/3, func(t *testing.T, r *rand.Rand, defs []funnels.Definition, visits []visit, _ int) {
		d := defs[0]
		if d.Order != funnels.Ordered {
			return
		}
		d.Exclude = nil
		s := compile(t, []funnels.Definition{d}, funnels.Options{})
		hits := map[string][]funnels.Hit{}
		for _, v := range visits {
			h := funnels.Hit{Time: int64(v.Time)}
			for i, step := range d.Steps {
				if has(bruteEvent{visit: v}, step.Name) {
					h.Steps |= 1 << i
				}
			}
			if !v.Late {
				hits[v.Visitor] = append(hits[v.Visitor], h)
			}
		}
		got := map[string]int{}
		for _, row := range funnels.Best(rowsOf(t, s, collect(r, s, visits))) {
			got[row.Visitor] = row.Level
		}
		for visitor, list := range hits {
			want := funnels.WindowFunnel(list, len(d.Steps), d.Within.Milliseconds(), funnels.StrictOnce)
			levels[want]++
			if got[visitor] != want {
				t.Errorf("level %d, windowFunnel gives %d for %v", got[visitor], want, list)
			}
		}
	})
	if len(levels) != 5 {
		t.Errorf("levels %v", levels)
	}
}

// sink is a table of upserts by funnel, visitor and start, where the greater version
// wins.
type sink struct {
	t        *testing.T
	rows     map[string]funnels.Row
	versions map[string]int64
}

func keyOf(funnel int, visitor string, start int64) string {
	return fmt.Sprint(funnel, " ", visitor, " ", start)
}

func (k *sink) apply(u funnels.Update) {
	for _, r := range slices.Concat(u.Provisional, u.Sealed) {
		key := keyOf(r.Funnel, r.Visitor, r.Start)
		if r.Version < k.versions[key] {
			k.t.Errorf("row %s: version %d after %d", key, r.Version, k.versions[key])
		}
		k.rows[key], k.versions[key] = r, r.Version
	}
	for _, w := range u.Withdrawn {
		key := keyOf(w.Funnel, w.Visitor, w.Start)
		if _, ok := k.rows[key]; !ok {
			k.t.Errorf("row %s is withdrawn and was never written", key)
		}
		if w.Version <= k.versions[key] {
			k.t.Errorf("row %s: withdrawn with version %d, written with %d", key, w.Version, k.versions[key])
		}
		delete(k.rows, key)
		k.versions[key] = w.Version
	}
}

func (k *sink) sorted() (out []funnels.Row) {
	for _, r := range k.rows {
		out = append(out, r)
	}
	sortRows(out)
	return out
}

// arrivals orders visits by time with a bounded disorder.
func arrivals(r *rand.Rand, visits []visit, disorder int64) []visit {
	type timed struct {
		at int64
		visit
	}
	list := make([]timed, len(visits))
	for i, v := range visits {
		list[i] = timed{int64(v.Time) + r.Int64N(disorder), v}
	}
	slices.SortStableFunc(list, func(a, b timed) int { return int(a.at - b.at) })
	out := make([]visit, len(list))
	for i := range list {
		out[i] = list[i].visit
	}
	return out
}

func TestLiveSealsWhatBatchFinds(t *testing.T) {
	withdrawn, provisional := 0, 0
	eachOrder(t, users/3, func(t *testing.T, r *rand.Rand, defs []funnels.Definition, visits []visit, limit int) {
		s := compile(t, defs, funnels.Options{MaxEvents: limit})
		e := s.NewEvaluator(revision)
		arrival := arrivals(r, visits, []int64{minute, hour, 20 * hour}[r.IntN(3)])
		var (
			state        []byte
			sealed, days []funnels.Row
			last         = int64(math.MinInt64)
			out          = sink{t: t, rows: map[string]funnels.Row{}, versions: map[string]int64{}}
		)
		for from := 0; from <= len(arrival); {
			to := min(from+1+r.IntN(9), len(arrival))
			watermark := int64(math.MaxInt64)
			for _, v := range arrival[to:] {
				watermark = min(watermark, int64(v.Time))
			}
			if r.IntN(3) == 0 && watermark != math.MaxInt64 {
				watermark = max(last, watermark-r.Int64N(2*hour))
			}
			u, err := e.Advance(state, collect(r, s, arrival[from:to]), watermark)
			if err != nil {
				t.Fatal(err)
			}
			state = u.State
			if (state == nil) != (u.Next == math.MaxInt64) || u.Next <= watermark && state != nil {
				t.Errorf("%d bytes of state, next at %d, watermark %d", len(state), u.Next, watermark)
			}
			if state != nil && watermark != math.MaxInt64 {
				checkNothingBeforeNext(t, e, u)
			}
			out.apply(u)
			withdrawn, provisional = withdrawn+len(u.Withdrawn), provisional+len(u.Provisional)
			sealed, days = append(sealed, u.Sealed...), append(days, u.Days...)
			for i, closed := range u.Closed {
				// So it does not depend on where the steps lie.
				if closed > watermark || closed <= last {
					t.Errorf("row %+v closed at %d, in the step from watermark %d to %d", u.Sealed[i], closed, last, watermark)
				}
			}
			last = watermark
			if from = to; from == len(arrival) {
				break
			}
		}
		if state != nil && last == math.MaxInt64 {
			t.Errorf("%d bytes of state after the last watermark", len(state))
		}
		want := bruteRows(visits, defs, limit)
		sortRows(sealed)
		sortRows(days)
		if diff := cmp.Diff(want, sealed); diff != "" {
			t.Errorf("sealed (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, out.sorted()); diff != "" {
			t.Errorf("rows that remain (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(funnels.BestOfDays(want), days); diff != "" {
			t.Errorf("rows of days (-want +got):\n%s", diff)
		}
	})
	if withdrawn < 100 || provisional < 1000 {
		t.Errorf("%d rows withdrawn, %d provisional", withdrawn, provisional)
	}
}

func checkNothingBeforeNext(t *testing.T, e *funnels.Evaluator, u funnels.Update) {
	t.Helper()
	v, err := e.Advance(u.State, nil, u.Next-1)
	if err != nil {
		t.Fatal(err)
	}
	if rows := len(v.Sealed) + len(v.Provisional) + len(v.Withdrawn) + len(v.Days); rows > 0 {
		t.Errorf("%d rows before %d, which was to be next", rows, u.Next)
	}
}

func TestEqualEventsGiveEqualBytes(t *testing.T) {
	eachOrder(t, 300, func(t *testing.T, r *rand.Rand, defs []funnels.Definition, visits []visit, limit int) {
		s := compile(t, defs, funnels.Options{MaxEvents: limit})
		var want string
		for range 3 {
			r.Shuffle(len(visits), func(i, j int) { visits[i], visits[j] = visits[j], visits[i] })
			c := s.NewCollector(visitColumns)
			c.Add(batchOf(visits), 0)
			got := fmt.Sprintf("%x", c.Flush(4))
			if want == "" {
				want = got
			}
			if got != want {
				t.Errorf("another order of events gave other bytes:\n%s\n%s", want, got)
			}
		}
	})
}

func TestTalliesMergeInAnyOrderToTheSameBytes(t *testing.T) {
	eachOrder(t, 600, func(t *testing.T, r *rand.Rand, defs []funnels.Definition, visits []visit, limit int) {
		s := compile(t, defs, funnels.Options{MaxEvents: limit})
		rows := funnels.BestOfDays(bruteRows(visits, defs, limit))
		whole, merged := s.NewTally(), s.NewTally()
		parts := []*funnels.Tally{s.NewTally(), s.NewTally(), s.NewTally()}
		for i := range rows {
			whole.Add(&rows[i])
		}
		for _, i := range r.Perm(len(rows)) {
			parts[r.IntN(3)].Add(&rows[i])
		}
		for _, i := range r.Perm(3) {
			if err := merged.Merge(parts[i].Encode()); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(whole.Encode(), merged.Encode()); diff != "" {
			t.Errorf("bytes (-whole +merged):\n%s", diff)
		}
		for _, row := range merged.Rows(revision) {
			var visitors, excluded, total int64
			var took []int64
			for _, x := range rows {
				if x.Funnel != row.Funnel || x.Day() != row.Day || x.Breakdown != row.Breakdown {
					continue
				}
				if x.Excluded {
					excluded++
				} else if x.Reached > row.Step {
					visitors++
					if row.Step > 0 {
						took = append(took, x.Times[row.Step]-x.Times[row.Step-1])
						total += took[len(took)-1]
					}
				}
			}
			c := row.Conversion
			if c.Visitors[row.Step] != visitors || c.Excluded != excluded || c.Total(row.Step) != total {
				t.Errorf("%+v: %+v; want %d visitors, %d excluded, %d ms", row, c, visitors, excluded, total)
			}
			slices.Sort(took)
			median, ok := c.Median(row.Step)
			if ok != (len(took) > 0) || ok && median != (float64(took[(len(took)-1)/2])+float64(took[len(took)/2]))/2 {
				t.Errorf("%+v: median %v, %t of %v", row, median, ok, took)
			}
		}
	})
}

func TestABotTakesBoundedStateAndTime(t *testing.T) {
	d := funnels.Definition{Name: "f", Within: 24 * time.Hour, Steps: []funnels.Step{stepOf("a"), stepOf("b")}}
	s := compile(t, []funnels.Definition{d}, funnels.Options{MaxEvents: 100})
	e := s.NewEvaluator(nil)
	var state []byte
	largest, sealed := 0, 0
	for h := range int64(24 * 5) {
		b := table.NewBatch(visitSchema)
		for i := range int64(3600) {
			b.Append(visit{Visitor: "tok_bot", Time: table.Millis(firstDay + h*hour + i*second), Position: i, Name: "a"})
		}
		c := s.NewCollector(visitColumns)
		c.Add(b, 0)
		var blobs [][]byte
		for _, p := range c.Flush(1) {
			blobs = append(blobs, p.Blob)
		}
		u, err := e.Advance(state, blobs, firstDay+(h+1)*hour)
		if err != nil {
			t.Fatal(err)
		}
		state = u.State
		largest = max(largest, len(state))
		for _, r := range u.Sealed {
			sealed++
			if !r.Truncated || r.Level != 1 || r.Version != 48*(100+2*3500) {
				t.Errorf("%+v", r)
			}
		}
	}
	if largest > 50_000 || sealed < 3 {
		t.Errorf("up to %d bytes of state, %d rows sealed", largest, sealed)
	}
}
