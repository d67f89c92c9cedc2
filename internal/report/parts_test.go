package report

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"millrace/internal/mutate"

	"github.com/google/go-cmp/cmp"
)

func benchEvents(b *testing.B) int {
	b.Helper()
	n, err := strconv.Atoi(os.Getenv("REPORT_EVENTS"))
	if err != nil {
		return 100_000
	}
	return n
}

func TestATimelineKeepsEverySumWithinItsLength(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		span := int64(1) << (10 + r.IntN(32)) // a second to 139 years
		line := newTimeline(func(dst *int64, src int64) { *dst += src })
		start := int64(r.IntN(2)) * -r.Int64N(4e12)
		want := map[int64]int64{}
		type put struct{ at, n int64 }
		var puts []put
		for range 1 + r.IntN(300) {
			p := put{start + r.Int64N(span), r.Int64N(5)}
			puts = append(puts, p)
			line.put(p.at, p.n)
		}
		first, sums := line.dense()
		for _, p := range puts {
			want[floorDiv(p.at-first, line.width())] += p.n
		}
		if len(sums) > maxPoints {
			t.Fatalf("%d points over %s", len(sums), time.Duration(span)*time.Millisecond)
		}
		for i, n := range sums {
			if n != want[int64(i)] {
				t.Fatalf("point %d of width %d holds %d, want %d", i, line.width(), n, want[int64(i)])
			}
			delete(want, int64(i))
		}
		for i, n := range want {
			if n != 0 {
				t.Fatalf("point %d with %d is missing", i, n)
			}
		}
	}
}

func TestATallyIsExactUntilItsLimitAndThenNeverTooHigh(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	for _, limit := range []int{10, 100, 5_000} {
		got, want := newTally[int64](limit), map[string]int64{}
		zipf := rand.NewZipf(r, 1.3, 2, 3_000)
		for range 20_000 {
			key := fmt.Sprint(zipf.Uint64())
			want[key]++
			got.add([]byte(key), 1).value++
		}
		if limit > len(want) && got.lost != 0 {
			t.Errorf("limit %d: lost %d with %d keys", limit, got.lost, len(want))
		}
		if len(got.entries) > limit {
			t.Errorf("limit %d: %d entries", limit, len(got.entries))
		}
		for key, n := range want {
			var have int64
			if e := got.entries[key]; e != nil {
				have = e.count
			}
			if have > n || have < n-got.lost {
				t.Errorf("limit %d: %s counts %d, want %d at most %d lower", limit, key, have, n, got.lost)
			}
		}
		top := got.top(3, byCount)
		if limit == 5_000 && !slices.IsSortedFunc(top, func(a, b *entry[int64]) int { return int(b.count - a.count) }) {
			t.Errorf("top is not sorted")
		}
	}
}

