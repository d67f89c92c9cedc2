package rollup_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/transforms/rollup"
	"millrace/transforms/sketch"
)

// limited is a table of hours that are exact up to limit paths.
func limited(t testing.TB, limit int, sketches bool) *rollup.TopPages {
	t.Helper()
	table := rollup.NewTopPages
	if sketches {
		table = rollup.NewSketchedTopPages
	}
	x, err := table(time.Hour, limit)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// crowd is requests of some hours for paths of which some are asked for often, most
// hardly ever, and in some hours few at all.
func crowd(r *rand.Rand, n int) []request {
	hours := 1 + r.Int64N(3)
	zipf := rand.NewZipf(r, 1.1+r.Float64(), 1, uint64(1+r.IntN(400)))
	few := rand.NewZipf(r, 1.3, 1, uint64(1+r.IntN(20)))
	out := make([]request, n)
	for i := range out {
		hour, page := r.Int64N(hours), zipf.Uint64()
		if hour == 2 {
			page = few.Uint64()
		}
		out[i] = request{
			t: base + hour*3_600_000 + r.Int64N(3_600_000), path: fmt.Sprint("/", page), bytes: r.Int64N(5_000),
			visitor: sketch.Hash(fmt.Append(nil, r.IntN(30))), took: r.Int64N(1_000) - 1,
		}
	}
	return out
}

// TestMorePagesThanTheLimitKeepTheirBounds holds tables with a limit against counting, in any
// partition, order and tree of merges. A window is exact if and only if it has no more
// paths than the limit, and then its bytes depend on nothing else. Beyond it, views are too
// great by at most the error, and this is at most a counter's share of the requests; what is
// estimated of a page is of all its requests.
func TestMorePagesThanTheLimitKeepTheirBounds(t *testing.T) {
	exact, approximate, estimated := 0, 0, 0
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 4))
		limit, n, sketches := 10*(1+r.IntN(6)), 1+r.IntN(5), r.IntN(2) == 0
		all := crowd(r, 1+r.IntN(1_500))
		parts := make([]*rollup.TopPages, 1+r.IntN(6))
		for i := range parts {
			parts[i] = limited(t, limit, sketches)
		}
		for _, i := range r.Perm(len(all)) {
			all[i].addTo(parts[r.IntN(len(parts))])
		}
		for len(parts) > 1 {
			a, b := r.IntN(len(parts)), r.IntN(len(parts))
			if a == b {
				continue
			}
			mergeAll(t, parts[a], parts[b].Parts())
			parts[b] = parts[len(parts)-1]
			parts = parts[:len(parts)-1]
		}
		merged, again, whole := parts[0], limited(t, limit, sketches), limited(t, limit, sketches)
		mergeAll(t, again, merged.Parts())
		if diff := cmp.Diff(merged.Parts(), again.Parts()); diff != "" {
			t.Fatalf("seed %d: bytes, a second time (-want +got):\n%s", seed, diff)
		}
		for i := range all {
			all[i].addTo(whole)
		}
		rows := map[int64][]rollup.TopPageRow{}
		for _, row := range merged.Rows(n, revision) {
			rows[row.Start] = append(rows[row.Start], row)
		}
		want := map[int64][]rollup.TopPageRow{}
		for _, row := range brute(all).pages(3600, len(all)) { // all of them
			want[row.Start] = append(want[row.Start], row)
		}
		if merged.Len() > limit*len(want) {
			t.Fatalf("seed %d: %d paths in %d windows, at most %d in each", seed, merged.Len(), len(want), limit)
		}
		for start, truth := range want {
			got := rows[start]
			if len(truth) <= limit {
				exact++
				if diff := cmp.Diff(truth[:min(n, len(truth))], without(got)); diff != "" {
					t.Fatalf("seed %d: an exact window (-want +got):\n%s", seed, diff)
				}
				if diff := cmp.Diff(bytesOf(whole, start), bytesOf(merged, start)); diff != "" && len(want) == 1 {
					t.Fatalf("seed %d: bytes of an exact window (-at once +merged):\n%s", seed, diff)
				}
				continue
			}
			approximate++
			estimated += manyWithin(t, got, truth, limit, n, sketches, all)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if exact < 50 || approximate < 50 || estimated < 50 {
		t.Errorf("%d windows were exact, %d were not, of which %d pages had estimates", exact, approximate, estimated)
	}
}

// bytesOf is the part of an hour.
func bytesOf(x *rollup.TopPages, start int64) []byte {
	for _, p := range x.Parts() {
		if strings.HasPrefix(p.Key, time.UnixMilli(start).UTC().Format("2006-01-02T15")) {
			return p.Blob
		}
	}
	return nil
}

