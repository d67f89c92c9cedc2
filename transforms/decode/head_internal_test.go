package decode

import (
	"bytes"
	"testing"

	"millrace/internal/mutate"
	"millrace/schemas/badrow"
	"millrace/schemas/pii"
)

// FuzzUsualHead: what the quick way accepts, the general way reads alike.
func FuzzUsualHead(tf *testing.F) {
	f := mutate.Of(tf)
	const stamp = ` [17/May/2015:10:05:03 +0000] "`
	for _, line := range []string{
		`203.0.113.7 - -` + stamp,
		`203.0.113.7 - a[b]` + stamp,
		`203.0.113.7 - ""` + stamp,
		`203.0.113.7 - J\xc3\xbcrgen` + stamp,
		`example.com:443 203.0.113.7 - frank` + stamp,
		`[2001:db8::1]:443 203.0.113.7 - -` + stamp,
		`198.51.100.1 203.0.113.7 - -` + stamp,
		`203.0.113.7 - - [17/May/2015:10:05:03 +000]] "`,
	} {
		f.Add([]byte(line), false)
		f.Add([]byte(line), true)
	}
	f.Fuzz(func(t *testing.T, line []byte, servers bool) {
		as := Combined
		if servers {
			as = VhostCombined
		}
		var usual, general Parser
		var a, b AccessLog
		usual.plain, general.plain = isPlain(line), isPlain(line)
		stamp := usual.readUsualHead(line, as, &a)
		if stamp == 0 {
			return
		}
		reason := usual.readTime(line[stamp:stamp+stampLen], &a)
		if reason == badrow.Timestamp {
			return
		}
		next, generalReason := general.readAnyHead(line, as, &b)
		if next != stamp+stampLen+len(afterStamp) || generalReason != reason || a.Time != b.Time || a.Addr != b.Addr ||
			usual.layout != general.layout || !bytes.Equal(a.VHost, b.VHost) ||
			!bytes.Equal(pii.Reveal(a.Client), pii.Reveal(b.Client)) || !bytes.Equal(pii.Reveal(a.User), pii.Reveal(b.User)) {
			t.Errorf("%q: the two ways differ", line)
		}
	})
}
