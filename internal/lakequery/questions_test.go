package lakequery_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"millrace/internal/golden"
	"millrace/internal/lakequery"
	"millrace/internal/testenv"
	"millrace/io/lakeio"
	"millrace/schemas/weblog"
	"millrace/transforms/funnels"
)

func conditionsOf(paths ...string) (out []funnels.Step) {
	for _, p := range paths {
		out = append(out, funnels.Step{Name: "at " + p, Where: fmt.Sprintf("path == %q", p)})
	}
	return out
}

var (
	asked      = []string{"/", "/cart", "/checkout"}
	conditions = conditionsOf(asked...)
	questions  = []funnels.Question{
		{Kind: funnels.WindowFunnels, Name: "buy", Conditions: conditions, Within: 5 * time.Hour},
		{Kind: funnels.WindowFunnels, Name: "straight", Conditions: conditions, Within: 5 * time.Hour, Modes: []funnels.Text{{Value: "strict_order"}, {Value: "allow_reentry"}}},
		{Kind: funnels.Retentions, Name: "seen", Conditions: conditions},
		{Kind: funnels.Sequences, Name: "gave up", Conditions: conditions, Pattern: funnels.Text{Value: "(?2)(?t<=3600)(?1)"}},
	}
)

func ask(t *testing.T, s lakeio.Store, opt lakequery.Options) []funnels.Answer {
	t.Helper()
	e, err := lakequery.Open(t.Context(), s, opt)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := e.Ask(t.Context(), questions)
	if err != nil {
		t.Fatal(err)
	}
	return answers
}

// TestAnswersOfALakeAreThoseOfItsEvents: of the plain functions, given the events of each visitor.
func TestAnswersOfALakeAreThoseOfItsEvents(t *testing.T) {
	all := events(rand.New(rand.NewPCG(4, 4)), 6000)
	s := lake(t, all)
	pattern, err := funnels.ParsePattern("(?2)(?t<=3600000)(?1)", len(asked))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		opt      lakequery.Options
		from, to int
	}{
		{lakequery.Options{}, 0, 2}, {lakequery.Options{Cores: 5}, 0, 2}, {lakequery.Options{From: "2026-03-02", Cores: 1}, 1, 2}, {lakequery.Options{From: "2027-01-01"}, 3, 3},
	} {
		buy, straight, seen := make([]int64, 3), make([]int64, 3), make(funnels.Retention, 3)
		var match, matches, total int64
		for _, hits := range hitsByVisitor(ofDays(all, c.from, c.to)) {
			for level := range funnels.WindowFunnel(hits, 3, (5 * time.Hour).Milliseconds(), 0) {
				buy[level]++
			}
			for level := range funnels.WindowFunnel(hits, 3, (5 * time.Hour).Milliseconds(), funnels.StrictOrder|funnels.AllowReentry) {
				straight[level]++
			}
			union := uint64(0)
			for _, h := range hits {
				union |= h.Steps
			}
			seen.Add(union)
			n, err := pattern.Count(hits)
			if err != nil {
				t.Fatal(err)
			}
			if n > 0 {
				times, err := pattern.Events(hits)
				if err != nil {
					t.Fatal(err)
				}
				match++
				matches += int64(n)
				total += times[1] - times[0]
			}
		}
		got := ask(t, s, c.opt)
		text := fmt.Sprint(got[0].Visitors, got[1].Visitors, got[2].Visitors, got[3].Visitors, got[3].Matches, got[3].Total())
		if want := fmt.Sprint(buy, straight, seen, []int64{match}, matches, total); text != want {
			t.Errorf("%+v: the lake says %s, its events %s", c.opt, text, want)
		}
		if c.from == 0 && (straight[2] == 0 || straight[2] >= buy[2] || matches < 20) {
			t.Errorf("too little to tell: %s", text)
		}
	}
	e, err := lakequery.Open(t.Context(), s, lakequery.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Ask(t.Context(), []funnels.Question{{Kind: funnels.Retentions, Name: "x", Conditions: []funnels.Step{{Name: "a", Where: `pth == "/"`}}}}); err == nil {
		t.Error("an unknown column is taken")
	}
}

