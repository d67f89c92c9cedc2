package rollup_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/transforms/rollup"
	"millrace/transforms/sketch"
)

// request is an event as a test sees it.
type request struct {
	t       int64
	status  int32
	bytes   int64
	path    string
	visitor uint64
	bot     string // empty: none
	took    int64  // microseconds; below 0: not logged
}

// tables is one accumulator of each kind.
type tables struct {
	traffic  *rollup.Traffic
	pages    *rollup.TopPages
	visitors *rollup.Visitors
	bots     *rollup.Bots
}

const limit = 20 // of visitors counted one by one

func newTables(t testing.TB, window time.Duration) tables {
	t.Helper()
	pages, err := rollup.NewTopPages(window, 0)
	if err != nil {
		t.Fatal(err)
	}
	return tables{rollup.NewTraffic(), pages, rollup.NewVisitors(limit), rollup.NewBots(limit)}
}

func (x tables) add(q request) {
	x.traffic.Add(q.t, q.status, q.bytes)
	x.pages.Add(q.t, []byte(q.path), q.visitor, q.bytes, q.took)
	x.visitors.Add(q.t, q.visitor, q.bot != "")
	if q.bot != "" {
		x.bots.Add(q.t, q.bot, q.visitor)
	}
}

func (x tables) merge(t testing.TB, o tables, r *rand.Rand) {
	t.Helper()
	each(t, r, o.traffic.Parts(), x.traffic.Merge)
	each(t, r, o.pages.Parts(), x.pages.Merge)
	each(t, r, o.visitors.Parts(), x.visitors.Merge)
	each(t, r, o.bots.Parts(), x.bots.Merge)
}

func each(t testing.TB, r *rand.Rand, parts []rollup.Part, merge func([]byte) error) {
	t.Helper()
	for _, i := range r.Perm(len(parts)) {
		if err := merge(parts[i].Blob); err != nil {
			t.Fatal(err)
		}
	}
}

func revision(day int64) int32 { return int32(day % 3) }

const base = 1431820800000 // 17 May 2015, 00:00 UTC

func randomRequests(r *rand.Rand) []request {
	out := make([]request, r.IntN(300))
	spread := []int64{5_000, 4 * 3_600_000, 3 * 86_400_000}[r.IntN(3)]
	for i := range out {
		v := r.IntN(1 + r.IntN(60))
		q := request{
			t: base + r.Int64N(spread), status: int32(r.IntN(700)), bytes: r.Int64N(5_000) - 1,
			path: fmt.Sprint("/", r.IntN(12)), visitor: sketch.Hash(fmt.Append(nil, v)), took: -1,
		}
		if n := r.IntN(12); q.path > fmt.Sprint("/", n) { // few requests of some pages, none of others
			q.took = r.Int64N(1 << r.IntN(30))
		}
		if v%3 == 0 {
			q.bot = fmt.Sprint("bot ", v%4)
		}
		out[i] = q
	}
	return out
}

// rows are all rows of all tables.
func (x tables) rows(t testing.TB, n int, width time.Duration) map[string]any {
	t.Helper()
	traffic, err := x.traffic.Rows(width, revision)
	if err != nil {
		t.Fatal(err)
	}
	visitors, err := x.visitors.Rows(revision)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{
		"traffic": traffic, "pages": x.pages.Rows(n, revision), "visitors": visitors, "bots": x.bots.Rows(revision),
	}
}

func TestAnyPartitionInAnyOrderGivesTheSameRows(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 1))
		width := []time.Duration{time.Minute, 5 * time.Minute, time.Hour}[r.IntN(3)]
		all := randomRequests(r)
		parts := make([]tables, 1+r.IntN(5))
		for i := range parts {
			parts[i] = newTables(t, width)
		}
		for _, i := range r.Perm(len(all)) {
			parts[r.IntN(len(parts))].add(all[i])
		}
		merged := newTables(t, width)
		for _, i := range r.Perm(len(parts)) {
			merged.merge(t, parts[i], r)
		}
		n := 1 + r.IntN(5)
		seconds := int64(width / time.Second)
		want := map[string]any{
			"traffic": brute(all).traffic(seconds), "pages": brute(all).pages(seconds, n),
			"visitors": brute(all).visitors(), "bots": brute(all).bots(),
		}
		if diff := cmp.Diff(want, merged.rows(t, n, width)); diff != "" {
			t.Fatalf("seed %d: rows (-want +got):\n%s", seed, diff)
		}
		whole := newTables(t, width)
		for _, q := range all {
			whole.add(q)
		}
		if diff := cmp.Diff(whole.parts(), merged.parts()); diff != "" {
			t.Fatalf("seed %d: bytes of one accumulator and of merged ones (-one +merged):\n%s", seed, diff)
		}
	}
}

func (x tables) parts() map[string][]rollup.Part {
	return map[string][]rollup.Part{
		"traffic": x.traffic.Parts(), "pages": x.pages.Parts(), "visitors": x.visitors.Parts(), "bots": x.bots.Parts(),
	}
}

