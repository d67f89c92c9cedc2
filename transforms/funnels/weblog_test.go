package funnels_test

import (
	"fmt"
	"testing"

	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms/funnels"
)

const weblogFunnels = `
funnels:
  - name: purchase
    within: 24h
    steps:
      - {name: home, where: path == "/" && page_view}
      - {name: product, where: path.startsWith("/product")}
      - {name: cart, where: 'path in ["/cart", "/basket"]'}
      - {name: paid, where: path == "/checkout" && method == "POST" && status < 400}
    breakdown: {field: host, attribution: first}
`

var weblogColumns = funnels.Columns{
	Visitor: weblog.EventVisitorID, Time: weblog.EventTime, Source: weblog.EventSource, Position: weblog.EventPosition, Late: weblog.EventLate,
}

func weblogSet(t testing.TB, defs []funnels.Definition) *funnels.Set {
	t.Helper()
	s, err := funnels.Compile(defs, weblog.Events, funnels.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// weblogEvents is the requests of so many visitors: visitor n goes n%4+1 steps of the
// purchase, a minute times the step apart, with other requests between.
func weblogEvents(t testing.TB, visitors int) *table.Batch {
	t.Helper()
	paths := []struct{ method, path string }{{"GET", "/"}, {"GET", "/product/7"}, {"GET", "/cart"}, {"POST", "/checkout"}}
	b := table.NewBatch(weblog.Events)
	for n := range visitors {
		at := firstDay + int64(n)*minute
		for i := range n%4 + 1 {
			at += int64(i) * minute
			for k, path := range []string{paths[i].path, "/static/site.css"} {
				host := []string{"a.example", "b.example"}[n%2]
				b.Append(weblog.Event{
					EventTime: table.Millis(at), VisitorID: fmt.Sprintf("tok_%04d", n), Method: &paths[i].method, Path: &path,
					Status: 200, PageView: k == 0, Host: &host, Source: "log", Position: int64(b.Len()),
				})
			}
		}
	}
	return b
}