// hitsByVisitor are the events that count, in order.
func hitsByVisitor(all []weblog.Event) map[string][]funnels.Hit {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b weblog.Event) int {
		return cmp.Or(cmp.Compare(a.EventTime, b.EventTime), strings.Compare(a.Source, b.Source), cmp.Compare(a.Position, b.Position))
	})
	out := map[string][]funnels.Hit{}
	for _, e := range all {
		if !e.Late {
			h := funnels.Hit{Time: int64(e.EventTime)}
			if i := slices.Index(asked, *e.Path); i >= 0 {
				h.Steps = 1 << i
			}
			out[e.VisitorID] = append(out[e.VisitorID], h)
		}
	}
	return out
}

// TestAnswersEqualSQL asks another program, which reads the lake's files, in the
// plainest way: every pair of events.
func TestAnswersEqualSQL(t *testing.T) {
	s := lake(t, events(rand.New(rand.NewPCG(5, 5)), 4000))
	current, err := lakeio.LoadCurrent(t.Context(), s, "events")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, day := range current.Days {
		for _, f := range day.Files {
			files = append(files, "'"+s.Name(f.Key)+"'")
		}
	}
	want := testenv.DuckDB(t, `
		WITH e AS (SELECT visitor_id v, epoch_ms(event_time) t, path p, row_number() OVER (PARTITION BY visitor_id ORDER BY event_time, source, position) n
			FROM read_parquet([`+strings.Join(files, ", ")+`]) WHERE NOT late),
		one AS (SELECT v, t AS first, t FROM e WHERE p = '/'),
		two AS (SELECT v, first, e.t FROM one JOIN e USING (v) WHERE p = '/cart' AND e.t BETWEEN one.t AND first + 18000000),
		three AS (SELECT v, first, e.t FROM two JOIN e USING (v) WHERE p = '/checkout' AND e.t BETWEEN two.t AND first + 18000000),
		seen AS (SELECT v, bool_or(p = '/') a, bool_or(p = '/cart') b, bool_or(p = '/checkout') c FROM e GROUP BY v),
		-- the first match of a visitor begins as early as can be, and ends then
		pairs AS (SELECT a.v, a.n an, b.n bn, b.t - a.t took FROM e a JOIN e b ON a.v = b.v AND a.p = '/cart' AND b.p = '/' AND b.n > a.n AND b.t - a.t <= 3600000),
		firsts AS (SELECT took FROM (SELECT *, row_number() OVER (PARTITION BY v ORDER BY an, bn) k FROM pairs) WHERE k = 1)
		SELECT (SELECT count(DISTINCT v) FROM one), (SELECT count(DISTINCT v) FROM two), (SELECT count(DISTINCT v) FROM three),
			(SELECT count(*) FROM seen WHERE a), (SELECT count(*) FROM seen WHERE a AND b), (SELECT count(*) FROM seen WHERE a AND c),
			(SELECT count(*) FROM firsts), (SELECT sum(took)::bigint FROM firsts), (SELECT median(took) FROM firsts)`)
	a := ask(t, s, lakequery.Options{Cores: 2})
	median, _ := a[3].Median()
	numbers := slices.Concat(a[0].Visitors, a[2].Visitors, a[3].Visitors, []int64{a[3].Total()})
	got := strings.Trim(fmt.Sprint(numbers), "[]") + fmt.Sprintf(" %.1f", median)
	if sql := strings.Join(want[0], " "); got != sql || a[3].Visitors[0] < 10 {
		t.Errorf("the lake says %s, SQL %s", got, sql)
	}
}

// TestAnswersArePrinted as tables after that of funnels, and as CSV.
func TestAnswersArePrinted(t *testing.T) {
	s := lake(t, events(rand.New(rand.NewPCG(6, 6)), 3000))
	e, err := lakequery.Open(t.Context(), s, lakequery.Options{To: "2026-03-01"})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := e.Funnels(t.Context(), definitions[:1])
	if err != nil {
		t.Fatal(err)
	}
	tables := append([]lakequery.Table{lakequery.StepTable(definitions[:1], rows)}, lakequery.AnswerTables(ask(t, s, lakequery.Options{}))...)
	var out strings.Builder
	if err := lakequery.WriteText(&out, tables); err != nil {
		t.Fatal(err)
	}
	out.WriteString("--\n")
	if err := lakequery.WriteCSV(&out, tables); err != nil {
		t.Fatal(err)
	}
	// Of what nobody did, and of a lake without visitors.
	out.WriteString("--\n")
	if err := lakequery.WriteText(&out, lakequery.AnswerTables(ask(t, s, lakequery.Options{From: "2027-01-01"}))); err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "testdata/answers.golden", []byte(out.String()))
}
