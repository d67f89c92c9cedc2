package accesslog_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/badrow"
	"millrace/schemas/ledger"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms/accesslog"
	"millrace/transforms/mask"
)

// botsByName takes every user agent with "bot" in it for a bot.
type botsByName struct{}

func (botsByName) Why(ua []byte) (string, string, bool) {
	if bytes.Contains(ua, []byte("panic")) {
		panic("a bot list that panics")
	}
	bot := bytes.Contains(ua, []byte("bot"))
	return map[bool]string{true: "Bot"}[bot], map[bool]string{true: "its name"}[bot], bot
}

const source = "00112233445566778899aabbccddeeff"

// seen is what a worker told of events.
type seen struct{ counted, visited []int64 }

func worker(c accesslog.Config) (*accesslog.Worker, *seen) {
	s := &seen{}
	if c.Masker == nil {
		c.Masker = mask.New("k1", [32]byte{1}, mask.Options{})
	}
	if c.Bots == nil {
		c.Bots = botsByName{}
	}
	c.Count = func(e *accesslog.Event) { s.counted = append(s.counted, e.Position) }
	c.Visit = func(e *accesslog.Event) { s.visited = append(s.visited, e.Position) }
	return accesslog.New(c), s
}

func line(day int, target, agent string) string {
	return fmt.Sprintf(`203.0.113.9 - - [%02d/Mar/2026:10:00:00 +0000] "GET %s HTTP/1.1" 200 10 "-" "%s"`, day, target, agent)
}

// process runs lines through a worker as one block of one part.
func process(t *testing.T, w *accesslog.Worker, b record.Block, lines ...string) {
	t.Helper()
	b.Source, b.Name, b.Format = source, "test.log", "combined"
	b.Data = []byte(strings.Join(lines, "\n") + "\n")
	span, err := w.Lines(&b)
	if err != nil {
		t.Fatal(err)
	}
	w.Settle(span, span.First)
}

func rowsOf[T any](b *table.Batch) []T {
	rows := make([]T, b.Len())
	for i := range rows {
		b.Row(i, &rows[i])
	}
	return rows
}

func TestAnEventIsMaskedAndKnowsItsOrigin(t *testing.T) {
	w, _ := worker(accesslog.Config{})
	first := line(1, "/", "Firefox")
	process(t, w, record.Block{Base: 1000},
		first, strings.Replace(line(1, "/a?mail=ann%40example.com&x=1", "a bot ann@example.com"), " - - ", " - ann ", 1))
	events, _, _, _ := w.Take()
	if err := events.Check(); err != nil {
		t.Fatal(err)
	}
	e := rowsOf[weblog.Event](events)[1]
	if want := int64(1000 + len(first) + 1); e.Position != want || e.Source != source {
		t.Errorf("origin = %s %d, want %s %d", e.Source, e.Position, source, want)
	}
	if *e.ClientIP != "203.0.113.0" || !strings.HasPrefix(e.VisitorID, "tok_visitor_k1_") || !strings.HasPrefix(*e.User, "tok_user_k1_") {
		t.Errorf("client %s, visitor %s, user %s", *e.ClientIP, e.VisitorID, *e.User)
	}
	if !strings.HasPrefix(*e.Query, "mail=tok_email_k1_") || !strings.HasSuffix(*e.Query, "&x=1") || strings.Contains(*e.UserAgent, "ann@") {
		t.Errorf("query %q, user agent %q", *e.Query, *e.UserAgent)
	}
	if !e.Bot || *e.BotName != "Bot" || !e.PageView || *e.Path != "/a" {
		t.Errorf("bot %v %s, page view %v, path %s", e.Bot, *e.BotName, e.PageView, *e.Path)
	}
}

