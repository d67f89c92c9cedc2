package decode_test

import (
	"strings"
	"testing"

	"millrace/transforms/decode"
)

func TestDetect(t *testing.T) {
	const (
		common   = head + get + " 200 1\n"
		combined = usualLine + "\n"
		vhost    = "example.com:443 " + usualLine + "\n"
		bad      = "rubbish\n"
	)
	for _, c := range []struct {
		name, head string
		want       decode.Format
	}{
		{"nothing", "", decode.Unknown},
		{"nothing readable", strings.Repeat(bad, 10) + "\x00\xff", decode.Unknown},
		{"common", common, decode.Common},
		{"common with a space at the end", strings.Repeat(head+get+" 200 1 \n", 3), decode.Common},
		{"common with a quoted field of its own", strings.Repeat(head+get+" 200 1 \"10.0.0.1\"\n", 3), decode.Common},
		{"combined", combined, decode.Combined},
		{"combined with more fields", strings.Repeat(usualLine+" 0.003 \"x\"\n", 3), decode.Combined},
		{"combined with users of two words", strings.Repeat("h.example.com - J Doe "+stamp+" "+get+tail+"\n", 3), decode.Combined},
		{"vhost_combined", vhost, decode.VhostCombined},
		{"a server name without port", strings.Repeat("example.com "+combined, 2), decode.VhostCombined},
		{"CRLF", strings.ReplaceAll(combined+combined, "\n", "\r\n"), decode.Combined},
		{"the most frequent", common + combined + vhost + common, decode.Common},
		{"the richer of equals", common + combined, decode.Combined},
		{"unreadable lines do not count", strings.Repeat(bad, 100) + common, decode.Common},
		{"a single line without line end", usualLine, decode.Combined},
		{"a last line cut to look like another format", combined + head + get + " 200 1", decode.Combined},
		{"only the first 64 KiB count", combined + strings.Repeat("x", 64<<10) + "\n" + strings.Repeat(common, 3), decode.Combined},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := decode.Detect([]byte(c.head)); got != c.want {
				t.Errorf("Detect = %v, want %v", got, c.want)
			}
		})
	}
}

func TestFormatNames(t *testing.T) {
	for _, f := range []decode.Format{decode.Common, decode.Combined, decode.VhostCombined} {
		if got, err := decode.ParseFormat(f.String()); err != nil || got != f {
			t.Errorf("ParseFormat(%q) = %v, %v", f.String(), got, err)
		}
	}
	for _, name := range []string{"", "unknown", "Combined", "json"} {
		if got, err := decode.ParseFormat(name); err == nil || got != decode.Unknown {
			t.Errorf("ParseFormat(%q) = %v, %v, want an error", name, got, err)
		}
	}
	if got := decode.Format(200).String(); got != "unknown" {
		t.Errorf("Format(200) = %q", got)
	}
}

func TestLines(t *testing.T) {
	type at struct {
		line   string
		offset int64
	}
	for data, want := range map[string][]at{
		"":             nil,
		"a":            {{"a", 100}},
		"a\n":          {{"a", 100}},
		"a\r\nbc\n\nd": {{"a", 100}, {"bc", 103}, {"", 106}, {"d", 107}},
		"\n\r\n":       {{"", 100}, {"", 101}},
		"a\rb\r":       {{"a\rb", 100}},
	} {
		var got []at
		for lines := decode.NewLines([]byte(data), 100); ; {
			line, offset, ok := lines.Next()
			if !ok {
				break
			}
			if cap(line) != len(line) {
				t.Errorf("%q: capacity %d of a line of %d", data, cap(line), len(line))
			}
			got = append(got, at{string(line), offset})
		}
		if len(got) != len(want) {
			t.Errorf("%q: %v, want %v", data, got, want)
			continue
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%q: %v, want %v", data, got, want)
			}
		}
	}
}
