package accesslog_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/badrow"
	"millrace/schemas/record"
	"millrace/schemas/weblog"
	"millrace/transforms/accesslog"
	"millrace/transforms/enrich"
)

func geo(t testing.TB, name string) *enrich.Geo {
	t.Helper()
	content, err := os.ReadFile("../enrich/testdata/geoip/" + name + ".mmdb")
	if err != nil {
		t.Fatal(err)
	}
	g, err := enrich.ParseGeo(content)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// gives is a table that is in use.
func gives[T any](table T) func() (T, error) { return func() (T, error) { return table, nil } }

const (
	phone = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.6478.71 Mobile Safari/537.36"
	crawl = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
)

func lineOf(ip, agent string) string {
	return fmt.Sprintf(`%s - - [02/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 10 "-" "%s"`, ip, agent)
}

func references(t testing.TB) *accesslog.References {
	return &accesslog.References{
		Agents: gives(enrich.DefaultAgents()), Geo: gives(geo(t, "GeoLite2-City-Test")), ASN: gives(geo(t, "GeoLite2-ASN-Test")),
		Missing: enrich.Fail, Bots: enrich.DefaultBots().Version(),
	}
}

// tells is what an event tells by reference data, without the versions.
func tells(e weblog.Event) string {
	var out []string
	for _, p := range []*string{e.Browser, e.BrowserVersion, e.OS, e.OSVersion, e.Device, e.DeviceClass, e.BotReason, e.Country, e.Region, e.City, e.Network} {
		if p == nil {
			out = append(out, "-")
		} else {
			out = append(out, *p)
		}
	}
	if e.ASN != nil {
		out = append(out, fmt.Sprint(*e.ASN))
	}
	return strings.Join(out, "|")
}

func enriched(t *testing.T, w *accesslog.Worker, lines ...string) []weblog.Event {
	t.Helper()
	process(t, w, record.Block{}, lines...)
	events, _, _, _ := w.Take()
	if err := events.Check(); err != nil {
		t.Fatal(err)
	}
	return rowsOf[weblog.Event](events)
}

func TestEventsTellWhatReferenceDataTells(t *testing.T) {
	r := references(t)
	w, _ := worker(accesslog.Config{References: r, Bots: enrich.DefaultBots()})
	var got []string
	events := enriched(t, w, lineOf("89.160.20.113", phone), lineOf("1.128.0.1", crawl), lineOf("host.example", "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0"), lineOf("::ffff:89.160.20.113", "what is this"))
	for _, e := range events {
		got = append(got, tells(e))
	}
	want := []string{
		"Chrome Mobile|126.0.6478|Android|14|Pixel 8|phone|-|SE|SE-E|Linköping|Bredband2 AB|29518",
		"Googlebot|2.1|-|-|Spider|bot|user agent has \"googlebot\"|-|-|-|Telstra Pty Ltd|1221",
		"Firefox|115.0|Linux|-|-|desktop|-|-|-|-|-",
		"-|-|-|-|-|-|-|SE|SE-E|Linköping|Bredband2 AB|29518",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	agents, _ := r.Agents()
	g, _ := r.Geo()
	a, _ := r.ASN()
	label := fmt.Sprintf("agents=%s bots=%s asn=%s geo=%s", agents.Version(), r.Bots, a.Version(), g.Version())
	for _, e := range events {
		if e.Enrichment == nil || *e.Enrichment != label {
			t.Errorf("versions %v, want %s", e.Enrichment, label)
		}
	}
	w, _ = worker(accesslog.Config{})
	if got := tells(enriched(t, w, lineOf("89.160.20.113", phone))[0]); strings.Trim(got, "-|") != "" {
		t.Errorf("without reference data: %s", got)
	}
}

// TestNewTablesCountFromTheNextBlockOn, with all that was remembered of the old.
func TestNewTablesCountFromTheNextBlockOn(t *testing.T) {
	first, second := geo(t, "GeoLite2-Country-Test"), geo(t, "GeoLite2-City-Test")
	now := first
	w, _ := worker(accesslog.Config{References: &accesslog.References{Geo: func() (*enrich.Geo, error) { return now, nil }}})
	process(t, w, record.Block{}, lineOf("89.160.20.113", phone))
	now = second
	process(t, w, record.Block{}, lineOf("89.160.20.113", phone))
	events, _, _, _ := w.Take()
	rows := rowsOf[weblog.Event](events)
	if rows[0].City != nil || *rows[0].Country != "SE" || rows[1].City == nil || *rows[0].Enrichment != "bots= geo="+first.Version() || *rows[1].Enrichment != "bots= geo="+second.Version() {
		t.Errorf("%s %s, then %s %s", tells(rows[0]), *rows[0].Enrichment, tells(rows[1]), *rows[1].Enrichment)
	}
}

// TestMissingTablesFollowThePolicy, and so do entries that are broken.
func TestMissingTablesFollowThePolicy(t *testing.T) {
	missing := errors.New("it is not there")
	for name, give := range map[string]func() (*enrich.Geo, error){
		"missing": func() (*enrich.Geo, error) { return nil, missing },
		"broken":  gives(geo(t, "GeoIP2-City-Test-Broken-Double-Format")),
	} {
		t.Run(name, func(t *testing.T) {
			at := "2.125.160.217" // in the broken database, this entry is
			run := func(policy enrich.Missing) (*accesslog.Worker, error) {
				w, _ := worker(accesslog.Config{References: &accesslog.References{Geo: give, Missing: policy, Bots: "b"}})
				b := record.Block{Source: source, Name: "test.log", Format: "combined", Data: []byte(lineOf(at, phone) + "\n" + lineOf("host.example", phone) + "\n")}
				span, err := w.Lines(&b)
				if err == nil {
					w.Settle(span, span.First)
				}
				return w, err
			}
			if _, err := run(enrich.Fail); err == nil || strings.Contains(err.Error(), at) {
				t.Errorf("fail: %v", err)
			}
			w, err := run(enrich.Flag)
			if err != nil {
				t.Fatal(err)
			}
			events, _, _, _ := w.Take()
			rows := rowsOf[weblog.Event](events)
			if len(rows) != 2 || *rows[0].Enrichment != "bots=b geo="+name || rows[0].Country != nil {
				t.Errorf("flag: %d rows, %v", len(rows), rows[0].Enrichment)
			}
			if w, err = run(enrich.BadRow); err != nil {
				t.Fatal(err)
			}
			_, bad, _, _ := w.Take()
			l := w.TakeLedger()
			wantBad := map[string]int64{"missing": 2, "broken": 1}[name]
			if l.Reasons[badrow.Reference] != wantBad || !l.Balanced() || int64(bad.Len()) != wantBad {
				t.Errorf("bad rows: %v", l)
			}
			if r := rowsOf[badrow.Row](bad)[0]; int64(r.NotedTime) != 1772445600000 {
				t.Errorf("filed under %d, not under the time of its line", r.NotedTime)
			}
		})
	}
}

// TestWhatRulesTakeOutOfAUserAgentIsMasked: the secret stands where rules look for
// names and versions, in the open and encoded.
func TestWhatRulesTakeOutOfAUserAgentIsMasked(t *testing.T) {
	const canary = "ann.canary@example.com"
	w, _ := worker(accesslog.Config{References: references(t)})
	var lines []string
	for _, secret := range []string{canary, strings.ReplaceAll(canary, "@", "%40"), "4111111111111111"} {
		for _, agent := range []string{"%s/1.0", "Mozilla/5.0 (Linux; Android 14; %s) Chrome/126.0 Mobile", "Mozilla/5.0 (%s) Gecko Firefox/%[1]s", "MyApp/%s CFNetwork/1408 Darwin/22", "%s bot/2.0", "Dalvik/2.1.0 (Linux; U; Android 9; %s Build/X)"} {
			lines = append(lines, lineOf("89.160.20.113", fmt.Sprintf(agent, secret)))
		}
	}
	for _, e := range enriched(t, w, lines...) {
		for _, secret := range []string{"canary", "4111111111111111", "example.com"} {
			if strings.Contains(tells(e), secret) {
				t.Errorf("%s is in %s", secret, tells(e))
			}
		}
	}
}

func BenchmarkEnrichment(b *testing.B) {
	r := references(b)
	for _, c := range []struct {
		name string
		r    *accesslog.References
	}{{"off", nil}, {"agents", &accesslog.References{Agents: r.Agents}}, {"all", r}} {
		b.Run(c.name, func(b *testing.B) {
			w, _ := worker(accesslog.Config{References: c.r, Bots: enrich.DefaultBots()})
			w.Count, w.Visit = func(*accesslog.Event) {}, func(*accesslog.Event) {}
			random := rand.New(rand.NewPCG(1, 1))
			var text []byte
			for range 20_000 {
				agent := fmt.Sprintf("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.%d", random.IntN(500))
				text = append(append(text, lineOf(fmt.Sprintf("89.160.%d.%d", random.IntN(40), random.IntN(256)), agent)...), '\n')
			}
			block := record.Block{Source: source, Name: "bench.log", Format: "combined", Data: text}
			b.SetBytes(int64(len(text)))
			if _, err := w.Lines(&block); err != nil { // the first time compiles rules
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := w.Lines(&block); err != nil {
					b.Fatal(err)
				}
				w.Take()
			}
		})
	}
}
