package clickevents_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/clickstream"
	"millrace/schemas/pii"
	"millrace/transforms/clickevents"
	"millrace/transforms/intake"
	"millrace/transforms/mask"
)

func TestAPolicySetsSingleColumns(t *testing.T) {
	const line = `{"v":2,"event_id":"e1","name":"purchase","time":"2026-03-01T10:00:00Z","client_id":"c1","user_id":"12345678","ip":"203.0.113.77","ssn":"078-05-1120","profile":{"email":"ann@example.com"},` +
		`"platform":"web","device":{"os":"Linux"},"consent":{"analytics":true,"ads":true},"page":{"location":"https://shop.example/p?utm_source=News","referrer":"https://www.google.com/"},"search_term":"ann@example.com",` +
		`"currency":"EUR","value":10,"transaction_id":"87654321","items":[{"item_id":"i1","item_name":"gift for ann@example.com","price":10,"quantity":1}]}`
	row := func(p *mask.Policy) (texts map[string]string) {
		t.Helper()
		r := clickevents.NewRows(clickevents.Options{}, mask.New("k1", [32]byte{1}, p.RowOptions(nil)), p, nil)
		at := intake.Place{Source: strings.Repeat("0", 32), Inside: true}
		if _, skip, reason := r.Read(pii.Of([]byte(line)), &at); skip || reason != "" {
			t.Fatalf("%t, %s", skip, reason)
		}
		r.Put(&at)
		b := r.Take()
		texts = map[string]string{}
		for i, c := range clickstream.Events.Columns {
			if c.Mask != "" && !b.Null(i, 0) {
				texts[c.Name] = string(b.Text(i, 0))
			}
		}
		return texts
	}
	plain := row(nil)
	for _, gone := range []string{"078-05-1120", "ann@example.com", "203.0.113.77", "profile"} { // unknown fields among them
		for name, text := range plain {
			if strings.Contains(text, gone) {
				t.Errorf("%s stays in %s: %s", gone, name, text)
			}
		}
	}
	if diff := cmp.Diff(plain, row(&mask.Policy{})); diff != "" {
		t.Errorf("an empty policy (-without +with):\n%s", diff)
	}
	got := row(&mask.Policy{Fields: map[string]mask.Rule{
		"user_id": {Class: mask.User, Method: mask.Redact}, "client_ip": {Class: mask.Class(mask.IP), Method: mask.Tokenise}, "search_term": {Class: mask.Text, Method: mask.Drop},
		"items": {Class: mask.Text, Method: mask.Redact}, "platform": {Class: mask.None, Method: mask.Drop}, "page_query": {Class: mask.Text, Method: mask.Redact}, "transaction_id": {Class: mask.User, Method: mask.Drop},
	}})
	want := map[string]string{}
	for name, text := range plain {
		want[name] = text
	}
	for _, name := range []string{"search_term", "platform", "transaction_id"} {
		delete(want, name)
	}
	want["user_id"], want["page_query"], want["client_ip"] = "REDACTED", "REDACTED", mask.Token("k1", [32]byte{1}, "ip", []byte("203.0.113.77"))
	want["items"] = `[{"id":"REDACTED","name":"REDACTED","price":10,"quantity":1}]`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