// TestNumbersOfPersonsAreMaskedWithoutBeingAsked wherever a line has free text; of a policy
// the region counts, too, and a version stays one.
func TestNumbersOfPersonsAreMaskedWithoutBeingAsked(t *testing.T) {
	const agent = "Mozilla/5.0 Chrome/1.2.3.4 rv:1.9.1.3 (agent from 198.51.100.77, tel +49 30 12345678)"
	text := `203.0.113.9 - - [01/Mar/2026:10:00:00 +0000] "GET /pay/DE89370400440532013000?iban=DE89370400440532013000&ssn=078-05-1123&tel=%2B493012345678&ip=198.51.100.77&n=0151%2F12345678 HTTP/1.1" 200 10 ` +
		`"https://198.51.100.77/?to=GB29%20NWBK%206016%201331%209268%2019&ssn=078051123" "` + agent + `"` + "\n" + `203.0.113.9 - - [01/Mar/2026:10:00:00 +0000] "no request of 078-05-1123" 400 0 "-" "-"`
	w, _ := worker(accesslog.Config{})
	process(t, w, record.Block{}, text)
	events, _, _, _ := w.Take()
	rows := rowsOf[weblog.Event](events)
	all := *rows[0].Path + *rows[0].Query + *rows[0].Referrer + *rows[0].UserAgent + *rows[1].Request
	for _, gone := range []string{"DE8937", "078", "4930", "30 1234", ".77", "NWBK"} {
		if strings.Contains(all, gone) {
			t.Errorf("%s stays in %s", gone, all)
		}
	}
	for _, stays := range []string{"Chrome/1.2.3.4 rv:1.9.1.3 (agent from 198.51.100.0,", "&ip=198.51.100.0&n=0151%2F12345678", "https://198.51.100.0/?to=tok_iban_k1_"} {
		if !strings.Contains(all, stays) {
			t.Errorf("no %s in %s", stays, all)
		}
	}

	p := &mask.Policy{Region: "DE"}
	w = accesslog.New(accesslog.Config{Masker: mask.New("k1", [32]byte{1}, p.RowOptions(nil)), Policy: p, Bots: botsByName{}, Count: func(*accesslog.Event) {}, Visit: func(*accesslog.Event) {}})
	process(t, w, record.Block{}, text)
	events, _, _, _ = w.Take()
	want := strings.Replace(*rows[0].Query, "0151%2F12345678", mask.Token("k1", [32]byte{1}, "phone", []byte("+4915112345678")), 1)
	german := rowsOf[weblog.Event](events)[0]
	if *german.Query != want || *german.UserAgent != *rows[0].UserAgent {
		t.Errorf("by a policy with a region: %s, %s", *german.Query, *german.UserAgent)
	}
}

func TestPageViewsAreAnsweredGetsOfPages(t *testing.T) {
	for request, want := range map[string]bool{
		`"GET / HTTP/1.1" 200`:                true,
		`"GET /docs/guide.pdf HTTP/1.1" 200`:  true,
		`"GET /a/b.html?x=1 HTTP/1.1" 304`:    true,
		`"GET /v1.2/notes HTTP/1.1" 206`:      true,
		`"GET / HTTP/1.1" 302`:                false,
		`"GET / HTTP/1.1" 404`:                false,
		`"POST / HTTP/1.1" 200`:               false,
		`"HEAD / HTTP/1.1" 200`:               false,
		`"GET /logo@2x.PNG HTTP/1.1" 200`:     false,
		`"GET /app.min.js?v=3 HTTP/1.1" 200`:  false,
		`"GET /robots.txt HTTP/1.1" 200`:      false,
		`"GET /img/favicon.ico HTTP/1.1" 200`: false,
		`"GET /fonts/a.woff2 HTTP/1.1" 200`:   false,
		`"GET /readme.txt HTTP/1.1" 200`:      true,
	} {
		w, _ := worker(accesslog.Config{})
		process(t, w, record.Block{}, `203.0.113.9 - - [01/Mar/2026:10:00:00 +0000] `+request+` 10 "-" "Firefox"`)
		events, _, _, _ := w.Take()
		if got := rowsOf[weblog.Event](events)[0].PageView; got != want {
			t.Errorf("%s: page view %v, want %v", request, got, want)
		}
	}
}

