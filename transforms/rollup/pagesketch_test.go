package rollup_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/transforms/rollup"
	"millrace/transforms/sketch"
)

func sketched(t testing.TB, window time.Duration) *rollup.TopPages {
	t.Helper()
	x, err := rollup.NewSketchedTopPages(window, 0)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func plain(t testing.TB, window time.Duration) *rollup.TopPages {
	t.Helper()
	x, err := rollup.NewTopPages(window, 0)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (q *request) addTo(x *rollup.TopPages) { x.Add(q.t, []byte(q.path), q.visitor, q.bytes, q.took) }

func mergeAll(t testing.TB, x *rollup.TopPages, parts []rollup.Part) {
	t.Helper()
	for _, p := range parts {
		if err := x.Merge(p.Blob); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPagesTellTheirVisitorsSizesAndLatency holds the estimates against counting and
// sorting, whatever the partition and the order.
func TestPagesTellTheirVisitorsSizesAndLatency(t *testing.T) {
	timed := map[bool]int{} // rows with latency and without
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		all := randomRequests(r)
		parts := make([]*rollup.TopPages, 1+r.IntN(5))
		for i := range parts {
			parts[i] = sketched(t, time.Hour)
		}
		for _, i := range r.Perm(len(all)) {
			all[i].addTo(parts[r.IntN(len(parts))])
		}
		merged, whole := sketched(t, time.Hour), sketched(t, time.Hour)
		for _, i := range r.Perm(len(parts)) {
			mergeAll(t, merged, parts[i].Parts())
		}
		for i := range all {
			all[i].addTo(whole)
		}
		if diff := cmp.Diff(whole.Parts(), merged.Parts()); diff != "" {
			t.Fatalf("seed %d: bytes (-at once +merged):\n%s", seed, diff)
		}
		rows := merged.Rows(4, revision)
		if diff := cmp.Diff(brute(all).pages(3600, 4), without(rows)); diff != "" {
			t.Fatalf("seed %d: exact columns (-want +got):\n%s", seed, diff)
		}
		for _, row := range rows {
			visitors, sizes, took := map[uint64]bool{}, []int64{}, []int64{}
			for _, q := range brute(all).between(row.Start, row.Start+3_600_000) {
				if q.path == row.Path {
					visitors[q.visitor], sizes = true, append(sizes, max(q.bytes, 0))
					if q.took >= 0 {
						took = append(took, q.took)
					}
				}
			}
			slices.Sort(sizes)
			within(t, row, "visitors", row.About.Visitors, int64(len(visitors)))
			for q, got := range map[float64]int64{0.5: row.About.P50, 0.95: row.About.P95, 0.99: row.About.P99} {
				within(t, row, fmt.Sprint("quantile ", q), got, sizes[int(q*float64(len(sizes)-1))])
			}
			latencyWithin(t, row, took)
			timed[len(took) > 0]++
		}
	}
	if timed[true] < 50 || timed[false] < 50 {
		t.Errorf("rows with latency and without: %v", timed)
	}
}

// latencyWithin allows 1 % and the rounding to microseconds. A page of which no request
// tells how long it took has no latency.
func latencyWithin(t *testing.T, row rollup.TopPageRow, took []int64) {
	t.Helper()
	got := row.About.Latency
	if (got != nil) != (len(took) > 0) {
		t.Errorf("latency of %s from %d: %v, from durations %v", row.Path, row.Start, got, took)
	}
	if got == nil {
		return
	}
	slices.Sort(took)
	for q, ms := range map[float64]float64{0.5: got.P50, 0.9: got.P90, 0.99: got.P99} {
		want := float64(took[int(q*float64(len(took)-1))]) / 1000
		if math.Abs(ms-want) > 0.01*want+0.001 {
			t.Errorf("quantile %v of the durations of %s from %d: %v ms, want %v", q, row.Path, row.Start, ms, want)
		}
	}
}

// within allows 1 % and the rounding to whole numbers; 60 visitors in 2^14 registers are
// seldom less than all.
func within(t *testing.T, row rollup.TopPageRow, what string, got, want int64) {
	t.Helper()
	if math.Abs(float64(got-want)) > 0.01*float64(want)+1 {
		t.Errorf("%s of %s from %d: %d, want %d", what, row.Path, row.Start, got, want)
	}
}

// without are rows as a table without sketches gives them.
func without(rows []rollup.TopPageRow) (out []rollup.TopPageRow) {
	for _, row := range rows {
		row.About = nil
		out = append(out, row)
	}
	return out
}

// TestManyVisitorsOfAPageAreEstimated beyond what is stored one by one.
func TestManyVisitorsOfAPageAreEstimated(t *testing.T) {
	x := sketched(t, time.Hour)
	for i := range 50_000 {
		x.Add(base, []byte("/"), sketch.Hash(fmt.Append(nil, i)), int64(i), int64(i)*20)
		x.Add(base, []byte("/"), sketch.Hash(fmt.Append(nil, i)), int64(i), int64(i)*20)
	}
	about := x.Rows(1, nil)[0].About
	if math.Abs(float64(about.Visitors)-50_000) > 50_000*3*0.0081 || math.Abs(float64(about.P95)-47_500) > 475 || math.Abs(about.Latency.P90-900) > 9 {
		t.Errorf("%+v, %+v", about, about.Latency)
	}
	if n := len(x.Parts()[0].Blob); n > 20<<10 {
		t.Errorf("a page takes %d bytes", n)
	}
}

// TestPagesCountedWithoutSketchesAreNotEstimated: what an earlier program left in a
// savepoint is counted, and of its pages alone nothing is estimated.
func TestPagesCountedWithoutSketchesAreNotEstimated(t *testing.T) {
	old, now := plain(t, time.Hour), sketched(t, time.Hour)
	old.Add(base, []byte("/old"), 1, 10, -1)
	old.Add(base, []byte("/both"), 1, 10, -1)
	for range 2 {
		now.Add(base, []byte("/both"), 2, 20, 1500)
		now.Add(base, []byte("/new"), 2, 20, 1500)
	}
	want := []rollup.TopPageRow{
		{Start: base, Seconds: 3600, Rank: 1, Path: "/both", Views: 3, Exact: true, Version: 6},
		{Start: base, Seconds: 3600, Rank: 2, Path: "/new", Views: 2, Exact: true, Version: 6, About: &rollup.PageEstimates{Visitors: 1, P50: 20, P95: 20, P99: 20, Latency: &rollup.Latency{P50: 1.5, P90: 1.5, P99: 1.5}}},
		{Start: base, Seconds: 3600, Rank: 3, Path: "/old", Views: 1, Exact: true, Version: 6},
	}
	for _, order := range [][]*rollup.TopPages{{old, now}, {now, old}} {
		x, again := sketched(t, time.Hour), sketched(t, time.Hour)
		for _, part := range order {
			mergeAll(t, x, part.Parts())
		}
		mergeAll(t, again, x.Parts())
		for _, got := range []*rollup.TopPages{x, again} {
			if diff := cmp.Diff(want, got.Rows(3, nil)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		}
	}
	x := plain(t, time.Hour)
	mergeAll(t, x, now.Parts())
	if diff := cmp.Diff(without(now.Rows(3, nil)), x.Rows(3, nil)); diff != "" {
		t.Errorf("a table without sketches reads (-want +got):\n%s", diff)
	}
}

func BenchmarkPages(b *testing.B) {
	all, paths := benchRequests()
	for name, make := range map[string]func(testing.TB, time.Duration) *rollup.TopPages{"plain": plain, "sketched": sketched} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				x, y := make(b, time.Hour), make(b, time.Hour)
				for i := range all[:150_000] { // about what a core sums up before it hands on
					x.Add(all[i].t, paths[i], all[i].visitor, all[i].bytes, all[i].took)
				}
				parts := x.Parts()
				mergeAll(b, y, parts)
				y.Rows(10, nil)
				for _, p := range parts {
					size += len(p.Blob)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/150_000, "ns/request")
			b.ReportMetric(float64(size)/float64(b.N), "B")
		})
	}
}
