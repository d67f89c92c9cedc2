package decode_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/schemas/badrow"
	"millrace/schemas/pii"
	"millrace/transforms/decode"
)

// fuzzSpecs are the decoders that are fuzzed, by the number in a case.
var fuzzSpecs = []string{"alb", "cloudfront", ngSpec, "apigateway", "json @timestamp = t; url.original = u; client.address = a.b; user_agent.original = h", "nginx $msec $uri", "vpcflow"}

// FuzzOtherLogs: whatever the line, an event's fields are text, the line stays as
// it is, and bytes behind it change nothing.
func FuzzOtherLogs(tf *testing.F) {
	f := mutate.Of(tf)
	for i := range fuzzSpecs {
		for _, line := range []string{albLine, cfLine, ngLine, gwLine, `{"t":1e3,"u":"\u00e4\ud800","a":{"b":[]}}`, "\x00\xff\t\"\\", strings.Repeat(`[{"a":`, 40)} {
			f.Add([]byte(line), uint8(i))
		}
	}
	f.Fuzz(func(t *testing.T, line []byte, which uint8) {
		d := open(t, fuzzSpecs[int(which)%len(fuzzSpecs)])
		before := bytes.Clone(line)
		var log decode.AccessLog
		skip, reason := d.Decode(line, &log)
		if !bytes.Equal(before, line) {
			t.Fatal("Decode changed the line")
		}
		var got event
		if !skip && reason == badrow.None {
			got = show(&log)
			for _, s := range got.texts() {
				if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
					t.Fatalf("%q is no text", s)
				}
			}
		}
		for _, text := range []pii.Text{d.Detail().Forwarded, d.Detail().Place, d.Detail().Result, d.Detail().RequestID, d.Detail().TLSVersion, d.Detail().TLSCipher} {
			if s := string(pii.Reveal(text)); !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
				t.Fatalf("%q is no text", s)
			}
		}
		if ms, ok := d.EventTime(line); !skip && reason == badrow.None && (!ok || ms != log.Time) {
			t.Fatalf("event time %d %v, want %d", ms, ok, log.Time)
		}
		skip2, reason2 := d.Decode(poisoned(line), &log)
		if skip2 != skip || reason2 != reason {
			t.Fatalf("skip %v %v, reason %q, %q among other bytes", skip, skip2, reason, reason2)
		}
		if !skip && reason == badrow.None {
			if diff := cmp.Diff(got, show(&log)); diff != "" {
				t.Fatalf("among other bytes (-alone +there):\n%s", diff)
			}
		}
	})
}

func FuzzFlows(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add("2 123456789010 eni-1 192.0.2.12 198.51.100.7 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK", "")
	f.Add("2 - eni-1 - - - - - - - 1431280876 1431280934 - NODATA", "")
	f.Add("version start end srcaddr", "version start end srcaddr")
	f.Fuzz(func(t *testing.T, line, fields string) {
		d, err := decode.NewFlowDecoder(fields)
		if err != nil {
			return
		}
		var flow decode.Flow
		skip, reason := d.Decode([]byte(line), &flow)
		if !skip && reason == badrow.None && (flow.End < flow.Start || flow.SourcePort > 65535 || flow.DestPort > 65535 || flow.Protocol > 255) {
			t.Fatalf("%q: %+v", line, flow)
		}
	})
}

// FuzzGiven: a format that a person gives opens, is one line, and read again is
// the same.
func FuzzGiven(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add("json@m", "'@timestamp': t\nurl.path: u\n")
	f.Add("nginx@c#main", confText)
	f.Add("nginx@c", "$msec $uri")
	f.Add(ngSpec, "")
	f.Add("cloudfront date time sc-status", "")
	f.Fuzz(func(t *testing.T, text, content string) {
		spec, err := decode.Given(text, func(string) ([]byte, error) { return []byte(content), nil })
		if err != nil {
			return
		}
		if strings.ContainsAny(spec.String(), "\r\n") && !strings.ContainsAny(text, "\r\n") {
			t.Fatalf("%q has lines", spec)
		}
		again, err := decode.ParseSpec(spec.String())
		if err != nil || again != spec {
			t.Fatalf("%q was read again as %q, %v", spec, again, err)
		}
		if _, err := again.Open(); err != nil {
			t.Fatalf("%q does not open: %v", spec, err)
		}
	})
}
