package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"millrace/internal/testenv"
)

// farmFunnels writes a file of funnels over the farm, of every order, and returns
// its path. farmFunnelRows is what they have to give at least.
func farmFunnels(t testing.TB, e env) string {
	t.Helper()
	path := e.in("funnels.yaml")
	writeFile(t, path, []byte(`
- name: purchase
  steps:
    - {name: home, where: path == "/"}
    - {name: product, where: path.startsWith("/product")}
    - {name: cart, where: path.startsWith("/cart")}
    - {name: checkout, where: path == "/checkout"}
  within: 36h
  breakdown: {field: protocol, attribution: last}
- name: undisturbed
  steps:
    - {name: product, where: path.startsWith("/product")}
    - {name: cart, where: path.startsWith("/cart")}
  within: 10m
  exclude:
    - {where: path == "/search", between: [product, cart]}
- name: at_once
  steps:
    - {name: product, where: path.startsWith("/product")}
    - {name: static, where: path.startsWith("/static/")}
  within: 1m
  order: strict
- name: both
  steps:
    - {name: search, where: path == "/search"}
    - {name: product, where: path.startsWith("/product")}
  within: 1h
  order: any
`))
	return path
}

const farmFunnelRows = ", funnels 900, funnel_steps 10"

// TestFunnelsEqualSQL asks another program how many visitors of the farm go how far,
// in the plainest way: every start with everything that follows it.
func TestFunnelsEqualSQL(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	mustRun(t, e, "generate", "weblog", "--days", "2", "--rate", "20/min", "--servers", "2", "--seed", "5", "--out", e.in("farm"))
	lake := e.in("lake")
	mustRun(t, e, weblogs(filepath.Join(e.in("farm"), "*.log"), lake, "--funnels", filepath.Join(testenv.Root(t), "jobs", "weblogs", "funnels.yaml"))...)
	got := sql(t, lake, `SELECT day, step_name, visitors, total_ms, median_ms, average_ms FROM funnel_steps WHERE funnel = 'purchase' ORDER BY day, step`)
	want := sql(t, lake, `
		WITH e AS (SELECT visitor_id v, epoch_ms(event_time) t, CASE
				WHEN path = '/' AND page_view THEN 1 WHEN starts_with(path, '/product') AND page_view THEN 2
				WHEN starts_with(path, '/cart') THEN 3 WHEN path = '/checkout' THEN 4 END s, rowid r
			FROM (SELECT *, row_number() OVER () rowid FROM events) WHERE NOT bot),
		one AS (SELECT v, t t1 FROM e WHERE s = 1),
		two AS (SELECT v, t1, (SELECT min(t) FROM e WHERE e.v = one.v AND s = 2 AND t BETWEEN t1 AND t1 + 86400000) t2 FROM one),
		three AS (SELECT *, (SELECT min(t) FROM e WHERE e.v = two.v AND s = 3 AND t BETWEEN t2 AND t1 + 86400000) t3 FROM two),
		four AS (SELECT *, (SELECT min(t) FROM e WHERE e.v = three.v AND s = 4 AND t BETWEEN t3 AND t1 + 86400000) t4 FROM three),
		best AS (SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY v, t1 // 86400000 ORDER BY (t2 IS NOT NULL)::int + (t3 IS NOT NULL)::int + (t4 IS NOT NULL)::int DESC, t1) n FROM four) WHERE n = 1),
		steps AS (SELECT t1 // 86400000 AS d, 1 AS k, 'home' AS step, t1 AS reached, NULL::bigint AS took FROM best
			UNION ALL SELECT t1 // 86400000, 2, 'product', t2, t2 - t1 FROM best UNION ALL SELECT t1 // 86400000, 3, 'cart', t3, t3 - t2 FROM best UNION ALL SELECT t1 // 86400000, 4, 'checkout', t4, t4 - t3 FROM best)
		SELECT DATE '1970-01-01' + d::int, step, count(reached), CASE WHEN k > 1 THEN coalesce(sum(took), 0)::bigint END, median(took), avg(took) FROM steps GROUP BY d, k, step ORDER BY d, k`)
	if len(got) < 8 || number(t, got[3][2]) < 20 {
		t.Fatalf("too little to compare: %v", got)
	}
	for i, row := range want {
		if i >= len(got) || strings.Join(got[i], "|") != strings.Join(row, "|") {
			t.Errorf("row %d: the lake has %v, SQL says %v", i, got[min(i, len(got)-1)], row)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d rows, SQL has %d", len(got), len(want))
	}
}

// TestFunnelsOfALakeAreThoseOfTheRun: whether funnels were given to the run or are asked
// of its events later, the steps are the same.
func TestFunnelsOfALakeAreThoseOfTheRun(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	mustRun(t, e, "generate", "weblog", "--days", "3", "--rate", "20/min", "--servers", "2", "--seed", "6", "--out", e.in("farm"))
	lake, funnels := e.in("lake"), farmFunnels(t, e)
	mustRun(t, e, weblogs(filepath.Join(e.in("farm"), "*.log"), lake, "--funnels", funnels)...)
	columns := "day, funnel, breakdown, step, step_name, visitors, previous, excluded, total_ms, average_ms, median_ms"
	r := mustRun(t, e, "funnels", "--lake", lake, "--funnels", funnels, "--csv")
	got := strings.Split(strings.TrimSpace(r.stdout), "\n")
	if head := strings.ReplaceAll(columns, " ", ""); got[0] != head {
		t.Errorf("columns %s", got[0])
	}
	got = got[1:]
	slices.Sort(got)
	var want []string
	for _, row := range sql(t, lake, "SELECT "+columns+" FROM funnel_steps") {
		for i, cell := range row { // which writes nulls and whole numbers in another way
			if i > 2 {
				cell = strings.TrimSuffix(cell, ".0")
			}
			row[i] = strings.TrimPrefix(cell, "NULL")
		}
		want = append(want, strings.Join(row, ","))
	}
	slices.Sort(want)
	if len(got) < 10 || !slices.Equal(got, want) {
		t.Errorf("the events say\n%s\nthe run\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, c := range []struct {
		args []string
		say  string
	}{
		{[]string{"--from", "2026-02-30"}, "--from: not a day"},
		{[]string{"--from", "2030-01-02", "--to", "2030-01-01"}, "is before"},
		{[]string{"--from", "2030-01-02"}, "no events of these days"},
	} {
		r := run(t, e, append([]string{"funnels", "--lake", lake, "--funnels", funnels}, c.args...)...)
		if r.code != 2 || !strings.Contains(r.stderr, c.say) {
			t.Errorf("%v: exit code %d, %s", c.args, r.code, r.stderr)
		}
	}
}

// TestQuestionsOfALakeEqualSQL asks through the command, beside funnels.
func TestQuestionsOfALakeEqualSQL(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	mustRun(t, e, "generate", "weblog", "--days", "2", "--rate", "20/min", "--servers", "2", "--seed", "9", "--out", e.in("farm"))
	lake, logs, file := e.in("lake"), filepath.Join(e.in("farm"), "*.log"), e.in("questions.yaml")
	mustRun(t, e, weblogs(logs, lake)...)
	writeFile(t, file, []byte(`
funnels:
  - {name: look, within: 1h, steps: [{name: home, where: path == "/"}]}
window_funnels:
  - {name: buy, within: 7d, steps: [{name: home, where: path == "/"}, {name: cart, where: path.startsWith("/cart")}]}
retention:
  - {name: seen, conditions: [{name: home, where: path == "/"}, {name: cart, where: path.startsWith("/cart")}]}
sequences:
  - {name: back, conditions: [{name: cart, where: path.startsWith("/cart")}, {name: home, where: path == "/"}], pattern: (?1).*(?2)}
`))
	want := sql(t, lake, `
		WITH e AS (SELECT visitor_id v, epoch_ms(event_time) t, path = '/' home, starts_with(path, '/cart') cart, row_number() OVER (PARTITION BY visitor_id ORDER BY event_time, source, position) n FROM events),
		v AS (SELECT min(t) FILTER (home) AS first, max(t) FILTER (cart) AS last, min(n) FILTER (cart) AS n, max(n) FILTER (home) AS m FROM e GROUP BY v)
		SELECT count(first), count(*) FILTER (first <= last), count(*) FILTER (first IS NOT NULL AND last IS NOT NULL), count(*) FILTER (n < m) FROM v`)[0]
	r := mustRun(t, e, "funnels", "--lake", lake, "--funnels", file, "--csv")
	tables := strings.Split(r.stdout, "\n\n")
	if len(tables) != 4 || number(t, want[3]) < 5 {
		t.Fatalf("%d tables, SQL says %v:\n%s", len(tables), want, r.stdout)
	}
	for i, line := range []string{
		"buy,1,home," + want[0] + "," + want[0] + ",0\nbuy,2,cart," + want[1] + "," + want[0] + ",0",
		"seen,1,home," + want[0] + "," + want[0] + "\nseen,2,cart," + want[2] + "," + want[0],
		"back," + want[3] + ",",
	} {
		if _, rows, _ := strings.Cut(tables[i+1], "\n"); !strings.HasPrefix(rows, line) {
			t.Errorf("the lake says\n%s, SQL\n%s", rows, line)
		}
	}
	if r := run(t, e, weblogs(logs, e.in("other"), "--funnels", file)...); r.code != 2 || strings.Count(r.stderr, "is asked of a lake") != 3 {
		t.Errorf("a run with questions: exit code %d, %s", r.code, r.stderr)
	}
}

// TestTheExampleSuitsItsLog, where it finds as many as a plain count in SQL.
func TestTheExampleSuitsItsLog(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	lake := e.in("lake")
	mustRun(t, e, weblogs(realLogs(t)[0], lake, "--funnels", filepath.Join(accessLogs(t), "funnels.yaml"))...)
	for name, starts := range map[string]string{
		"reader": "(path LIKE '/blog/%' OR path LIKE '/articles/%') AND page_view", "slides": "(path = '/' OR path LIKE '/presentations/%')",
	} {
		got := sql(t, lake, "SELECT sum(visitors) FILTER (step = 1), sum(visitors) FILTER (step = 2) > 0 FROM funnel_steps WHERE funnel = '"+name+"'")[0]
		want := sql(t, lake, "SELECT count(DISTINCT (visitor_id, event_time::date)) FROM events WHERE NOT bot AND "+starts)[0]
		if got[0] != want[0] || got[1] != "true" {
			t.Errorf("%s: %s began, SQL says %s; some went on: %s", name, got[0], want[0], got[1])
		}
	}
}

// TestARunWithoutFunnelsKeepsThoseOfTheLake: what it writes says nothing about them.
func TestARunWithoutFunnelsKeepsThoseOfTheLake(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	mustRun(t, e, "generate", "weblog", "--days", "2", "--rate", "20/min", "--seed", "8", "--out", e.in("farm"))
	logs, lake := filepath.Join(e.in("farm"), "*.log"), e.in("lake")
	mustRun(t, e, weblogs(logs, lake, "--funnels", farmFunnels(t, e))...)
	const all = "SELECT * FROM funnel_steps ORDER BY ALL"
	want, attempts := sql(t, lake, all), sql(t, lake, "SELECT count(*) FROM funnels")
	again := weblogs(logs, lake, "--set", "top_pages=3")
	if plan := mustRun(t, e, append([]string{"plan"}, again[1:]...)...); strings.Count(plan.stdout, "stays as it is") != 2 {
		t.Errorf("the plan does not say that two outputs stay as they are:\n%s", plan.stdout)
	}
	mustRun(t, e, again...)
	if got := sql(t, lake, all); len(want) < 10 || !slices.EqualFunc(want, got, slices.Equal) {
		t.Errorf("%d rows of steps, before %d", len(got), len(want))
	}
	if got := sql(t, lake, "SELECT count(*) FROM funnels"); got[0][0] != attempts[0][0] {
		t.Errorf("%s attempts, before %s", got[0][0], attempts[0][0])
	}
}
