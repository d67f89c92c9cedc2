package accesslog_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/pii"
	"millrace/schemas/record"
	"millrace/schemas/weblog"
	"millrace/transforms/accesslog"
	"millrace/transforms/mask"
)

// A line whose every field that a policy can set says something.
const full = `203.0.113.77 - 12345678 [02/Mar/2026:10:00:00 +0000] "GET /secret/path?utm_source=News&mail=ann@example.com HTTP/1.1" 200 10 "https://www.google.com/search?q=ann" "Firefox"`

// withPolicy is the event of the full line, and where its visit came from.
func withPolicy(t *testing.T, p *mask.Policy) (weblog.Event, accesslog.Event) {
	t.Helper()
	c := accesslog.Config{Policy: p, Attribution: attributor(t, "shop.example")}
	var seen accesslog.Event
	w, _ := worker(c)
	w.Visit = func(e *accesslog.Event) {
		seen = *e
		seen.Path, seen.Query = []byte(string(e.Path)), []byte(string(e.Query))
	}
	process(t, w, record.Block{}, full)
	events, bad, _, _ := w.Take()
	if events.Len() != 1 || bad.Len() != 0 || events.Check() != nil {
		t.Fatalf("%d events, %d bad rows, %v", events.Len(), bad.Len(), events.Check())
	}
	return rowsOf[weblog.Event](events)[0], seen
}

func TestAPolicySetsSingleColumns(t *testing.T) {
	said := func(s *string) string {
		if s == nil {
			return "null"
		}
		return *s
	}
	token := func(typ, value string) string { return mask.Token("k1", [32]byte{1}, typ, []byte(value)) }
	plain, _ := withPolicy(t, nil)
	for name, c := range map[string]struct {
		fields map[string]mask.Rule
		change func(e *weblog.Event)
	}{
		"nothing": {nil, func(*weblog.Event) {}},
		"the address as a token": {map[string]mask.Rule{"client_ip": {Class: mask.Class(mask.IP), Method: mask.Tokenise}}, func(e *weblog.Event) {
			s := token("ip", "203.0.113.77")
			e.ClientIP = &s
		}},
		"the address dropped, the user enciphered": {map[string]mask.Rule{"client_ip": {Class: mask.Class(mask.IP), Method: mask.Drop}, "user": {Class: mask.User, Method: mask.FPE}}, func(e *weblog.Event) {
			var out []byte
			out, _ = mask.New("k1", [32]byte{1}, mask.Options{}).AppendField(nil, mask.User, mask.FPE, pii.Of([]byte("12345678")))
			s := string(out)
			e.ClientIP, e.User = nil, &s
		}},
		"texts redacted, words dropped": {map[string]mask.Rule{
			"path": {Class: mask.Text, Method: mask.Redact}, "query": {Class: mask.Text, Method: mask.Drop}, "referrer": {Class: mask.Text, Method: mask.Redact}, "user_agent": {Class: mask.Text, Method: mask.Redact},
			"method": {Class: mask.None, Method: mask.Redact}, "protocol": {Class: mask.None, Method: mask.Drop},
		}, func(e *weblog.Event) {
			gone := "REDACTED"
			e.Path, e.Query, e.Referrer, e.UserAgent, e.Method, e.Protocol = &gone, nil, &gone, &gone, &gone, nil
		}},
	} {
		got, _ := withPolicy(t, &mask.Policy{Fields: c.fields})
		want := plain
		c.change(&want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s\nuser %s", name, diff, said(got.User))
		}
	}
	if *plain.ClientIP != "203.0.113.0" || !strings.Contains(*plain.Query, "mail=tok_email_k1_") {
		t.Errorf("without a policy: %s, %s", said(plain.ClientIP), said(plain.Query))
	}
}

// TestWhatIsMaskedOtherwiseTellsNothingElsewhere: sessions know the campaign by query and
// referrer.
func TestWhatIsMaskedOtherwiseTellsNothingElsewhere(t *testing.T) {
	query, referrer := map[string]mask.Rule{"query": {Class: mask.Text, Method: mask.Redact}}, map[string]mask.Rule{"query": {Class: mask.Text, Method: mask.Drop}, "referrer": {Class: mask.Text, Method: mask.Drop}}
	for _, c := range []struct {
		fields map[string]mask.Rule
		touch  string
	}{{nil, "news"}, {query, "google"}, {referrer, "(direct)"}} {
		_, seen := withPolicy(t, &mask.Policy{Fields: c.fields})
		if !strings.Contains(string(seen.Touch), c.touch) {
			t.Errorf("%v: came from %q, want %s", c.fields, seen.Touch, c.touch)
		}
	}
}

func TestAPolicyOfFindingsHoldsInEveryText(t *testing.T) {
	p := &mask.Policy{Findings: map[mask.Type]mask.Method{mask.Email: mask.Redact}}
	w := accesslog.New(accesslog.Config{Masker: mask.New("k1", [32]byte{1}, p.RowOptions(nil)), Policy: p, Bots: botsByName{}, Count: func(*accesslog.Event) {}, Visit: func(*accesslog.Event) {}})
	process(t, w, record.Block{}, full)
	events, _, _, _ := w.Take()
	if got := *rowsOf[weblog.Event](events)[0].Query; got != "utm_source=News&mail=REDACTED" {
		t.Errorf("query %s", got)
	}
}

// TestEveryAllowedMethodMasksEveryField: nothing of the address, the user and the address in the query is left
// under policies that may be given.
func TestEveryAllowedMethodMasksEveryField(t *testing.T) {
	for name, class := range accesslog.Fields() {
		for _, method := range mask.Methods() {
			p := &mask.Policy{Fields: map[string]mask.Rule{name: {Class: class, Method: method}}}
			if p.Validate() != nil || p.CheckRule(accesslog.Fields(), name, p.Fields[name]) != nil {
				continue
			}
			e, seen := withPolicy(t, p)
			var texts []string
			for _, s := range []*string{&e.VisitorID, e.ClientIP, e.Method, e.Path, e.Query, e.Protocol, e.Referrer, e.UserAgent, e.User, e.Host, e.Request} {
				if s != nil {
					texts = append(texts, *s)
				}
			}
			all := strings.Join(texts, "\n") + string(seen.Touch) + string(seen.Query)
			for _, gone := range []string{"203.0.113.77", "12345678", "ann@example.com"} {
				if strings.Contains(all, gone) {
					t.Errorf("%s by %s: %s stays in\n%s", name, method, gone, all)
				}
			}
		}
	}
}
