package mask

import (
	"bytes"
	"math/bits"
	"net/netip"
)

// ipv4s finds dotted addresses of four numbers, unless they are the version of
// a product ("Chrome/126.0.0.0", "rv:1.9.2.8", "version 1.2.3.4"), and tells whether
// there is one.
func (s *scanner) ipv4s(l *layer) (found bool) {
	t, words := l.text, s.words
	for i := 0; i+3 < len(words); i++ {
		w := words[i]
		if w.end-w.start > 3 || !w.numeric() {
			continue
		}
		n := 1
		for ; n < 4; n++ {
			before, next := words[i+n-1], words[i+n]
			if next.start != before.end+1 || t[before.end] != '.' || next.end-next.start > 3 || !next.numeric() {
				break
			}
		}
		if n < 4 {
			i += n - 1
			continue
		}
		start, end := w.start, words[i+3].end
		if afterEscape(t, start) {
			i += 3 // decoded, it shows what stands before it
			continue
		}
		if bounded(t, start, end) && octets(t, words[i:i+4]) && !(s.truncates && t[end-1] == '0' && t[end-2] == '.') && !isVersion(t, start, end, s.where) {
			s.add(l, IP, start, end)
			found = true
		}
		i += 3
	}
	return found
}

// octets tells whether words of up to three digits are numbers up to 255 without
// leading zeros.
func octets(t []byte, words []word) bool {
	for _, w := range words {
		switch b := t[w.start:w.end]; {
		case len(b) > 1 && b[0] == '0', len(b) == 3 && (b[0] > '2' || b[0] == '2' && (b[1] > '5' || b[1] == '5' && b[2] > '5')):
			return false
		}
	}
	return true
}

var versionWords = []string{"rv:", "version ", "version/", "version=", "version: ", "ver. ", "release "}

// isVersion tells whether the dotted numbers t[i:end] follow the name of a product and
// a slash, "rv:", "v" or the word version, or are part of the name of an archive.
func isVersion(t []byte, i, end int, where Where) bool {
	if i == 0 {
		return false
	}
	for _, w := range versionWords {
		if i >= len(w) && hasFold(t[i-len(w):i], w) {
			return true
		}
	}
	if t[i-1] == '-' && i > 1 && isAlpha(t[i-2]) {
		return isArchive(t[end:]) // "app-1.2.3.4.zip"
	}
	if t[i-1] != '/' {
		return false
	}
	// A name before the slash is a product's unless it is a folder itself. A user agent
	// has no folders: "HTC/Explorer/1.29.166.3".
	n := i - 1
	for n > 0 && (isAlnum(t[n-1]) || t[n-1] == '.' || t[n-1] == '_' || t[n-1] == '-') {
		n--
	}
	if where == UserAgent {
		return n < i-1 && !bytes.HasSuffix(t[:n], []byte("://"))
	}
	if n == i-1 || !isAlpha(t[n]) {
		return false
	}
	return n == 0 || t[n-1] != '/'
}

var archives = []string{".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".exe", ".msi", ".dmg", ".pkg", ".deb", ".rpm", ".apk", ".jar", ".war", ".whl", ".js", ".css", ".min"}

// isArchive tells whether t begins with the end of a file's name.
func isArchive(t []byte) bool {
	for _, end := range archives {
		if hasFold(t, end) && (len(t) == len(end) || !joins(t[len(end)])) {
			return true
		}
	}
	return false
}

// ipWords make even the unspecified address a finding.
var ipWords = newWordSet([]string{"ip", "ipv", "addr", "src", "dst", "unspecified", "remote", "client", "host", "bind", "listen"})

// maxIPv6 is the longest spelling: six groups and a dotted address.
const maxIPv6 = 45

// colons finds what is written with colons: IPv6 and MAC addresses.
func (s *scanner) colons(l *layer) {
	t := l.text
	end := 0
	for c := nextByte(t, ':', 0); c >= 0; {
		lo, hi, colons := c, c+1, 1
		double := false
		for lo > end && (hexValue(t[lo-1]) < 16 || t[lo-1] == '.') {
			lo--
		}
		for hi < len(t) && (hexValue(t[hi]) < 16 || t[hi] == ':' || t[hi] == '.') {
			if t[hi] == ':' {
				colons++
				double = double || t[hi-1] == ':'
			}
			hi++
		}
		if (double || colons >= 5 && colons <= 7) && hi-lo <= maxIPv6+2 {
			s.colonsIn(l, lo, hi, colons, double)
		}
		end = hi
		if hi >= len(t) {
			return
		}
		c = nextByte(t, ':', hi)
	}
}

func (s *scanner) colonsIn(l *layer, lo, hi, colons int, double bool) {
	t := l.text
	if lo > 0 && joins(t[lo-1]) || hi < len(t) && joins(t[hi]) {
		return
	}
	for hi > lo && t[hi-1] == '.' {
		hi--
	}
	if hi-1 > lo && t[hi-1] == ':' && t[hi-2] != ':' {
		hi-- // "from 2001:db8::1: refused"
	}
	if l.tokenIn(lo, hi) {
		return
	}
	if colons == 5 && !double {
		if s.types&macType != 0 && isMAC(t[lo:hi], ':') {
			s.add(l, MAC, lo, hi)
		}
		return
	}
	if s.types&ipType == 0 {
		return
	}
	a, err := netip.ParseAddr(string(t[lo:hi]))
	if err != nil || s.truncates && TruncateAddr(a) == a {
		return
	}
	if hi-lo <= 2 && s.assume&ipType == 0 && !near(t, lo, ipWords) {
		return
	}
	s.add(l, IP, lo, hi)
}

// macs finds MAC addresses written with dashes, or in three groups with dots: at
// separators that stand as far apart.
func (s *scanner) macs(l *layer) {
	for b := range len(s.survey.blocks) - 1 {
		pairs, fours := s.survey.evenGaps(b)
		for ; pairs != 0; pairs &= pairs - 1 {
			s.macAt(l, b*blockLen+bits.TrailingZeros64(pairs), '-', 2, len("00-00-00-00-00-00"))
		}
		for ; fours != 0; fours &= fours - 1 {
			if i := b*blockLen + bits.TrailingZeros64(fours); l.text[i] == '.' && l.text[i+5] == '.' {
				s.macAt(l, i, '.', 4, len("0000.0000.0000"))
			}
		}
	}
}

// macAt adds the MAC address whose first separator is t[i].
func (s *scanner) macAt(l *layer, i int, sep byte, group, size int) {
	t, start, end := l.text, i-group, i-group+size
	if start >= 0 && end <= len(t) && t[i] == sep && isMAC(t[start:end], sep) && bounded(t, start, end) && !l.tokenIn(start, end) {
		s.add(l, MAC, start, end)
	}
}

// isMAC tells whether b is six hexadecimal pairs, or three groups of four, with
// one kind of separator.
func isMAC(b []byte, sep byte) bool {
	group := 2
	if sep == '.' {
		group = 4
	}
	if len(b) != 12+12/group-1 {
		return false
	}
	letters := false
	for i, c := range b {
		if i%(group+1) == group {
			if c != sep {
				return false
			}
			continue
		}
		if hexValue(c) > 15 {
			return false
		}
		letters = letters || isAlpha(c)
	}
	return sep == ':' || letters || sep == '-'
}