func TestEveryLineIsAccountedForOnce(t *testing.T) {
	w, s := worker(accesslog.Config{From: 20514, To: 20514}) // 2026-03-02
	process(t, w, record.Block{},
		`bad "at the front`,
		line(2, "/", "x"),
		`bad "after the 2nd`,
		line(3, "/", "x"), // a day after: feeds sessions only
		`bad "after the 3rd`,
		line(5, "/", "x"), // too far away
		line(1, "/", "x"), // a day before: feeds sessions only
		line(2, "/", "panic"),
	)
	_, bad, _, _ := w.Take()
	got := w.TakeLedger()
	want := ledger.Ledger{In: 8, Events: 1, Bad: 3, Skipped: 4, Reasons: map[badrow.Reason]int64{badrow.Truncated: 2, badrow.Panic: 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
	if !got.Balanced() || len(s.counted) != 1 || len(s.visited) != 3 || bad.Len() != 3 {
		t.Errorf("balanced %v, counted %d, visited %d, bad rows %d", got.Balanced(), len(s.counted), len(s.visited), bad.Len())
	}
}

func TestAPanicOnOneRecordIsABadRow(t *testing.T) {
	w, _ := worker(accesslog.Config{})
	process(t, w, record.Block{}, line(2, "/", "x"), line(2, "/", "panic"), line(2, "/", "y"))
	events, bad, _, _ := w.Take()
	if err := events.Check(); err != nil {
		t.Fatal(err)
	}
	if events.Len() != 2 || bad.Len() != 1 || rowsOf[badrow.Row](bad)[0].Reason != string(badrow.Panic) {
		t.Errorf("%d events, bad rows %+v", events.Len(), rowsOf[badrow.Row](bad))
	}
	if l := w.TakeLedger(); !l.Balanced() || l.Bad != 1 || l.Events != 2 {
		t.Errorf("ledger %v", l)
	}
}

func TestAPanicAfterTheRowWasPutTakesTheRowBack(t *testing.T) {
	w, _ := worker(accesslog.Config{Keep: func(dst, line []byte, _ record.Identity, _ string, _ int64) ([]byte, string) {
		return append(dst, line...), ""
	}})
	w.Count = func(e *accesslog.Event) {
		if string(e.Path) == "/poison" {
			panic("an aggregate that panics")
		}
	}
	process(t, w, record.Block{}, line(2, "/", "x"), line(2, "/poison", "x"), line(2, "/", "x"))
	events, bad, _, raw := w.Take()
	for _, b := range []*table.Batch{events, bad, raw} {
		if err := b.Check(); err != nil {
			t.Error(err)
		}
	}
	if l := w.TakeLedger(); events.Len() != 2 || bad.Len() != 1 || raw.Len() != 3 || !l.Balanced() || l.Events != 2 || l.Bad != 1 {
		t.Errorf("%d events, %d bad rows, %d raw rows, ledger %v", events.Len(), bad.Len(), raw.Len(), l)
	}
}

func TestBadRowsAreFiledUnderTheNearestTime(t *testing.T) {
	w, _ := worker(accesslog.Config{})
	process(t, w, record.Block{}, `bad "1`, line(2, "/", "x"), `bad "2`, line(3, "/", "x"), `bad "3`)
	_, bad, _, _ := w.Take()
	days := map[int64]int64{}
	for _, r := range rowsOf[badrow.Row](bad) {
		days[r.Position] = table.FloorDay(int64(r.NotedTime))
	}
	second := int64(len(`bad "1`) + 1 + len(line(2, "/", "x")) + 1)
	want := map[int64]int64{0: 20514, second: 20514, second + int64(len(`bad "2`)+1+len(line(3, "/", "x"))+1): 20515}
	if diff := cmp.Diff(want, days); diff != "" {
		t.Errorf("days by position (-want +got):\n%s", diff)
	}
}

func TestABadRowWithoutAnyTimeIsOf1970(t *testing.T) {
	for _, c := range []struct {
		config accesslog.Config
		bad    int64
	}{{accesslog.Config{From: 20514}, 0}, {accesslog.Config{To: 20514}, 1}, {accesslog.Config{To: 1}, 1}} {
		w, _ := worker(c.config)
		process(t, w, record.Block{}, `bad "`)
		if l := w.TakeLedger(); l.Skipped != 1-c.bad || l.Bad != c.bad || !l.Balanced() {
			t.Errorf("from %d to %d: ledger %v", c.config.From, c.config.To, l)
		}
	}
}

func TestWhatHasNoNeighbourIsFiledUnderItsOwnOrItsFilesTime(t *testing.T) {
	const day = 20514 * 86_400_000
	for name, c := range map[string]struct {
		block record.Block
		line  string
		want  int64
	}{
		"a broken line alone in its block":      {record.Block{Near: day + 1}, `bad "`, day + 1},
		"an over-long one with a readable time": {record.Block{Near: day + 1, Oversize: 5 << 20}, strings.TrimSuffix(line(3, "/long", "x"), `"`), day + 86_400_000 + 36_000_000},
		"an over-long one without":              {record.Block{Near: day + 1, Oversize: 5 << 20}, `garbage`, day + 1},
		"nothing known":                         {record.Block{}, `bad "`, 0},
	} {
		w, _ := worker(accesslog.Config{})
		process(t, w, c.block, c.line)
		_, bad, _, _ := w.Take()
		if got := int64(rowsOf[badrow.Row](bad)[0].NotedTime); got != c.want {
			t.Errorf("%s: filed under %d, want %d", name, got, c.want)
		}
	}
}

func TestArrivalBoundsTheEventTimeAndFilesBadRows(t *testing.T) {
	w, _ := worker(accesslog.Config{})
	arrival := int64(20514) * 86_400_000
	process(t, w, record.Block{Arrival: arrival}, line(4, "/", "x"), line(2, "/", "x"))
	events, bad, _, _ := w.Take()
	if events.Len() != 1 || bad.Len() != 1 {
		t.Fatalf("%d events, %d bad rows", events.Len(), bad.Len())
	}
	if r := rowsOf[badrow.Row](bad)[0]; r.Reason != string(badrow.TimeBounds) || int64(r.NotedTime) != arrival {
		t.Errorf("bad row %+v", r)
	}
}

func TestDuplicatesAreCountedAndDropped(t *testing.T) {
	w, s := worker(accesslog.Config{})
	process(t, w, record.Block{Duplicate: true}, line(2, "/", "x"), `bad "`)
	if l := w.TakeLedger(); l.In != 2 || l.Duplicate != 2 || !l.Balanced() || w.Rows() != 0 || len(s.visited) != 0 {
		t.Errorf("ledger %v, %d rows", l, w.Rows())
	}
	process(t, w, record.Block{Duplicate: true, Oversize: 5 << 20}, "203.0.113.9 - - [")
	if l := w.TakeLedger(); l.In != 1 || l.Duplicate != 1 || !l.Balanced() || w.Rows() != 0 {
		t.Errorf("ledger of a record too long to carry %v, %d rows", l, w.Rows())
	}
}

// everybodyIsABot takes even a missing user agent for a bot.
type everybodyIsABot struct{}

func (everybodyIsABot) Why([]byte) (string, string, bool) { return "Bot", "everybody is", true }

func TestNobodyIsABotWhereTheLogHasNoUserAgents(t *testing.T) {
	const request = `203.0.113.9 - - [02/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 10`
	w, _ := worker(accesslog.Config{Bots: everybodyIsABot{}})
	process(t, w, record.Block{}, request, request+` "-" "-"`)
	events, _, _, _ := w.Take()
	if rows := rowsOf[weblog.Event](events); rows[0].Bot || rows[0].BotName != nil || !rows[1].Bot {
		t.Errorf("bots: %v without a user agent field, %v with an empty one", rows[0].Bot, rows[1].Bot)
	}
}

func TestAnOversizeRecordIsOneBadRow(t *testing.T) {
	w, _ := worker(accesslog.Config{})
	b := record.Block{Source: source, Name: "test.log", Base: 7, Data: []byte("203.0.113.9 - - ["), Oversize: 5 << 20}
	span, err := w.Lines(&b)
	if err != nil {
		t.Fatal(err)
	}
	w.Settle(span, 0)
	_, bad, _, _ := w.Take()
	if r := rowsOf[badrow.Row](bad)[0]; r.Reason != string(badrow.TooLong) || r.Length != 5<<20 || r.Position != 7 {
		t.Errorf("bad row %+v", r)
	}
}

func TestCampaignIsReadFromTheQuery(t *testing.T) {
	for query, want := range map[string]string{
		"utm_campaign=spring":             "spring",
		"a=1&utm_campaign=spring&b=2":     "spring",
		"utm_campaign=":                   "",
		"xutm_campaign=spring":            "",
		"a=utm_campaign=x":                "",
		"":                                "",
		"&&utm_campaign=a&utm_campaign=b": "a",
	} {
		if got := string(accesslog.Campaign([]byte(query))); got != want {
			t.Errorf("Campaign(%q) = %q, want %q", query, got, want)
		}
	}
}

// BenchmarkWorker has a query in every third line, and a referrer in two of three.
func BenchmarkWorker(b *testing.B) {
	for name, c := range map[string]accesslog.Config{"plain": {}, "attribution": {Attribution: attributor(b, "shop.example")}} {
		b.Run(name, func(b *testing.B) { benchmarkWorker(b, c) })
	}
}

func benchmarkWorker(b *testing.B, c accesslog.Config) {
	r := rand.New(rand.NewPCG(1, 1))
	var text []byte
	for range 20_000 {
		target := fmt.Sprintf("/product/%d", r.IntN(5000))
		switch r.IntN(12) {
		case 0:
			target += "?utm_source=newsletter&utm_medium=email&utm_campaign=spring"
		case 1, 2, 3:
			target += fmt.Sprintf("?page=%d&sort=price", r.IntN(100))
		}
		referrer := []string{"-", "https://www.google.com/", fmt.Sprintf("https://shop.example/product/%d", r.IntN(5000))}[r.IntN(3)]
		text = append(text, from(1+r.IntN(3), target, referrer, fmt.Sprintf("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.%d", r.IntN(5)))...)
		text = append(text, '\n')
	}
	block := record.Block{Source: source, Name: "bench.log", Format: "combined", Data: text}
	w, _ := worker(c)
	w.Count, w.Visit = func(*accesslog.Event) {}, func(*accesslog.Event) {}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Lines(&block); err != nil {
			b.Fatal(err)
		}
		w.Take()
	}
	b.ReportMetric(20_000*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