// manyWithin holds the rows of a window that is not exact against all pages that there
// were, and returns how many have estimates.
func manyWithin(t *testing.T, got, truth []rollup.TopPageRow, limit, n int, sketches bool, all []request) (estimated int) {
	t.Helper()
	views, total := map[string]int64{}, int64(0)
	for _, row := range truth {
		views[row.Path] = row.Views
		total += row.Views
	}
	if len(got) != min(n, limit/10) {
		t.Errorf("%d rows, asked for %d", len(got), n)
	}
	found := map[string]bool{}
	for i, row := range got {
		found[row.Path] = true
		is := views[row.Path]
		if row.Exact || row.Views < is || row.Views-row.Error > is || row.Error > total/int64(limit) || row.Version != truth[0].Version || int(row.Rank) != i+1 {
			t.Errorf("%+v: %d views, of %d in all, with %d counters", row, is, total, limit)
		}
		if (row.About != nil) != (sketches && row.Error == 0) {
			t.Errorf("%+v: sketches %v, estimates %+v", row, sketches, row.About)
		}
		if row.About == nil {
			continue
		}
		estimated++
		one := limited(t, limit, true)
		for _, q := range brute(all).between(row.Start, row.Start+3_600_000) {
			if q.path == row.Path {
				q.addTo(one)
			}
		}
		if diff := cmp.Diff(one.Rows(1, nil)[0].About, row.About); diff != "" {
			t.Errorf("estimates of %s (-of its requests alone +got):\n%s", row.Path, diff)
		}
	}
	// What is missing came no more often than the last that is there may have.
	for _, row := range truth {
		if len(got) > 0 && row.Views > got[len(got)-1].Views && !found[row.Path] {
			t.Errorf("%s with %d views is missing, the last is %+v", row.Path, row.Views, got[len(got)-1])
		}
	}
	return estimated
}

// TestPartsBeyondAnotherLimitAreRefused, as a page that was given up there cannot be
// counted here. Exact parts have no limit.
func TestPartsBeyondAnotherLimitAreRefused(t *testing.T) {
	x, y := limited(t, 20, false), limited(t, 30, false)
	for i := range int64(21) {
		x.Add(base, fmt.Append(nil, "/", i), 0, 0, -1)
	}
	if err := y.Merge(x.Parts()[0].Blob); err == nil || !strings.Contains(err.Error(), "merging frequent keys") {
		t.Errorf("merged: %v", err)
	}
	y = limited(t, 10, false)
	z := limited(t, 30, false)
	for i := range int64(21) {
		z.Add(base, fmt.Append(nil, "/", i), 0, 0, -1)
		z.Add(base, []byte("/7"), 0, 0, -1)
	}
	mergeAll(t, y, z.Parts())
	want := []rollup.TopPageRow{{Start: base, Seconds: 3600, Rank: 1, Path: "/7", Views: 22, Version: 42}}
	if diff := cmp.Diff(want, y.Rows(1, nil)); diff != "" || y.Len() != 10 {
		t.Errorf("%d paths, rows (-want +got):\n%s", y.Len(), diff)
	}
}

// TestPagesWithoutSketchesMeetThoseWithThemBeyondALimit: of a page that any part counted
// without, nothing is estimated.
func TestPagesWithoutSketchesMeetThoseWithThemBeyondALimit(t *testing.T) {
	fill := func(x *rollup.TopPages, first string) {
		for range 50 {
			x.Add(base, []byte(first), 1, 10, -1)
			x.Add(base, []byte("/both"), 1, 10, -1)
		}
		for i := range 15 {
			x.Add(base, fmt.Append(nil, "/", i), 1, 10, -1)
		}
	}
	for _, order := range [][]bool{{false, true}, {true, false}} {
		y := limited(t, 30, true)
		for _, sketches := range order {
			x := limited(t, 30, sketches)
			fill(x, fmt.Sprint("/sketches ", sketches))
			for i := range 20 {
				x.Add(base, fmt.Append(nil, "/more ", sketches, i), 1, 10, -1)
			}
			mergeAll(t, y, x.Parts())
		}
		row := y.Rows(1, nil)[0]
		if row.Path != "/both" || row.Views != 100 || row.Error != 0 || row.About != nil {
			t.Errorf("first page %+v", row)
		}
		plainly := limited(t, 30, false)
		mergeAll(t, plainly, y.Parts())
		if diff := cmp.Diff(without(y.Rows(3, nil)), plainly.Rows(3, nil)); diff != "" {
			t.Errorf("a table without sketches reads (-want +got):\n%s", diff)
		}
	}
}

// testdata/encoding_pages_v4.txt has an hour beyond the limit, with sketches, and without
// them; the next version goes on reading it.
func TestTheFourthVersionOfTheEncodingIsStillReadAndWritten(t *testing.T) {
	lines, parts := stored(t, "encoding_pages_v4.txt")
	var now []string
	for i, sketches := range []bool{false, true} {
		want, read := limited(t, 10, sketches), limited(t, 10, sketches)
		for i := range int64(40) {
			want.Add(base+i*60_000, fmt.Append(nil, "/", i%7*(i%3)), sketch.Hash(fmt.Append(nil, i%5)), 100*i, 300*i-300)
			want.Add(base, []byte("/first"), 1, 10, -1)
		}
		for _, p := range want.Parts() {
			now = append(now, fmt.Sprintf("%s %x", p.Key, p.Blob))
		}
		if i < len(parts) {
			mergeAll(t, read, parts[i:i+1])
			if diff := cmp.Diff(want.Rows(1, nil), read.Rows(1, nil)); diff != "" || read.Rows(1, nil)[0].Exact {
				t.Errorf("parts are read differently (-want +got):\n%s", diff)
			}
		}
	}
	if diff := cmp.Diff(lines, now); diff != "" {
		t.Errorf("parts are written differently; raise the version and keep reading the old one (-old +new):\n%s", diff)
	}
}

func BenchmarkPagesBeyondTheLimit(b *testing.B) {
	all, paths := benchRequests()
	for name, limit := range map[string]int{"exact": 0, "beyond": 1_000} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x, y := limited(b, limit, false), limited(b, limit, false)
				for i := range all[:150_000] {
					x.Add(all[i].t, paths[i], all[i].visitor, all[i].bytes, all[i].took)
				}
				mergeAll(b, y, x.Parts())
				y.Rows(10, nil)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/150_000, "ns/request")
		})
	}
}
