package accesslog_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/badrow"
	"millrace/schemas/ledger"
	"millrace/schemas/raw"
	"millrace/schemas/record"
	"millrace/schemas/weblog"
	"millrace/transforms/accesslog"
)

const (
	albText = `https 2026-03-02T11:00:00.186641Z app/shop/50dc 203.0.113.9:2817 10.0.0.1:80 0.1 0.25 0.000001 502 500 34 366 "GET https://www.example.com:443/a?mail=ann@example.com HTTP/2.0" "Firefox" TLS_AES_128_GCM_SHA256 TLSv1.3 arn:x "Root=1-58337262-36d228ad5d99923122bbe354" "-" "-" 0 2026-03-02T11:00:00.000000Z "waf,forward" "-" "-"`
	cfText  = "2026-03-02\t11:00:01\tFRA56-P4\t392\t203.0.113.9\tGET\td1.cloudfront.net\t/\t200\t-\tFirefox\t-\tsession=secret\tHit\tid==\twww.example.com\thttps\t23\t0.042\t198.51.100.77\tTLSv1.3\tTLS_AES_128_GCM_SHA256\tHit\tHTTP/2.0"
	ngText  = `203.0.113.9 [02/Mar/2026:11:00:02 +0000] "GET / HTTP/1.1" 200 5 0.25 "502, 200"`
	ngRule  = "nginx $remote_addr [$time_local] \"$request\" $status $body_bytes_sent $request_time \"$upstream_status\""
	jsText  = `{"t":"2026-03-02T11:00:03Z","u":"/","ip":"203.0.113.9","id":"of ann@example.com","edge":"ann@example.com","secret":"hidden"}`
	jsRule  = "json @timestamp = t; url.path = u; client.address = ip; http.request.id = id; observer.name = edge"
	vpcText = "2 123456789010 eni-1 203.0.113.9 198.51.100.77 49761 443 6 20 4249 1772449204 1772449264 REJECT OK"
)

func TestOtherFormatsFillTheirColumns(t *testing.T) {
	w, _ := worker(accesslog.Config{Keep: keepPlain})
	var took []int64
	count := w.Count
	w.Count = func(e *accesslog.Event) { took = append(took, e.Took); count(e) }
	for _, b := range []struct{ format, text string }{
		{"alb", albText},
		{"cloudfront", "#Version: 1.0\n" + cfText + "\n\n"},
		{"combined", line(2, "/", "Firefox")},
		{ngRule, ngText + "\n" + ngText[:20]},
		{jsRule, jsText + "\n" + jsText[:20]},
		{"alb", albText}, // once more, from what is remembered
		{"vpcflow", vpcText + "\n2 1 eni-1 - - - - - - - 1772449204 1772449264 - NODATA"},
	} {
		block := record.Block{Source: source, Name: "test.log", Format: b.format, Data: []byte(b.text)}
		span, err := w.Lines(&block)
		if err != nil {
			t.Fatal(err)
		}
		w.Settle(span, span.First)
	}
	events, _, _, kept := w.Take()
	if err := events.Check(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range rowsOf[weblog.Event](events) {
		got = append(got, fmt.Sprint(e.Status, " ", show(e.Path), show(e.Host), show(e.DurationMs), show(e.BytesReceived), show(e.TargetStatus), show(e.Edge), show(e.EdgeResult), show(e.TLSVersion), show(e.TLSCipher), show(e.RequestID), e.PageView))
		if e.ClientIP == nil || *e.ClientIP != "203.0.113.0" {
			t.Errorf("client %s", show(e.ClientIP))
		}
	}
	alb := "502 /a www.example.com 350.001 34 500 app/shop/50dc waf,forward TLSv1.3 TLS_AES_128_GCM_SHA256 Root=1-58337262-36d228ad5d99923122bbe354 false"
	want := []string{
		alb,
		"200 / www.example.com 42 23 null FRA56-P4 Hit TLSv1.3 TLS_AES_128_GCM_SHA256 id== true",
		"200 / null null null null null null null null null true",
		"200 / null 250 null 200 null null null null null true",
		"0 / null null null null TOKEN null null null of TOKEN false",
		alb,
		"0 null null 60000 null null eni-1 REJECT null null null false",
	}
	for i := range got {
		got[i] = token.ReplaceAllString(got[i], "TOKEN")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int64{350_001, 42_000, -1, 250_000, -1, 350_001, 60_000_000}, took); diff != "" {
		t.Errorf("microseconds that aggregates hear of (-want +got):\n%s", diff)
	}
	l := w.TakeLedger()
	if diff := cmp.Diff(ledger.Ledger{In: 12, Events: 7, Bad: 2, Skipped: 3, Reasons: map[badrow.Reason]int64{badrow.Truncated: 2}}, l); diff != "" || !l.Balanced() {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
	formats := map[string]int{}
	for _, r := range rowsOf[raw.Row](kept) {
		formats[show(r.Format)]++
	}
	if diff := cmp.Diff(map[string]int{"alb ": 2, "cloudfront ": 1, "combined ": 1, ngRule + " ": 2, jsRule + " ": 2, "vpcflow ": 1}, formats); diff != "" {
		t.Errorf("raw rows by format (-want +got):\n%s", diff)
	}
}

func TestBlocksOfNoKnownFormatEndTheRun(t *testing.T) {
	w, _ := worker(accesslog.Config{})
	for _, format := range []string{"iis", "nginx", "json a = b"} {
		if _, err := w.Lines(&record.Block{Source: source, Format: format, Data: []byte("x\n")}); err == nil || !strings.Contains(err.Error(), "format") {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestLongLinesOfOtherFormatsAreFiledUnderTheirTime(t *testing.T) {
	w, _ := worker(accesslog.Config{From: 20514, To: 20514}) // 2026-03-02
	if _, err := w.Lines(&record.Block{Source: source, Format: "alb", Data: []byte(albText), Oversize: 5000}); err != nil {
		t.Fatal(err)
	}
	if _, bad, _, _ := w.Take(); bad.Len() != 1 {
		t.Errorf("%d bad rows", bad.Len())
	}
}

var token = regexp.MustCompile(`tok_email_k1_\w+`)

func keepPlain(dst, line []byte, _ record.Identity, _ string, _ int64) ([]byte, string) {
	return append(dst, line...), ""
}

// show is a value of a nullable column, with a space.
func show[T any](v *T) string {
	if v == nil {
		return "null "
	}
	return fmt.Sprint(*v) + " "
}