func TestSecondsAddUpToMinutes(t *testing.T) {
	x := rollup.NewTraffic()
	for i := range int64(180) {
		x.Add(base+i*1000+999, 200, i)
	}
	seconds, err := x.Rows(time.Second, nil)
	if err != nil {
		t.Fatal(err)
	}
	minutes, err := x.Rows(time.Minute, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(seconds) != 180 || len(minutes) != 3 {
		t.Fatalf("%d seconds, %d minutes", len(seconds), len(minutes))
	}
	want := rollup.TrafficRow{Start: base + 60_000, Seconds: 60, Class: rollup.Class2xx, Views: 60, Bytes: 60*60 + 59*30, Largest: 119, Version: 60}
	if diff := cmp.Diff(want, minutes[1]); diff != "" {
		t.Errorf("second minute (-want +got):\n%s", diff)
	}
}

func TestPartsNameTheirHourOrDay(t *testing.T) {
	x := newTables(t, time.Hour)
	x.add(request{t: base + 26*3_600_000, path: "/", bot: "b"})
	x.add(request{t: -1, path: "/", bot: "b"})
	var got []string
	for _, table := range []string{"traffic", "pages", "visitors", "bots"} {
		for _, p := range x.parts()[table] {
			got = append(got, fmt.Sprint(table, " ", p.Key, " ", p.Day))
		}
	}
	want := []string{
		"traffic 1969-12-31T23 -1", "traffic 2015-05-18T02 16573", "pages 1969-12-31T23 -1", "pages 2015-05-18T02 16573",
		"visitors 1969-12-31 -1", "visitors 2015-05-18 16573", "bots 1969-12-31 -1", "bots 2015-05-18 16573",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
}

func TestWindowsDivideAnHourAndLimitsAreTens(t *testing.T) {
	for _, w := range []time.Duration{0, time.Millisecond, 7 * time.Second, 2 * time.Hour, -time.Second} {
		if _, err := rollup.NewTopPages(w, 0); err == nil {
			t.Errorf("top pages of %v are accepted", w)
		}
		if _, err := rollup.NewTraffic().Rows(w, nil); err == nil {
			t.Errorf("traffic of %v is accepted", w)
		}
	}
	for _, limit := range []int{-10, 1, 15} {
		if _, err := rollup.NewTopPages(time.Hour, limit); err == nil {
			t.Errorf("top pages exact up to %d are accepted", limit)
		}
	}
}

func TestPartsOfOtherSettingsAreRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	x := newTables(t, time.Hour)
	for _, q := range randomRequests(r) {
		x.add(q)
	}
	y := newTables(t, time.Minute)
	if err := y.pages.Merge(x.pages.Parts()[0].Blob); err == nil {
		t.Error("pages of another window are merged")
	}
	if err := rollup.NewVisitors(limit + 1).Merge(x.visitors.Parts()[0].Blob); err == nil {
		t.Error("visitors of another limit are merged")
	}
	if err := rollup.NewBots(limit + 1).Merge(x.bots.Parts()[0].Blob); err == nil {
		t.Error("bots of another limit are merged")
	}
}

func TestAddAllocatesNothingOnceGrown(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	all := randomRequests(r)
	x := newTables(t, time.Hour)
	paths := make([][]byte, len(all))
	for i, q := range all {
		paths[i] = []byte(q.path)
	}
	add := func() {
		for i, q := range all {
			x.traffic.Add(q.t, q.status, q.bytes)
			x.pages.Add(q.t, paths[i], 0, 0, -1)
			x.visitors.Add(q.t, q.visitor, q.bot != "")
			x.bots.Add(q.t, q.bot, q.visitor)
		}
	}
	add()
	if n := testing.AllocsPerRun(5, add); n > 0 {
		t.Errorf("%v allocations for %d requests", n, len(all))
	}
}

// TestPagesThatAreRememberedCountAsOthers, over hours, when the table was emptied and when there
// are more paths than the limit.
func TestPagesThatAreRememberedCountAsOthers(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 7))
		newPages := rollup.NewTopPages
		if seed%2 == 0 {
			newPages = rollup.NewSketchedTopPages
		}
		want, _ := newPages(time.Hour, 20)
		got, err := newPages(time.Hour, 20)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]*rollup.PageSeen{}
		for range 3 {
			for range 300 {
				at, path := base+r.Int64N(3*3_600_000), fmt.Sprint("/", r.IntN(10+10*r.IntN(3)))
				if seen[path] == nil {
					seen[path] = &rollup.PageSeen{}
				}
				visitor, bytes := r.Uint64N(9), r.Int64N(1000)
				want.Add(at, []byte(path), visitor, bytes, -1)
				got.AddSeen(at, []byte(path), visitor, bytes, -1, seen[path])
			}
			if diff := cmp.Diff(want.Parts(), got.Parts()); diff != "" {
				t.Fatalf("seed %d (-want +got):\n%s", seed, diff)
			}
			want.Reset()
			got.Reset()
		}
	}
}
