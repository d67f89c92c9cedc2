package enrich_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"millrace/internal/mutate"
	"millrace/transforms/enrich"
)

func parse(t testing.TB, list string) *enrich.Bots {
	t.Helper()
	b, err := enrich.ParseBots(strings.NewReader(list))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBotsOfRealLogsAreRecognised(t *testing.T) {
	for userAgent, want := range map[string]string{
		"":  "no user agent",
		"-": "no user agent",
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)":       "Googlebot",
		"DoCoMo/2.0 N905i(c100;TB;W24H16) (compatible; Googlebot-Mobile/2.1; +http://x)": "Googlebot",
		"Googlebot-Image/1.0": "Googlebot-Image",
		"msnbot-media/1.1 (+http://search.msn.com/msnbot.htm)":                                 "msnbot",
		"Mozilla/5.0 (compatible; Ezooms/1.0; help@moz.com)":                                   "Ezooms",
		"Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)":  "Baiduspider",
		"Mozilla/5.0 (compatible; YandexImages/3.0; +http://yandex.com/bots)":                  "YandexBot",
		"Mozilla/5.0 (compatible; archive.org_bot +http://www.archive.org/details/x)":          "archive.org_bot",
		"Mozilla/5.0 (compatible; special_archiver/3.1.1 +http://www.archive.org/details/x)":   "other bot",
		"Feedly/1.0 (+http://www.feedly.com/fetcher.html; like FeedFetcher-Google)":            "Feedly",
		"Feedfetcher-Google; (+http://www.google.com/feedfetcher.html; 3 subscribers)":         "Feedfetcher-Google",
		"UniversalFeedParser/4.2-pre-314-svn +http://feedparser.org/":                          "UniversalFeedParser",
		"HTTP_Request2/2.1.1 (http://pear.php.net/package/http_request2) PHP/5.3.2-1ubuntu4.1": "PHP HTTP_Request2",
		"Wget/1.12 (linux-gnu)":                 "Wget",
		"curl/8.5.0":                            "curl",
		"Python-urllib/2.7":                     "Python urllib",
		"python-requests/2.32":                  "python-requests",
		"Go-http-client/2.0":                    "Go-http-client",
		"fetch libfetch/2.0":                    "libfetch",
		"nutch-1.4/Nutch-1.4":                   "Apache Nutch",
		"Mozilla/5.0 (compatible; BeetleBot; )": "BeetleBot",
		"Mozilla/4.0 (compatible;)":             "bare Mozilla",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko; Google Web Preview) Chrome/27.0.1453 Safari/537.36": "Google Web Preview",
		"Mozilla/5.0 (Windows; U; Windows NT 5.1; zh-CN; )  Firefox/1.5.0.11; 360Spider":                                            "360Spider",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36":             "Headless Chrome",
		"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)":                    "GPTBot",
		"LumiBot 2.0": "LumiBot",
		"Mozilla/5.0 (compatible; SomeNewBot/1.0; +https://example.org/bot)": "other bot",
	} {
		if name, _ := enrich.DefaultBots().Match([]byte(userAgent)); name != want {
			t.Errorf("%q: bot %q, want %q", userAgent, name, want)
		}
	}
}

func TestBrowsersAreNoBots(t *testing.T) {
	for _, userAgent := range []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15",
		"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:27.0) Gecko/20100101 Firefox/27.0",
		"Mozilla/5.0 (Linux; Android 5.1; CUBOT NOTE S Build/LMY47I) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/61.0 Mobile Safari/537.36",
		"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1; Trident/4.0; .NET CLR 2.0.50727)",
		"Opera/9.80 (X11; Linux x86_64) Presto/2.12.388 Version/12.16",
		"Links (2.7; CYGWIN_NT-5.1 1.7.15(0.260/5/3) i686; GNU C 4.5.3; text)",
		"MobileSafari/9537.53 CFNetwork/672.0.8 Darwin/14.0.0",
	} {
		if name, ok := enrich.DefaultBots().Match([]byte(userAgent)); ok {
			t.Errorf("%q is taken for %s", userAgent, name)
		}
	}
}

// naive looks for one pattern after another.
func naive(list, userAgent string) string {
	lower := []byte(userAgent)
	for i, c := range lower {
		switch {
		case c >= 'A' && c <= 'Z':
			lower[i] += 'a' - 'A'
		case c < ' ':
			lower[i] = ' '
		}
	}
	for _, line := range strings.Split(list, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		pattern, name, _ := strings.Cut(line, "\t")
		rest, atBegin := strings.CutPrefix(pattern, "^")
		rest, atEnd := strings.CutSuffix(rest, "$")
		found := strings.Contains(string(lower), rest)
		switch {
		case atBegin && atEnd:
			found = string(lower) == rest
		case atBegin:
			found = strings.HasPrefix(string(lower), rest)
		case atEnd:
			found = strings.HasSuffix(string(lower), rest)
		}
		if found {
			return name
		}
	}
	return ""
}

