package rollup_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
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
	pages, err := rollup.NewTopPages(window)
	if err != nil {
		t.Fatal(err)
	}
	return tables{rollup.NewTraffic(), pages, rollup.NewVisitors(limit), rollup.NewBots(limit)}
}

func (x tables) add(q request) {
	x.traffic.Add(q.t, q.status, q.bytes)
	x.pages.Add(q.t, []byte(q.path))
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
			path: fmt.Sprint("/", r.IntN(12)), visitor: sketch.Hash(fmt.Append(nil, v)),
		}
		if v%3 == 0 {
			q.bot = fmt.Sprint("bot ", v%4)
		}
		out[i] = q
	}
	return out
}

// brute counts again for every row it looks at.
type brute []request

func (all brute) between(from, to int64) (out brute) {
	for _, q := range all {
		if q.t >= from && q.t < to {
			out = append(out, q)
		}
	}
	return out
}

func (all brute) traffic(width int64) []rollup.TrafficRow {
	var rows []rollup.TrafficRow
	names := []string{"1xx", "2xx", "3xx", "4xx", "5xx", "other"}
	for w := int64(base); w < base+4*86_400_000; w += width * 1000 {
		within := all.between(w, w+width*1000)
		for class, name := range names {
			row := rollup.TrafficRow{Start: w, Seconds: int32(width), Class: rollup.Class(class)}
			for _, q := range within {
				is := fmt.Sprint(q.status/100) + "xx"
				if q.status < 100 || q.status >= 600 {
					is = "other"
				}
				if is != name {
					continue
				}
				row.Views++
				row.Bytes += max(q.bytes, 0)
				row.Largest = max(row.Largest, q.bytes)
			}
			if row.Version = row.Views + int64(revision(w/86_400_000))<<32; row.Views > 0 {
				rows = append(rows, row)
			}
		}
	}
	return rows
}

func (all brute) pages(width int64, n int) []rollup.TopPageRow {
	var rows []rollup.TopPageRow
	for w := int64(base); w < base+4*86_400_000; w += width * 1000 {
		views := map[string]int64{}
		total := int64(0)
		for _, q := range all.between(w, w+width*1000) {
			views[q.path]++
			total++
		}
		var list []rollup.TopPageRow
		for path, v := range views {
			list = append(list, rollup.TopPageRow{
				Start: w, Seconds: int32(width), Path: path, Views: v,
				Version: total + int64(revision(w/86_400_000))<<32,
			})
		}
		sort.Slice(list, func(i, j int) bool {
			return list[i].Views > list[j].Views || list[i].Views == list[j].Views && list[i].Path < list[j].Path
		})
		for i := range list[:min(n, len(list))] {
			list[i].Rank = int32(i + 1)
			rows = append(rows, list[i])
		}
	}
	return rows
}

func distinct(hashes map[uint64]bool) *sketch.Distinct {
	d := sketch.NewDistinct(limit)
	for h := range hashes {
		d.Add(h)
	}
	return d
}

func (all brute) visitors() []rollup.VisitorRow {
	var rows []rollup.VisitorRow
	for d := int64(base / 86_400_000); d < base/86_400_000+4; d++ {
		every, people := map[uint64]bool{}, map[uint64]bool{}
		n := int64(0)
		for _, q := range all {
			if q.t/86_400_000 == d {
				n++
				every[q.visitor] = true
				if q.bot == "" {
					people[q.visitor] = true
				}
			}
		}
		if n == 0 {
			continue
		}
		row := rollup.VisitorRow{
			Day: d, Visitors: int64(len(every)), WithoutBots: int64(len(people)), Exact: true,
			Version: n + int64(revision(d))<<32,
		}
		if len(every) > limit {
			row.Exact = false
			row.Visitors, row.WithoutBots = distinct(every).Estimate(), distinct(people).Estimate()
		}
		rows = append(rows, row)
	}
	return rows
}

func (all brute) bots() []rollup.BotRow {
	var rows []rollup.BotRow
	for d := int64(base / 86_400_000); d < base/86_400_000+4; d++ {
		for _, name := range []string{"bot 0", "bot 1", "bot 2", "bot 3"} {
			who := map[uint64]bool{}
			n := int64(0)
			for _, q := range all {
				if q.t/86_400_000 == d && q.bot == name {
					n++
					who[q.visitor] = true
				}
			}
			if n > 0 {
				rows = append(rows, rollup.BotRow{
					Day: d, Name: name, Hits: n, Visitors: distinct(who).Count(), Version: n + int64(revision(d))<<32,
				})
			}
		}
	}
	return rows
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

func TestWindowsDivideAnHour(t *testing.T) {
	for _, w := range []time.Duration{0, time.Millisecond, 7 * time.Second, 2 * time.Hour, -time.Second} {
		if _, err := rollup.NewTopPages(w); err == nil {
			t.Errorf("top pages of %v are accepted", w)
		}
		if _, err := rollup.NewTraffic().Rows(w, nil); err == nil {
			t.Errorf("traffic of %v is accepted", w)
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

func TestVectors(t *testing.T) {
	dir := os.Getenv("MILLRACE_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "..", "testdata", "vectors")
	}
	raw, err := os.ReadFile(filepath.Join(dir, "rollup.json"))
	if err != nil {
		t.Fatal(err)
	}
	type window struct {
		Start  int64 `json:"window_start"`
		Count  int64
		Errors int64
		Sum    int64 `json:"sum_ms"`
		Max    int64 `json:"max_ms"`
		Top3   [][2]any
	}
	var vector struct {
		Rows    [][4]any
		Windows []window
	}
	if err := json.Unmarshal(raw, &vector); err != nil {
		t.Fatal(err)
	}
	const width = 300 * time.Second
	r := rand.New(rand.NewPCG(1, 1))
	parts := []tables{newTables(t, width), newTables(t, width), newTables(t, width)}
	for _, i := range r.Perm(len(vector.Rows)) {
		row := vector.Rows[i]
		parts[r.IntN(3)].add(request{ // the vector's milliseconds take the place of bytes
			t: int64(row[0].(float64)) * 1000, path: row[1].(string), status: int32(row[2].(float64)), bytes: int64(row[3].(float64)),
		})
	}
	merged := newTables(t, width)
	for _, p := range parts {
		merged.merge(t, p, r)
	}
	traffic, err := merged.traffic.Rows(width, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []window
	for _, row := range traffic {
		if n := len(got); n == 0 || got[n-1].Start != row.Start/1000 {
			got = append(got, window{Start: row.Start / 1000})
		}
		w := &got[len(got)-1]
		w.Count += row.Views
		w.Sum += row.Bytes
		w.Max = max(w.Max, row.Largest)
		if row.Class == rollup.Class5xx {
			w.Errors += row.Views
		}
	}
	for i, row := range merged.pages.Rows(3, nil) {
		w := &got[i/3]
		w.Top3 = append(w.Top3, [2]any{row.Path, float64(row.Views)})
		if w.Start != row.Start/1000 {
			t.Errorf("page row of %d among those of %d", row.Start/1000, w.Start)
		}
	}
	if diff := cmp.Diff(vector.Windows, got); diff != "" || len(got) == 0 {
		t.Errorf("windows (-want +got):\n%s", diff)
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
			x.pages.Add(q.t, paths[i])
			x.visitors.Add(q.t, q.visitor, q.bot != "")
			x.bots.Add(q.t, q.bot, q.visitor)
		}
	}
	add()
	if n := testing.AllocsPerRun(5, add); n > 0 {
		t.Errorf("%v allocations for %d requests", n, len(all))
	}
}
