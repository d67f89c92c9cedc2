package decode_test

import (
	"strings"
	"testing"

	"millrace/schemas/badrow"
	"millrace/transforms/decode"
)

func TestRefusedLines(t *testing.T) {
	at := func(stamp string) string { return `203.0.113.7 - - [` + stamp + `] ` + get + tail }
	for reason, lines := range map[badrow.Reason][]string{
		badrow.Truncated: {
			head + `"GET /a`,
			head + `"`,
			head + get + ` 200 1234 "http://exam`,
			head + get + ` 200 1234 "-" "Mozilla/5.0`,
			head + get + ` 200 1234 "-" "Mozilla/5.0\"`,
			head + get + ` 200 1234 "-" "Mozilla/5.0\\\"`,
			head + get + ` 200 1234 "-" "Mozilla/5.0" "10.0.0`,
			head + get + ` 200 1234 "-"`,
			head + get + ` 200 1234 "-" `,
			head + get + ` 200 `,
			head + get + ` 200`,
			head + get + ` 20`,
			head + get + ` `,
			head + get,
			head,
			strings.TrimSuffix(head, " "),
			`203.0.113.7 - - [17/May/2015:10:0`,
			`203.0.113.7 - - [`,
			`203.0.113.7 - J Doe [17/May`,
			`crawler.example.com - - [17/May`,
			`203.0.113.7 - `,
			`203.0.113.7`,
			`2001:db8::7 -`,
			// whatever else is wrong
			head + get + ` abc 1234 "-" "Mozilla/5.0`,
			`203.0.113.7 - - [no time] ` + get + ` 200 1234 "-" "Mozilla/5.0`,
			`203.0.113.7 - - [17/May/1994:10:05:03 +0000] ` + get + ` 200 1234 "-" "Mozilla/5.0`,
			`rubbish "never closed`,
			// two lines torn into one
			head + get + ` 200 1234 "-" "Mozil` + usualLine,
			head + `"GET /a` + usualLine,
		},
		badrow.Format: {
			``, ` `, `-`, `"`[:0] + `rubbish`,
			"\x00\x00\x00\x00", "\xff\xfe1\x002\x00",
			`# Fields: date time`,
			`[17/May/2015:10:05:03 +0000] ` + get + tail,
			`203.0.113.7 [17/May/2015:10:05:03 +0000] ` + get + tail,
			`203.0.113.7 - [17/May/2015:10:05:03 +0000] ` + get + tail,
			` ` + usualLine,
			"\x00\x00" + usualLine,
			`caf` + "\xc3\xa9" + ` - - ` + stamp + ` ` + get + tail,
			`jane@example.com ` + usualLine,
			`203.0.113.7 - -` + stamp + ` ` + get + tail,
			`203.0.113.7 - - ` + stamp + get + tail,
			`203.0.113.7 - - ` + stamp + ` GET / 200 1`,
			`[Sun Oct 25 04:11:25 2015] [error] [client 203.0.113.7] File does not exist: /x`,
			`2015/10/25 04:11:25 [error] 1#1: *2 open() failed, request: "GET / HTTP/1.1"`,
			`{"time":"2015-10-25T04:11:25Z","status":200}`,
			strings.Repeat("a", 262) + ` - - ` + stamp + ` ` + get + tail,
		},
		badrow.Timestamp: {
			at(`17/May/2015:10:05:03`), at(`17/May/2015:10:05:03 +00`), at(`17/May/2015:10:05:03 00000`),
			at(`17/May/2015:10:05:03 +0060`), at(`17/May/2015:10:05:03 +2400`), at(`17/May/2015:10:05:03 UTC`),
			at(`17/May/2015:24:05:03 +0000`), at(`17/May/2015:10:60:03 +0000`), at(`17/May/2015:10:05:61 +0000`),
			at(`17/May/2015:1a:05:03 +0000`), at(`17/May/2015:10.05:03 +0000`), at(`17/May/2015 10:05:03 +0000`),
			at(`00/May/2015:10:05:03 +0000`), at(`32/May/2015:10:05:03 +0000`), at(`31/Apr/2015:10:05:03 +0000`),
			at(`29/Feb/2015:10:05:03 +0000`), at(`29/Feb/1900:10:05:03 +0000`), at(`17/Mai/2015:10:05:03 +0000`),
			at(`17/05/2015:10:05:03 +0000`), at(`1/May/2015:10:05:03 +0000`), at(`17/May/15:10:05:03 +0000`),
			at(`2015-05-17T10:05:03+00:00`), at(`1431857103`), at(``), at(`-`),
			at(`17/May/2015:10:05:03. +0000`), at(`17/May/2015:10:05:03.1x +0000`), at(`17/May/2015:10:05:03.1234567890 +0000`),
			at("17/May/2015:10:05:0\xff +0000"),
		},
		badrow.TimeBounds: {
			at(`31/Dec/1994:23:59:59 +0000`), at(`01/Jan/1995:00:59:59 +0100`),
			at(`01/Jan/1970:00:00:00 +0000`), at(`01/Jan/0000:00:00:00 +0000`),
		},
		badrow.Number: {
			head + get + ` abc 1234 "-" "-"`, head + get + ` 20 1234 "-" "-"`, head + get + ` 2000 1234 "-" "-"`,
			head + get + ` -20 1234 "-" "-"`, head + get + ` - 1234 "-" "-"`, head + get + ` 2 5`,
			head + get + ` 200 12a4 "-" "-"`, head + get + ` 200 -5 "-" "-"`, head + get + ` 200 +5 "-" "-"`,
			head + get + ` 200  "-" "-"`, head + get + ` 200 1.5 "-" "-"`,
			head + get + ` 200 1000000000000000000 "-" "-"`,
			head + get + "  200 1234", head + get + " x",
		},
	} {
		t.Run(string(reason), func(t *testing.T) {
			for _, line := range lines {
				for _, f := range []decode.Format{decode.Combined, decode.VhostCombined} {
					if got, r := parse(line, f); r != reason {
						t.Errorf("as %v: reason %q, want %q, of %q\n%+v", f, r, reason, line, got)
					}
				}
			}
		})
	}
}

// A combined line cut anywhere is no event, except where what is left is a
// whole common line.
func TestALineCutAnywhereIsNoOtherEvent(t *testing.T) {
	line := `2001:db8::7 - J Doe ` + stamp + ` "GET /a \"b\" HTTP/1.1" 200 1234 "http://example.org/" "Mozilla/5.0 (X11)"`
	size := strings.Index(line, "1234")
	for n := range len(line) {
		e, reason := parse(line[:n], decode.Combined)
		switch {
		case n > size && n <= size+len("1234"):
			if reason != badrow.None || e.UserAgent != "" {
				t.Errorf("cut at %d: reason %q, want a common line", n, reason)
			}
		case reason == badrow.None:
			t.Errorf("cut at %d: an event %+v", n, e)
		case reason != badrow.Truncated && n > len("2001:db8::7"):
			t.Errorf("cut at %d: reason %q, want truncated: %q", n, reason, line[:n])
		}
	}
}