func TestEqualCountsRankByKey(t *testing.T) {
	tally := newTally[struct{}](10)
	for _, key := range []string{"b", "c", "a", "d", "d"} {
		tally.add([]byte(key), 1)
	}
	var got []string
	for _, e := range tally.top(3, byCount) {
		got = append(got, e.key)
	}
	if diff := cmp.Diff([]string{"d", "a", "b"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAQuantileIsWithinOnePercent(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	for range 50 {
		var s spread
		var all []int64
		for range 1 + r.IntN(2_000) {
			v := r.Int64N(int64(1) << (1 + r.IntN(40)))
			all = append(all, v)
			s.add(v)
		}
		for _, q := range []float64{0.01, 0.5, 0.95, 1} {
			got, want := s.quantile(q), quantileOf(all, q)
			if d := float64(max(got-want, want-got)); d > 0.0101*float64(want)+1 {
				t.Errorf("quantile %v of %d values is %d, want %d", q, len(all), got, want)
			}
		}
	}
}

func TestProbesAreRecognised(t *testing.T) {
	for _, c := range []struct{ path, query, request, want string }{
		{path: "/"},
		{path: "/blog/select-a-union", query: "q=my+environment"},
		{path: "/environment"},
		{path: "/docs/c%2B%2B", query: "order=asc&by=1"},
		{path: "/.env", want: "secrets"},
		{path: "/api/.ENV.bak", want: "secrets"},
		{path: "/%2eenv", want: "secrets"},
		{path: "/%252eenv", want: "secrets"},
		{path: "/blog/wp-login.php", want: "wordpress"},
		{path: "/PhpMyAdmin/", want: "admin"},
		{path: "/a/..%2f..%2fetc/passwd", want: "traversal"},
		{path: "/cgi/%252e%252e%252fwin.ini", want: "traversal"},
		{path: "/s", query: "id=1+UNION+SELECT+null", want: "sql"},
		{path: "/s", query: "id=1%20or%201=1", want: "sql"},
		{path: "/s", query: "q=%3CScRiPt%3E", want: "script"},
		{path: "/s", query: "q=${jndi:ldap://x}", want: "expression"},
		{path: "/s", query: "c=;wget%20http://x", want: "command"},
		{path: "/cgi-bin/luci/;stok=/locale", want: "devices"},
		{path: "/+CSCOE+/logon.html", want: "devices"},
		{path: "/uploads/c99.php", want: "webshell"},
		{request: `\x16\x03\x01`, want: "protocol"},
		{request: "\x16\x03\x01", want: "protocol"},
		{request: "SSH-2.0-Go", want: "protocol"},
		{request: "-"},
	} {
		var d Data
		w := newSecurityWatcher(&d)
		e := event{path: []byte(c.path), query: []byte(c.query), status: 404}
		if c.request != "" {
			e.path, e.query, e.request = nil, nil, []byte(c.request)
		}
		w.event(&e)
		w.event(&e) // the second time from memory
		w.done()
		var got []string
		for _, class := range d.Security.Classes {
			got = append(got, class.ID)
			if class.Requests != 2 || class.Statuses[class4xx] != 2 || class.Visitors.N != 1 {
				t.Errorf("%+v: class counts %+v", c, class)
			}
		}
		if (c.want == "") != (len(got) == 0) || (c.want != "" && !slices.Contains(got, c.want)) {
			t.Errorf("%+v belongs to %v", c, got)
		}
	}
}

func TestAListOfProbesIsRefusedWhenItCannotWork(t *testing.T) {
	for _, text := range []string{`[{"id":"a","in":"path","match":["/A"]}]`, `[{"id":"a","in":"path","match":[""]}]`, `[{"id":"a","in":"header","match":["x"]}]`, `{`} {
		if _, err := readProbes([]byte(text)); err == nil {
			t.Errorf("%s is accepted", text)
		}
	}
}

func TestManyVisitorsAreAtLeastSoMany(t *testing.T) {
	var v visitorSet
	for i := range uint64(maxProbeVisitors + 5) {
		v.add(i)
		v.add(i)
	}
	if got := v.count(); got != (VisitorCount{maxProbeVisitors, true}) {
		t.Errorf("count is %+v", got)
	}
}

func TestASiteIsTheHostOfAReferrer(t *testing.T) {
	for url, want := range map[string]string{
		"https://www.Example.org/a?b=//c": "example.org",
		"https://example.org/a@b:c":       "example.org",
		"https://a:b@example.org:1":       "example.org",
		"http://example.org:8080":         "example.org",
		"https://me@example.org#x":        "example.org",
		"http://[2001:db8::1]:80/":        "[2001:db8::1]",
		"android-app://com.example/":      "com.example",
		"example.org":                     "example.org",
		"//":                              "",
	} {
		if got := string(site(nil, []byte(url))); got != want {
			t.Errorf("site of %s is %q, want %q", url, got, want)
		}
	}
}

func FuzzTextOfLogs(tf *testing.F) {
	f := mutate.Of(tf)
	for _, h := range hostile {
		f.Add([]byte(h))
	}
	f.Add([]byte("https://a@b:1/%%2%2e+?+%"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if s := site(nil, text); len(s) > maxHost {
			t.Errorf("site of %d bytes", len(s))
		}
		var d decoder
		folded := d.fold(text)
		if len(folded) > len(text) || strings.ContainsAny(string(folded), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
			t.Errorf("folded to %q", folded)
		}
	})
}

func TestNumbersAreWrittenForPeople(t *testing.T) {
	plainText := strings.NewReplacer("\u202f", "_", "\u00a0", " ")
	at := func(text string) int64 {
		v, err := time.Parse(time.DateTime, text)
		if err != nil {
			t.Fatal(err)
		}
		return v.UnixMilli()
	}
	for _, c := range []struct{ got, want string }{
		{num(0), "0"},
		{num(9999), "9999"},
		{num(12345), "12_345"},
		{num(-1234567), "−1_234_567"},
		{byteSize(0), "0 B"},
		{byteSize(999), "999 B"},
		{byteSize(1000), "1.00 kB"},
		{byteSize(999_950), "1.00 MB"},
		{byteSize(123_456_789_012), "123 GB"},
		{span(0), "0 s"},
		{span(7), "7 ms"},
		{span(1500), "1.5 s"},
		{span(59_999), "59 s"},
		{span(130_000), "2 min 10 s"},
		{span(3_600_000), "1 h"},
		{span(90_000_000), "1 d 1 h"},
		{percent(0, 5), "0%"},
		{percent(5, 5), "100%"},
		{percent(1, 1e6), "< 0.01%"},
		{percent(1, 300), "0.33%"},
		{percent(9999, 10000), "> 99.9%"},
		{percent(1, 0), "–"},
		{dates(at("2025-08-15 00:00:00"), at("2025-08-16 00:00:00")), "15 August 2025"},
		{dates(at("2025-08-15 10:00:00"), at("2025-08-24 00:01:00")), "15–24 August 2025"},
		{dates(at("2025-07-30 10:00:00"), at("2025-08-02 00:01:00")), "30 July – 2 August 2025"},
		{dates(at("2024-12-31 10:00:00"), at("2025-01-01 00:01:00")), "31 December 2024 – 1 January 2025"},
		{spark([]int64{0, 2, 1}), "0.0,19.0 50.0,1.0 100.0,10.0"},
	} {
		if got := plainText.Replace(c.got); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
