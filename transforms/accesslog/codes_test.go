package accesslog_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"millrace/schemas/badrow"
	"millrace/schemas/record"
	"millrace/schemas/weblog"
	"millrace/transforms/accesslog"
	"millrace/transforms/enrich"
	"millrace/transforms/mask"
)

// coded are the events that lines become with a table of codes.
func coded(t *testing.T, by string, p *mask.Policy, table *enrich.Codes, lines ...string) []weblog.Event {
	t.Helper()
	w, _ := worker(accesslog.Config{Policy: p, References: &accesslog.References{Codes: func() (*enrich.Codes, error) { return table, nil }, CodesBy: by, Bots: "b"}})
	process(t, w, record.Block{}, lines...)
	events, bad, _, _ := w.Take()
	if bad.Len() != 0 || events.Check() != nil {
		t.Fatalf("%d bad rows, %v", bad.Len(), events.Check())
	}
	return rowsOf[weblog.Event](events)
}

func codesTable(t *testing.T, content, key string) *enrich.Codes {
	t.Helper()
	c, err := enrich.ParseCodes("csv", []byte(content), key)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCodesAreLookedUpByAFieldAsItCame(t *testing.T) {
	entry := line(2, "/shop?x=1", "Firefox")
	entry = strings.Replace(entry, " - - ", " - ann ", 1)
	for by, c := range map[string]struct{ table, want string }{
		"client_ip": {"client_ip,site,floor\n203.0.113.9,Berlin,3\n", `{"site":"Berlin","floor":"3"}`},
		"user":      {"user,unit\nann,Sales\n", `{"unit":"Sales"}`},
		"path":      {"path,page\n/shop,\"the \"\"shop\"\"\"\n", `{"page":"the \"shop\""}`},
		"status":    {"status,means,\n200,OK,\n", `{"means":"OK"}`},
		"method":    {"method\nGET\n", `{}`},
		"host":      {"host,site\nshop.example,Shop\n", ""},
		"edge":      {"edge,site\nFRA,Frankfurt\n", ""},
	} {
		table := codesTable(t, c.table, by)
		events := coded(t, by, nil, table, entry, entry)
		for i, e := range events {
			got := ""
			if e.Codes != nil {
				got = *e.Codes
			}
			if got != c.want || !strings.Contains(*e.Enrichment, "codes="+table.Version()) {
				t.Errorf("by %s, event %d: codes %q, want %q; %s", by, i, got, c.want, *e.Enrichment)
			}
		}
	}
	if len(accesslog.CodesFields()) != 7 {
		t.Errorf("fields that are not tested: %v", accesslog.CodesFields())
	}
}

// TestWhatATableSaysIsMaskedToo: its maker need not think of who reads events.
func TestWhatATableSaysIsMaskedToo(t *testing.T) {
	table := codesTable(t, "user,mail\nann,ann@example.com\n", "user")
	entry := strings.Replace(line(2, "/", "x"), " - - ", " - ann ", 1)
	if got := *coded(t, "user", nil, table, entry)[0].Codes; !strings.HasPrefix(got, `{"mail":"tok_email_k1_`) {
		t.Errorf("codes %s", got)
	}
	p := &mask.Policy{Fields: map[string]mask.Rule{"codes": {Class: mask.Text, Method: mask.Redact}}}
	if got := *coded(t, "user", p, table, entry)[0].Codes; got != `{"mail":"REDACTED"}` {
		t.Errorf("codes under a policy: %s", got)
	}
}

// TestAWorkerThatForgetsMakesItsTokensAgain: who keeps what they stand for forgets with it.
func TestAWorkerThatForgetsMakesItsTokensAgain(t *testing.T) {
	table := codesTable(t, "user,mail\nann,ann@example.com\n", "user")
	entry := strings.Replace(line(2, "/?mail=bob@example.com", "x carl@example.com"), " - - ", " - ann ", 1)
	entry = strings.Replace(entry, `"-"`, `"https://ref.example/?mail=dora@example.com"`, 1)
	told := map[string]bool{}
	p := &mask.Policy{Reversible: []mask.Class{mask.Class("email")}}
	w, _ := worker(accesslog.Config{
		Masker: mask.New("k1", [32]byte{1}, p.RowOptions(func(token []byte, _ string, _ []byte) { told[string(token)] = true })),
		Policy: p, References: &accesslog.References{Codes: func() (*enrich.Codes, error) { return table, nil }, CodesBy: "user", Bots: "b"},
	})
	for round := range 2 {
		process(t, w, record.Block{}, entry)
		w.Take()
		if len(told) != 5 { // of the user, and of each address
			t.Errorf("round %d: %d tokens were told: %v", round, len(told), told)
		}
		clear(told)
		w.Forget()
	}
}

func TestAMissingTableOfCodesFollowsThePolicy(t *testing.T) {
	gone := errors.New("gone")
	for missing, want := range map[enrich.Missing]string{enrich.Fail: "error", enrich.Flag: "1 events, 0 bad, codes=missing", enrich.BadRow: "0 events, 1 bad"} {
		w, _ := worker(accesslog.Config{References: &accesslog.References{Codes: func() (*enrich.Codes, error) { return nil, gone }, CodesBy: "user", Bots: "b", Missing: missing}})
		b := record.Block{Source: source, Name: "test.log", Format: "combined", Data: []byte(line(2, "/", "x") + "\n")}
		span, err := w.Lines(&b)
		got := "error"
		if err == nil {
			w.Settle(span, span.First)
			events, bad, _, _ := w.Take()
			got = fmt.Sprintf("%d events, %d bad", events.Len(), bad.Len())
			if events.Len() > 0 {
				e := rowsOf[weblog.Event](events)[0]
				got += ", " + (*e.Enrichment)[strings.Index(*e.Enrichment, "codes="):]
				if e.Codes != nil {
					t.Errorf("codes %s", *e.Codes)
				}
			} else if r := rowsOf[badrow.Row](bad)[0]; r.Reason != string(badrow.Reference) {
				t.Errorf("%s: %+v", missing, r)
			}
		} else if !errors.Is(err, gone) || !strings.Contains(err.Error(), "codes") {
			t.Errorf("%s: %v", missing, err)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", missing, got, want)
		}
	}
}
