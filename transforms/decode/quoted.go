package decode

import "bytes"

// quoted returns the length of a quoted field, b being what follows its opening
// quote, or -1 when it is never closed. The closing quote is the first unescaped
// one before a space or the end of the line; one that opens a word instead
// belongs to the next field, so this one was torn off.
func quoted(b []byte) int {
	n := bytes.IndexByte(b, '"')
	if n >= 0 && (n+1 == len(b) || b[n+1] == ' ') && (n == 0 || b[n-1] != '\\') {
		return n
	}
	return quotedSlow(b, n)
}

// quotedSlow goes on from the first quote, at n.
func quotedSlow(b []byte, n int) int {
	escapes := 0 // b[:escapes] has been searched for backslashes
	for n >= 0 {
		slashes := 0
		for n-slashes > escapes && b[n-1-slashes] == '\\' {
			slashes++
		}
		switch {
		case slashes%2 == 1:
		case n+1 == len(b), b[n+1] == ' ':
			return n
		case n > 0 && b[n-1] == ' ':
			return -1
		}
		escapes = n + 1
		next := bytes.IndexByte(b[n+1:], '"')
		if next < 0 {
			return -1
		}
		n += 1 + next
	}
	return -1
}

// hasOpenQuote tells whether a quoted field of b, one whose quote begins a word,
// is never closed.
func hasOpenQuote(b []byte) bool {
	for at := 0; ; {
		n := bytes.IndexByte(b[at:], '"')
		if n < 0 {
			return false
		}
		at += n + 1
		if at > 1 && b[at-2] != ' ' {
			continue
		}
		if n = quoted(b[at:]); n < 0 {
			return true
		}
		at += n + 1
	}
}
