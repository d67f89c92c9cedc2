package lakequery_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/lakequery"
	"millrace/io/lakeio"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms/funnels"
	"millrace/transforms/sessions"
)

var begin = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// events are requests of some visitors over three days, some of them late.
func events(r *rand.Rand, n int) (out []weblog.Event) {
	for i := range n {
		path := []string{"/", "/product/1", "/cart", "/checkout", "/style.css"}[r.IntN(5)]
		out = append(out, weblog.Event{
			EventTime: table.Millis(begin.UnixMilli() + r.Int64N(3*24*3600)*1000), VisitorID: fmt.Sprintf("tok_visitor_%03d", r.IntN(150)),
			Path: &path, Status: 200, PageView: path != "/style.css", Late: r.IntN(50) == 0, Source: fmt.Sprint("s", r.IntN(2)), Position: int64(i),
		})
	}
	return out
}

// lake writes events as a run does: a file for each day, and the list of them.
func lake(t *testing.T, all []weblog.Event) lakeio.Store {
	t.Helper()
	dir := t.TempDir()
	b := table.NewBatch(weblog.Events)
	for _, e := range all {
		b.Append(e)
	}
	spiller := lakeio.NewSpiller(t.TempDir(), "events", 1)
	if err := spiller.Add(b); err != nil {
		t.Fatal(err)
	}
	runs, err := spiller.Finish()
	if err != nil {
		t.Fatal(err)
	}
	days := map[string]lakeio.CurrentDay{}
	for _, run := range runs {
		files, err := lakeio.MergeRuns(t.Context(), weblog.Events, run.Part, 0, []lakeio.Run{run}, t.TempDir(), func(int) {})
		if err != nil {
			t.Fatal(err)
		}
		day := lakeio.CurrentDay{Run: "test"}
		for _, f := range files {
			to := filepath.Join(dir, filepath.FromSlash(f.Key))
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(f.Staged, to); err != nil {
				t.Fatal(err)
			}
			day.Files = append(day.Files, lakeio.CurrentFile{Key: f.Key})
		}
		days[lakeio.DayText(run.Part.Day)] = day
	}
	list, err := json.Marshal(lakeio.Current{Output: "events", Schema: weblog.Events.ID(), Days: days})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "_current"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "_current", "events.json"), list, 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := lakeio.OpenStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ofDays(all []weblog.Event, from, to int) (out []weblog.Event) {
	for _, e := range all {
		if day := int(time.UnixMilli(int64(e.EventTime)).Sub(begin) / (24 * time.Hour)); day >= from && day <= to {
			out = append(out, e)
		}
	}
	return out
}

var definitions = []funnels.Definition{
	{Name: "buy", Within: 5 * time.Hour, Steps: []funnels.Step{{Name: "home", Where: `path == "/"`}, {Name: "cart", Where: `path == "/cart"`}, {Name: "paid", Where: `path == "/checkout" && status < 400`}}},
	{Name: "look", Within: time.Hour, Order: funnels.Strict, Steps: []funnels.Step{{Name: "home", Where: `path == "/"`}, {Name: "product", Where: `path.startsWith("/product")`}}, Breakdown: &funnels.Breakdown{Field: "path"}},
}

// stepsOf are what the packages make of events as they lie in memory.
func stepsOf(t *testing.T, all []weblog.Event) []string {
	t.Helper()
	set, err := funnels.Compile(definitions, weblog.Events, funnels.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := set.NewCollector(funnels.Columns{Visitor: weblog.EventVisitorID, Time: weblog.EventTime, Source: weblog.EventSource, Position: weblog.EventPosition, Late: weblog.EventLate})
	b := table.NewBatch(weblog.Events)
	for _, e := range all {
		b.Append(e)
	}
	c.Add(b, 0)
	e, tally := set.NewEvaluator(nil), set.NewTally()
	for _, p := range c.Flush(1) {
		if err := e.Add(p.Blob); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range funnels.BestOfDays(e.Rows()) {
		tally.Add(&r)
	}
	return show(tally.Rows(nil))
}

func show(rows []funnels.StepRow) (out []string) {
	for _, r := range rows {
		median, _ := r.Conversion.Median(r.Step)
		out = append(out, fmt.Sprint(r.Funnel, r.Day, r.Breakdown, r.Name, r.Conversion.Visitors[r.Step], r.Conversion.Total(r.Step), median, r.Version))
	}
	return out
}

func TestFunnelsOfALakeAreThoseOfItsEvents(t *testing.T) {
	all := events(rand.New(rand.NewPCG(1, 1)), 6000)
	s := lake(t, all)
	for _, c := range []struct {
		opt      lakequery.Options
		from, to int
	}{
		{lakequery.Options{}, 0, 2}, {lakequery.Options{Cores: 5}, 0, 2}, {lakequery.Options{From: "2026-03-02", Cores: 1}, 1, 2}, {lakequery.Options{From: "2026-03-02", To: "2026-03-02"}, 1, 1}, {lakequery.Options{From: "2027-01-01"}, 3, 3},
	} {
		e, err := lakequery.Open(t.Context(), s, c.opt)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := e.Funnels(t.Context(), definitions)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(stepsOf(t, ofDays(all, c.from, c.to)), show(rows)); diff != "" {
			t.Errorf("%+v: steps (-of the events +of the lake):\n%s", c.opt, diff)
		}
	}
	e, err := lakequery.Open(t.Context(), s, lakequery.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Funnels(t.Context(), []funnels.Definition{{Name: "x", Within: time.Hour, Steps: []funnels.Step{{Name: "a", Where: `pth == "/"`}}}}); err == nil {
		t.Error("an unknown column is taken")
	}
}

func TestSessionsOfALakeAreThoseOfItsEvents(t *testing.T) {
	all := events(rand.New(rand.NewPCG(2, 2)), 6000)
	c, err := sessions.NewCollector(sessions.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if !e.Late {
			c.Add(sessions.VisitorOf(e.VisitorID), &sessions.Event{Time: int64(e.EventTime), Source: e.Source, Position: e.Position, Page: e.PageView, Path: []byte(*e.Path), Bot: e.Bot})
		}
	}
	z, err := sessions.NewSessionizer(sessions.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Flush(1) {
		if err := z.Add(p.Blob); err != nil {
			t.Fatal(err)
		}
	}
	e, err := lakequery.Open(t.Context(), lake(t, all), lakequery.Options{Cores: 3})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]sessions.Session{}
	err = e.Sessions(t.Context(), sessions.Options{}, func(list []sessions.Session) {
		for _, s := range list {
			got[s.ID] = s
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]sessions.Session{}
	for _, s := range z.Sessions() {
		want[s.ID] = s
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) < 1000 {
		t.Errorf("%d sessions (-of the events +of the lake):\n%s", len(got), diff)
	}
}

func TestADamagedLakeIsAnError(t *testing.T) {
	s := lake(t, events(rand.New(rand.NewPCG(3, 3)), 500))
	e, err := lakequery.Open(t.Context(), s, lakequery.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := lakeio.LoadCurrent(t.Context(), s, "events")
	if err != nil {
		t.Fatal(err)
	}
	for _, day := range c.Days {
		if err := os.WriteFile(s.Name(day.Files[0].Key), []byte("PAR1"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.Funnels(t.Context(), definitions); err == nil {
		t.Error("files that are none are read")
	}
	if err := e.Sessions(t.Context(), sessions.Options{}, func([]sessions.Session) {}); err == nil {
		t.Error("files that are none are read")
	}
}