func TestTheFirstPatternInTheListWins(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	text := func(alphabet string, n int) string {
		b := make([]byte, r.IntN(n))
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	}
	for range 2_000 {
		list := ""
		known := map[string]bool{}
		for i := range 1 + r.IntN(8) {
			pattern := []string{"", "^"}[r.IntN(4)/3] + text("ab ", 5) + []string{"", "$"}[r.IntN(4)/3]
			if pattern == "" || pattern == "^" || pattern == "$" || known[pattern] {
				continue
			}
			known[pattern] = true
			list += fmt.Sprintf("%s\tbot %d\n", pattern, i)
		}
		b := parse(t, list)
		for range 10 {
			userAgent := text("abAB c\x02\x03\xff", 12)
			if got, _ := b.Match([]byte(userAgent)); got != naive(list, userAgent) {
				t.Fatalf("%q is bot %q, want %q, of\n%s", userAgent, got, naive(list, userAgent), list)
			}
		}
	}
}

func realUserAgents(t testing.TB) (all [][]byte) {
	t.Helper()
	logs, err := filepath.Glob("../../testdata/access-logs/*.gz")
	if err != nil || len(logs) < 2 {
		t.Fatalf("%d logs: %v", len(logs), err)
	}
	for _, name := range logs {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(z); lines.Scan(); {
			if fields := strings.Split(lines.Text(), `"`); len(fields) > 5 {
				all = append(all, []byte(fields[5]))
			}
		}
	}
	return all
}

func TestTheListMatchesRealLogsLikeASearchLineByLine(t *testing.T) {
	list, err := os.ReadFile("bots.txt")
	if err != nil {
		t.Fatal(err)
	}
	bots := 0
	all := realUserAgents(t)
	for _, userAgent := range all {
		got, ok := enrich.DefaultBots().Match(userAgent)
		if ok {
			bots++
		}
		if want := naive(string(list), string(userAgent)); got != want {
			t.Fatalf("%s is bot %q, want %q", userAgent, got, want)
		}
	}
	t.Logf("%d of %d requests are of bots", bots, len(all))
	if bots < len(all)/5 || bots > len(all)/2 {
		t.Errorf("%d of %d requests are of bots", bots, len(all))
	}
}

func TestEveryMistakeInAListIsNamed(t *testing.T) {
	_, err := enrich.ParseBots(strings.NewReader("# fine\ncurl\tcurl\nno tab\n\tno pattern\n^\teverything\nUpper\tx\nwget\t\ncurl\tagain\n"))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"line 3: no tab", "line 4: the pattern is empty", "line 5: the pattern is empty", `line 6: pattern "Upper"`, `line 7: pattern "wget" has no name`, `line 8: pattern "curl" stands on line 2`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing %q in:\n%v", want, err)
		}
	}
}

func TestTheVersionIsThatOfTheContent(t *testing.T) {
	a, b := parse(t, "curl\tcurl\n"), parse(t, "curl\tcurl\n")
	if c := parse(t, "curl\tCurl\n"); a.Version() != b.Version() || a.Version() == c.Version() || len(a.Version()) != 16 {
		t.Errorf("%s, %s, %s", a.Version(), b.Version(), c.Version())
	}
	if a.Len() != 1 {
		t.Errorf("%d patterns", a.Len())
	}
}

func TestAnEmptyListKnowsNoBots(t *testing.T) {
	if name, ok := parse(t, "# nothing\r\n\r\n").Match([]byte("curl/8")); ok {
		t.Errorf("%s", name)
	}
}

func FuzzParseBots(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add("^curl/\tcurl\nbot$\tother\n", "curl/8")
	f.Fuzz(func(t *testing.T, list, userAgent string) {
		b, err := enrich.ParseBots(strings.NewReader(list))
		if err != nil {
			return
		}
		if name, ok := b.Match([]byte(userAgent)); ok && !strings.Contains(list, name) {
			t.Errorf("bot %q is not in the list", name)
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	all := realUserAgents(b)
	bots := enrich.DefaultBots()
	size := 0
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		userAgent := all[i%len(all)]
		size += len(userAgent)
		bots.Match(userAgent)
	}
	b.SetBytes(int64(size / b.N))
}

func TestBotsSayWhy(t *testing.T) {
	b, err := enrich.ParseBots(strings.NewReader("googlebot\tGoogle\n^curl/\tcurl\n^-$\tnobody\nbot$\tsome bot\n"))
	if err != nil {
		t.Fatal(err)
	}
	for ua, want := range map[string]string{
		"Mozilla (Googlebot/2.1)": `Google: user agent has "googlebot"`, "curl/8": `curl: user agent begins with "curl/"`, "-": `nobody: user agent is "-"`, "a bot": `some bot: user agent ends with "bot"`, "Firefox": ": ",
	} {
		name, why, ok := b.Why([]byte(ua))
		if got := name + ": " + why; got != want || ok != (want != ": ") {
			t.Errorf("%q: %s, %v", ua, got, ok)
		}
		if again, found := b.Match([]byte(ua)); again != name || found != ok {
			t.Errorf("%q: Match says %s, %v", ua, again, found)
		}
	}
}
