package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
)

// geoTable is the path of a small database of networks.
func geoTable(t testing.TB, name string) string {
	t.Helper()
	return filepath.Join(testenv.Root(t), "transforms", "enrich", "testdata", "geoip", name+".mmdb")
}

// TestTablesTellCountriesAndNetworks: in events, in clients and in the report, and by each
// policy for a table that is not there, is cut short or has a broken entry.
func TestTablesTellCountriesAndNetworks(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	line := func(client, agent string) string {
		return client + ` - - [02/Mar/2026:11:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "` + agent + `"` + "\n"
	}
	const firefox, crawler = "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
	// The broken database knows the first three, and their entries are broken.
	writeFile(t, e.in("web.log"), []byte(line("89.160.20.113", firefox)+line("89.160.20.113", firefox)+line("2.125.160.217", firefox)+line("1.128.0.9", crawler)))
	log, lake := e.in("web.log"), e.in("lake")
	mustRun(t, e, weblogs(log, lake, "--set", "enrich.geo="+geoTable(t, "GeoLite2-City-Test"), "--set", "enrich.asn="+geoTable(t, "GeoLite2-ASN-Test"))...)
	events := sql(t, lake, "SELECT country, region, city, asn, network, browser, device_class, regexp_replace(enrichment, '=[0-9a-f]+', '', 'g') FROM events ORDER BY position")
	const tables = "agents bots asn geo"
	if diff := gocmp.Diff([][]string{
		{"SE", "SE-E", "Linköping", "29518", "Bredband2 AB", "Firefox", "desktop", tables},
		{"SE", "SE-E", "Linköping", "29518", "Bredband2 AB", "Firefox", "desktop", tables},
		{"GB", "GB-ENG", "Boxford", "NULL", "NULL", "Firefox", "desktop", tables},
		{"NULL", "NULL", "NULL", "1221", "Telstra Pty Ltd", "Googlebot", "bot", tables},
	}, events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	clients := sql(t, lake, "SELECT dimension, value, hits, hits_without_bots FROM clients WHERE dimension IN ('country', 'network', 'bot_reason') ORDER BY ALL")
	if diff := gocmp.Diff([][]string{
		{"bot_reason", `user agent has "googlebot"`, "1", "0"},
		{"country", "(unknown)", "1", "0"},
		{"country", "GB", "1", "1"},
		{"country", "SE", "2", "2"},
		{"network", "(unknown)", "1", "1"},
		{"network", "AS1221 Telstra Pty Ltd", "1", "0"},
		{"network", "AS29518 Bredband2 AB", "2", "2"},
	}, clients); diff != "" {
		t.Errorf("clients (-want +got):\n%s", diff)
	}
	report := string(readFile(t, filepath.Join(lake, "report.html")))
	for _, want := range []string{"AS29518 Bredband2 AB", "AS1221 Telstra Pty Ltd", ">SE<", ">GB<", "desktop", "Firefox", "googlebot", "Why it is a bot"} {
		if !strings.Contains(report, want) {
			t.Errorf("the report does not say %q", want)
		}
	}

	writeFile(t, e.in("short.mmdb"), readFile(t, geoTable(t, "GeoLite2-City-Test"))[:9000])
	for name, c := range map[string]struct {
		geo  string
		says string // in the column enrichment
		odd  string // events that it is said of
	}{
		"missing": {e.in("none.mmdb"), "geo=missing", "4"},
		"short":   {e.in("short.mmdb"), "geo=missing", "4"},
		"broken":  {geoTable(t, "GeoIP2-City-Test-Broken-Double-Format"), "geo=broken", "3"},
	} {
		t.Run(name, func(t *testing.T) {
			with := func(policy string) []string {
				return weblogs(log, e.in(name, policy), "--no-report", "--set", "enrich.geo="+c.geo, "--set", "enrich.missing="+policy)
			}
			if r := run(t, e, with("fail")...); r.code == 0 || strings.Contains(r.stderr, "panic") || strings.Contains(r.stderr, "2.125.160") {
				t.Errorf("fail: exit code %d: %s", r.code, r.stderr)
			}
			mustRun(t, e, with("flag")...)
			if got := sql(t, e.in(name, "flag"), "SELECT count(*), count(*) FILTER (enrichment LIKE '%"+c.says+"%' AND country IS NULL) FROM events")[0]; got[0] != "4" || got[1] != c.odd {
				t.Errorf("flag: of %s events, %s say %s; want %s of 4", got[0], got[1], c.says, c.odd)
			}
			mustRun(t, e, with("bad_row")...)
			if got := sql(t, e.in(name, "bad_row"), "SELECT reason, count(*) FROM bad_rows GROUP BY 1"); len(got) != 1 || got[0][0] != "reference" || got[0][1] != c.odd {
				t.Errorf("bad_row: %v, want %s", got, c.odd)
			}
			if m := readManifest(t, e.in(name, "bad_row")); !m.Ledger.Balanced {
				t.Errorf("ledger %s", m.Ledger)
			}
		})
	}
}
