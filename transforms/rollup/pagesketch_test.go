package rollup_test

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/transforms/rollup"
	"millrace/transforms/sketch"
)

func sketched(t testing.TB, window time.Duration) *rollup.TopPages {
	t.Helper()
	x, err := rollup.NewSketchedTopPages(window)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func plain(t testing.TB, window time.Duration) *rollup.TopPages {
	t.Helper()
	x, err := rollup.NewTopPages(window)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (q *request) addTo(x *rollup.TopPages) { x.Add(q.t, []byte(q.path), q.visitor, q.bytes) }

func mergeAll(t testing.TB, x *rollup.TopPages, parts []rollup.Part) {
	t.Helper()
	for _, p := range parts {
		if err := x.Merge(p.Blob); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPagesTellTheirVisitorsAndSizes holds the estimates against counting and
// sorting, whatever the partition and the order.
func TestPagesTellTheirVisitorsAndSizes(t *testing.T) {
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
			visitors, sizes := map[uint64]bool{}, []int64{}
			for _, q := range brute(all).between(row.Start, row.Start+3_600_000) {
				if q.path == row.Path {
					visitors[q.visitor], sizes = true, append(sizes, max(q.bytes, 0))
				}
			}
			slices.Sort(sizes)
			within(t, row, "visitors", row.About.Visitors, int64(len(visitors)))
			for q, got := range map[float64]int64{0.5: row.About.P50, 0.95: row.About.P95, 0.99: row.About.P99} {
				within(t, row, fmt.Sprint("quantile ", q), got, sizes[int(q*float64(len(sizes)-1))])
			}
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
		x.Add(base, []byte("/"), sketch.Hash(fmt.Append(nil, i)), int64(i))
		x.Add(base, []byte("/"), sketch.Hash(fmt.Append(nil, i)), int64(i))
	}
	about := x.Rows(1, nil)[0].About
	if math.Abs(float64(about.Visitors)-50_000) > 50_000*3*0.0081 || math.Abs(float64(about.P95)-47_500) > 475 {
		t.Errorf("%+v", about)
	}
	if n := len(x.Parts()[0].Blob); n > 20<<10 {
		t.Errorf("a page takes %d bytes", n)
	}
}

// TestPagesCountedWithoutSketchesAreNotEstimated: what an earlier program left in a
// savepoint is counted, and of its pages alone nothing is estimated.
func TestPagesCountedWithoutSketchesAreNotEstimated(t *testing.T) {
	old, now := plain(t, time.Hour), sketched(t, time.Hour)
	old.Add(base, []byte("/old"), 1, 10)
	old.Add(base, []byte("/both"), 1, 10)
	for range 2 {
		now.Add(base, []byte("/both"), 2, 20)
		now.Add(base, []byte("/new"), 2, 20)
	}
	want := []rollup.TopPageRow{
		{Start: base, Seconds: 3600, Rank: 1, Path: "/both", Views: 3, Version: 6},
		{Start: base, Seconds: 3600, Rank: 2, Path: "/new", Views: 2, Version: 6, About: &rollup.PageEstimates{Visitors: 1, P50: 20, P95: 20, P99: 20}},
		{Start: base, Seconds: 3600, Rank: 3, Path: "/old", Views: 1, Version: 6},
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

// testdata/encoding_pages_v2.txt holds what the second version of the encoding wrote: a
// part's key and hex digits a line.
func TestTheSecondVersionOfTheEncodingIsStillReadAndWritten(t *testing.T) {
	want := sketched(t, time.Hour)
	for i := range int64(8) {
		want.Add(base+i*17*60_000, fmt.Append(nil, "/page/", i%3), sketch.Hash(fmt.Append(nil, i%5)), 1000*i-1)
	}
	var now []string
	for _, p := range want.Parts() {
		now = append(now, fmt.Sprintf("%s %x", p.Key, p.Blob))
	}
	f, err := os.Open(filepath.Join("testdata", "encoding_pages_v2.txt"))
	if err != nil {
		t.Fatalf("%v; what is written:\n%s", err, now)
	}
	defer f.Close()
	var old []string
	read := sketched(t, time.Hour)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		old = append(old, lines.Text())
		blob, err := hex.DecodeString(lines.Text()[len("2015-05-17T00 "):])
		if err != nil {
			t.Fatal(err)
		}
		mergeAll(t, read, []rollup.Part{{Blob: blob}})
	}
	if diff := cmp.Diff(old, now); diff != "" {
		t.Errorf("parts are written differently; raise the version and keep reading the old one (-old +new):\n%s", diff)
	}
	if diff := cmp.Diff(want.Rows(3, nil), read.Rows(3, nil)); diff != "" {
		t.Errorf("parts are read differently (-want +got):\n%s", diff)
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
					x.Add(all[i].t, paths[i], all[i].visitor, all[i].bytes)
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
