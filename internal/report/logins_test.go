package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type loginRow struct {
	EventTime int64   `parquet:"event_time,timestamp(millisecond)"`
	Action    string  `parquet:"action,dict"`
	Outcome   string  `parquet:"outcome,dict"`
	Times     int64   `parquet:"times"`
	ClientID  *string `parquet:"client_id,optional,dict"`
	User      *string `parquet:"user,optional,dict"`
	Host      string  `parquet:"host,dict"`
}

// TestLoginsHaveAPageOfTheirOwn, which says nothing of requests.
func TestLoginsHaveAPageOfTheirOwn(t *testing.T) {
	root := t.TempDir()
	s := func(v string) *string { return &v }
	writeDays(t, root, "events", []loginRow{
		{shopDay + 5, "failed", "failure", 6, s("tok_ip_a"), s("tok_user_a"), "web-1"},
		{shopDay + 6, "failed", "failure", 1, s("tok_ip_b"), s("tok_user_a"), "web-2"},
		{shopDay + dayMs, "accepted", "success", 1, s("tok_ip_a"), s("tok_user_b"), "web-1"},
		{shopDay + dayMs + 1, "other", "unknown", 1, nil, nil, "web-1"},
	}, func(r loginRow) int64 { return r.EventTime })
	d, err := Collect(t.Context(), Dir(root))
	if err != nil {
		t.Fatal(err)
	}
	n := func(n int64) VisitorCount { return VisitorCount{N: n} }
	want := &Logins{
		First: shopDay + 5, Last: shopDay + dayMs + 1, Lines: 4, Hosts: n(2), Clients: n(2),
		Actions: []LoginAction{{"failed", "failure", 2, 7, n(2), n(1)}, {"accepted", "success", 1, 1, n(1), n(1)}, {"other", "unknown", 1, 1, n(0), n(0)}},
	}
	if diff := cmp.Diff(want, d.Logins); diff != "" || d.Events != 4 {
		t.Errorf("%d events (-want +got):\n%s", d.Events, diff)
	}
	var page bytes.Buffer
	if err := Write(&page, d); err != nil {
		t.Fatal(err)
	}
	for text, has := range map[string]bool{`id="logins"`: true, `id="sessions"`: false, `id="pages"`: false, `id="ledger"`: true, "accepted": true} {
		if strings.Contains(page.String(), text) != has {
			t.Errorf("the page has %s: %t", text, !has)
		}
	}
}
