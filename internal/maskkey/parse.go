package maskkey

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// cure ends the errors about content.
const cure = "make one with `openssl rand -hex 32`"

// Parse reads keys. Accepted are
//
//   - lines "id:64 hexadecimal digits", the first being the active key; blank
//     lines and lines that begin with # are skipped,
//   - 64 hexadecimal digits,
//   - 32 bytes in base64, standard or URL alphabet, padded or not,
//   - exactly 32 raw bytes.
//
// The last three have no id; the key is then called "k" and the first 6 digits
// of its check value. Errors name the line, never its content.
func Parse(content []byte) (Ring, error) {
	text := strings.TrimSpace(string(content))
	switch {
	case len(content) == 0 || text == "" && len(content) != Size:
		return Ring{}, fmt.Errorf("no key in it: %s", cure)
	case isHex(text) && len(text) == 2*Size:
		b, _ := hex.DecodeString(text)
		return bare(b)
	case isHex(text) && len(content) <= 2*Size+2:
		return Ring{}, fmt.Errorf("%d hexadecimal digits where a key has 64: %s", len(text), cure)
	case len(content) == Size:
		return bare(content)
	}
	if b, ok := decodeBase64(text); ok {
		return bare(b)
	}
	if !strings.Contains(text, ":") {
		return Ring{}, fmt.Errorf("neither \"id:64 hexadecimal digits\", 64 hexadecimal digits, 32 bytes in base64 nor 32 raw bytes (it has %d bytes): %s", len(content), cure)
	}
	return parseLines(content)
}

// parseLines reads a ring, one key a line.
func parseLines(content []byte) (Ring, error) {
	var keys []Key
	n := 0
	for line := range bytes.Lines(content) {
		n++
		s := strings.TrimSpace(string(line))
		if s == "" || s[0] == '#' {
			continue
		}
		k, err := parseLine(s)
		if err != nil {
			return Ring{}, fmt.Errorf("line %d: %w", n, err)
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return Ring{}, fmt.Errorf("only comments in it: %s", cure)
	}
	return NewRing(keys[0], keys[1:]...)
}

func parseLine(s string) (Key, error) {
	id, digits, ok := strings.Cut(s, ":")
	if !ok {
		return Key{}, errors.New("want id:64 hexadecimal digits")
	}
	id, digits = strings.TrimSpace(id), strings.TrimSpace(digits)
	if !isHex(digits) || len(digits) != 2*Size {
		return Key{}, fmt.Errorf("want 64 hexadecimal digits after the id, have %d characters: %s", len(digits), cure)
	}
	var secret [Size]byte
	if _, err := hex.Decode(secret[:], []byte(digits)); err != nil {
		return Key{}, errors.New("want 64 hexadecimal digits after the id")
	}
	return New(id, secret)
}

// bare makes a ring of one key that came without an id.
func bare(b []byte) (Ring, error) {
	secret := [Size]byte(b)
	k, err := New("k"+checkValue(secret)[:6], secret)
	if err != nil {
		return Ring{}, fmt.Errorf("%w: %s", err, cure)
	}
	return NewRing(k)
}

func decodeBase64(s string) ([]byte, bool) {
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if b, err := enc.Strict().DecodeString(s); err == nil && len(b) == Size {
			return b, true
		}
	}
	return nil, false
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; (c < 'a' || c > 'f') && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}
