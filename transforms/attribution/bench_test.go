package attribution_test

import (
	"strings"
	"testing"

	"millrace/transforms/attribution"
)

func BenchmarkTouch(b *testing.B) {
	all := map[string][]attribution.Request{
		"nothing":          {{}},
		"internal":         {{Referrer: []byte("https://www.example.org/product/17?size=40")}},
		"other parameters": {{Query: []byte("page=2&sort=price&size=40"), Referrer: []byte("https://www.example.org/product/17")}},
		"search engine":    {{Referrer: []byte("https://www.google.co.uk/")}},
		"unknown referrer": {{Referrer: []byte("https://en.forum.example.com/thread/1?page=3")}},
		"tagged":           {{Query: []byte("utm_source=newsletter&utm_medium=email&utm_campaign=spring%20sale&utm_content=top")}},
		"click id":         {{Query: []byte("gclid=CjwKCAjw7c2pBhAZEiwA88pOF1Xo"), Referrer: []byte("https://www.google.com/")}},
		"hostile, 8 KiB":   {{Query: []byte(strings.Repeat("utm_source=%2525&", 480)), Referrer: []byte("https://" + strings.Repeat("a.", 4000))}},
		"no parameters": {
			{}, {Referrer: []byte("https://www.example.org/")}, {Referrer: []byte("https://www.example.org/cart")}, {Referrer: []byte("https://www.google.com/")},
		},
		"real-life table": nil,
	}
	for _, r := range rows(b) {
		all["real-life table"] = append(all["real-life table"], attribution.Request{Query: []byte(r.query), Referrer: []byte(r.referrer)})
	}
	for name, requests := range all {
		b.Run(name, func(b *testing.B) {
			a := attributor(b)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				a.Touch(requests[i])
				if i++; i == len(requests) {
					i = 0
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
	}
}
