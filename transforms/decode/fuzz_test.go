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

// poisoned puts line into the middle of a larger array, with text around it
// that would change the result if a byte of it were read.
func poisoned(line []byte) []byte {
	const before, after = `x:1 `, `" 1 "-" "-" "[]\x`
	whole := append(append([]byte(before), line...), after...)
	return whole[len(before) : len(before)+len(line)]
}

func FuzzParse(tf *testing.F) {
	f := mutate.Of(tf)
	for _, line := range []string{
		usualLine,
		head + get + ` 304 -`,
		`example.com:443 2001:db8::7 - J Doe [01/Jan/2017:05:29:60.5 +0530] "\x16\x03\"" 400 0 "\xc3\xa9" "a\\" 5 "x"`,
		"1.2.3.4:5 - a [b] \"c\" " + stamp + " \"GET  /\xc3\x28 \x00 HTTP/2\" 200 1 \"-\" \"5\"x\"",
		"\xef\xbb\xbf" + head + `"GET /`,
		`- - "" ` + stamp + ` "-" 408 - "" ""`,
	} {
		for _, format := range []byte{0, 1, 2, 3} {
			f.Add([]byte(line), format)
		}
	}
	f.Fuzz(func(t *testing.T, line []byte, format byte) {
		var (
			p   decode.Parser
			log decode.AccessLog
		)
		before := bytes.Clone(line)
		as := decode.Format(format % 5)
		reason := p.Parse(line, as, &log)
		if !bytes.Equal(before, line) {
			t.Fatal("Parse changed the line")
		}
		ms, ok := decode.EventTime(line)
		if reason == badrow.None && (!ok || ms != log.Time) {
			t.Fatalf("EventTime %d %v, Parse %d", ms, ok, log.Time)
		}
		if reason == badrow.TimeBounds && ok {
			t.Fatalf("EventTime %d of a line out of bounds", ms)
		}
		var got event
		if reason == badrow.None {
			got = show(&log)
			checkEvent(t, got, line)
		}

		// The same parser, the same line among other bytes: the same answer.
		if again := p.Parse(poisoned(line), as, &log); again != reason {
			t.Fatalf("reason %q, among other bytes %q", reason, again)
		}
		if reason == badrow.None {
			if diff := cmp.Diff(got, show(&log)); diff != "" {
				t.Fatalf("among other bytes (-alone +there):\n%s", diff)
			}
		}
		if there, okThere := decode.EventTime(poisoned(line)); there != ms || okThere != ok {
			t.Fatalf("EventTime %d %v, among other bytes %d %v", ms, ok, there, okThere)
		}
	})
}

// checkEvent holds what is true of every event, whatever the line.
func checkEvent(t *testing.T, e event, line []byte) {
	t.Helper()
	for _, s := range e.texts() {
		if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
			t.Errorf("a field holds %q", s)
		}
		if len(s) > 4*len(line) {
			t.Errorf("a field of %d bytes from a line of %d", len(s), len(line))
		}
	}
	if e.Request != "" && e.Method+e.Target+e.Protocol != "" || (e.Method == "") != (e.Target == "") {
		t.Errorf("neither a request nor none: %+v", e)
	}
	if e.Status < 0 || e.Status > 999 || e.Bytes < -1 {
		t.Errorf("status %d, bytes %d", e.Status, e.Bytes)
	}
	if e.Addr != "" && e.Client == "" {
		t.Errorf("an address without text: %+v", e)
	}
}

func FuzzDetect(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte(usualLine + "\n" + usualLine[:40]))
	f.Add([]byte("\n\r\n\x00" + `a:1 ` + usualLine + "\r\n" + head + get + " 200 1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		format := decode.Detect(data)
		if got, err := decode.ParseFormat(format.String()); format != decode.Unknown && (err != nil || got != format) {
			t.Errorf("Detect = %v", format)
		}
		// What Lines yields and the line ends between make up the data again.
		at := int64(0)
		for lines := decode.NewLines(data, 7); ; {
			line, offset, ok := lines.Next()
			if !ok {
				break
			}
			if offset-7 != at {
				t.Fatalf("a line at %d, want %d", offset-7, at)
			}
			if bytes.IndexByte(line, '\n') >= 0 {
				t.Fatalf("a line holds a line end: %q", line)
			}
			at += int64(len(line))
			at += int64(len(data[at:]) - len(bytes.TrimPrefix(bytes.TrimPrefix(data[at:], []byte("\r")), []byte("\n"))))
		}
		if at != int64(len(data)) {
			t.Fatalf("lines end at %d of %d", at, len(data))
		}
	})
}

func TestEventTimeAgreesWithParseOnRealLines(t *testing.T) {
	for _, name := range []string{"hackers_a", "semicomplete_2015-05-17_18"} {
		var (
			p   decode.Parser
			log decode.AccessLog
		)
		for lines := decode.NewLines(readLog(t, name), 0); ; {
			line, offset, ok := lines.Next()
			if !ok {
				break
			}
			reason := p.Parse(line, decode.Combined, &log)
			if ms, ok := decode.EventTime(line); reason != badrow.None || !ok || ms != log.Time {
				t.Fatalf("%s at %d: %q, EventTime %d %v, Parse %d", name, offset, reason, ms, ok, log.Time)
			}
		}
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	var (
		p     decode.Parser
		log   decode.AccessLog
		lines [][]byte
	)
	for _, s := range []string{
		usualLine,
		`example.com:443 2001:db8::7 - J Doe ` + stamp + ` "\x16\x03\"" 400 0 "\xc3\xa9" "a\\" 5 "x"`,
		`crawler.example.com - J\xc3\xbcrgen [18/May/2015:10:05:03 -0330] "GET /\"x\" HTTP/1.1" 200 1`,
		`fe80::1%eth0 - - ` + stamp + " \"\xff\x00\" 400 -",
		head + get + ` abc`,
		head + get + ` 200 1 "torn`,
		`rubbish`,
		`203.0.113.7 - - [no time] ` + get,
	} {
		lines = append(lines, []byte(s))
	}
	n := testing.AllocsPerRun(100, func() {
		for _, line := range lines {
			p.Parse(line, decode.Combined, &log)
			decode.EventTime(line)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations for %d lines", n, len(lines))
	}
}

func TestAMonstrousLineDoesNotKeepItsMemory(t *testing.T) {
	var (
		p   decode.Parser
		log decode.AccessLog
	)
	big := head + get + ` 200 1 "-" "` + strings.Repeat(`\x00`, 4<<20) + `"`
	if reason := p.Parse([]byte(big), decode.Combined, &log); reason != badrow.None {
		t.Fatal(reason)
	}
	if n := log.UserAgent.Len(); n != 4*4<<20 {
		t.Errorf("user agent of %d bytes, want %d", n, 4*4<<20)
	}
	small := []byte(head + get + ` 200 1 "-" "\x41"`)
	if reason := p.Parse(small, decode.Combined, &log); reason != badrow.None || string(pii.Reveal(log.UserAgent)) != "A" {
		t.Fatalf("after it: %q", reason)
	}
	if kept := decode.Scratch(&p); kept > 1<<20 {
		t.Errorf("the parser keeps %d bytes", kept)
	}
}
