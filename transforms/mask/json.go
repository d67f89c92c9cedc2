package mask

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"millrace/schemas/pii"
)

// JSON masks events that are JSON objects, by a policy. Not for concurrent use.
//
// Order of fields, white space outside of values and types are kept, but that a
// number which becomes a token is text. A dropped field is gone with its name.
// A rule for an object or a list holds for all that is in it; where its method
// needs a single value, the whole is dropped. Names are searched like text where
// a policy scans unknown fields: people use addresses as names.
type JSON struct {
	policy Policy
	masker *Masker
	rules  map[string]ruling // by path, found before
	in     []byte
	at     int
	path   []string
	text   []byte
	masked []byte
}

type ruling struct {
	class  Class
	method Method
	below  bool // no rule, but fields below may have one
}

// NewJSON makes a JSON masker; the policy must be valid.
func NewJSON(p Policy, keyID string, key [32]byte) *JSON {
	return &JSON{policy: p, masker: New(keyID, key, p.Options()), rules: map[string]ruling{}}
}

// ErrJSON tells that a text is no JSON object. It never quotes the text.
var ErrJSON = errors.New("masking an event: it is no JSON object")

const (
	maxDepth = 64
	maxRules = 1 << 14
)

// Append appends the masked event, or returns dst as it was and ErrJSON.
func (j *JSON) Append(dst []byte, event pii.Text) ([]byte, error) {
	j.in, j.at, j.path = pii.Reveal(event), 0, j.path[:0]
	if !json.Valid(j.in) {
		return dst, ErrJSON
	}
	begin := len(dst)
	dst = j.space(dst)
	if j.in[j.at] != '{' {
		return dst[:begin], ErrJSON
	}
	out, ok := j.object(dst, ruling{below: true}, 0)
	if !ok {
		return dst[:begin], fmt.Errorf("%w: more than %d levels lie in one another", ErrJSON, maxDepth)
	}
	return j.space(out), nil
}

// space copies white space.
func (j *JSON) space(dst []byte) []byte {
	from := j.at
	for j.at < len(j.in) && (j.in[j.at] == ' ' || j.in[j.at] == '\t' || j.in[j.at] == '\n' || j.in[j.at] == '\r') {
		j.at++
	}
	return append(dst, j.in[from:j.at]...)
}

// rule is the ruling for the present path, under that of what it lies in.
func (j *JSON) rule(over ruling) ruling {
	if !over.below {
		return over
	}
	key := strings.Join(j.path, ".")
	if r, ok := j.rules[key]; ok {
		return r
	}
	r := ruling{class: Text, method: j.policy.Unknown}
	if r.method == "" {
		r.method = Drop
	}
	if rule, ok := j.policy.Rule(j.path); ok {
		r = ruling{class: rule.Class, method: j.policy.Method(rule)}
	} else {
		for pattern := range j.policy.Fields {
			n := strings.Count(pattern, ".") + 1
			if n > len(j.path) && matches(strings.Join(strings.Split(pattern, ".")[:len(j.path)], "."), j.path) {
				r.below = true
			}
		}
	}
	if len(j.rules) < maxRules {
		j.rules[key] = r
	}
	return r
}

// object copies an object with its members masked; false when it is too deep.
func (j *JSON) object(dst []byte, over ruling, depth int) ([]byte, bool) {
	if depth > maxDepth {
		return dst, false
	}
	dst = append(dst, '{')
	j.at++
	first := true
	for {
		before := len(dst)
		dst = j.space(dst)
		if j.in[j.at] == '}' {
			j.at++
			return append(dst, '}'), true
		}
		if j.in[j.at] == ',' {
			j.at++
			dst = j.space(dst)
		}
		if !first {
			dst = append(dst[:before], append([]byte{','}, dst[before:]...)...)
		}
		raw := j.stringEnd()
		name, _ := unquote(nil, raw)
		j.path = append(j.path, string(name))
		r := j.rule(over)
		dst = j.name(dst, raw, r)
		dst = j.space(dst)
		j.at++ // the colon
		dst = j.space(append(dst, ':'))
		var kept, ok bool
		dst, kept, ok = j.value(dst, r, depth+1)
		j.path = j.path[:len(j.path)-1]
		if !ok {
			return dst, false
		}
		if kept {
			first = false
		} else {
			dst = dst[:before]
		}
	}
}

// name copies a member's name; one that no rule names is searched.
func (j *JSON) name(dst, raw []byte, r ruling) []byte {
	if r.method != Scan {
		return append(dst, raw...)
	}
	return j.string(dst, raw, Text, Scan)
}

// list copies a list with its elements masked.
func (j *JSON) list(dst []byte, over ruling, depth int) ([]byte, bool) {
	if depth > maxDepth {
		return dst, false
	}
	dst = append(dst, '[')
	j.at++
	for first := true; ; {
		before := len(dst)
		dst = j.space(dst)
		if j.in[j.at] == ']' {
			j.at++
			return append(dst, ']'), true
		}
		if j.in[j.at] == ',' {
			j.at++
			dst = j.space(dst)
		}
		if !first {
			dst = append(dst[:before], append([]byte{','}, dst[before:]...)...)
		}
		var kept, ok bool
		if dst, kept, ok = j.value(dst, over, depth+1); !ok {
			return dst, false
		}
		if kept {
			first = false
		} else {
			dst = dst[:before]
		}
	}
}

// value copies a value, masked; kept is false when nothing of it may stay.
func (j *JSON) value(dst []byte, r ruling, depth int) (out []byte, kept, ok bool) {
	switch c := j.in[j.at]; {
	case c == '{' || c == '[':
		if !r.below && r.method != Keep && r.method != Scan && r.method != Drop && c == '{' {
			r.method = Drop // a single value was expected
		}
		if r.method == Drop && !r.below {
			from := len(dst)
			dst, _, ok = j.walk(dst, ruling{method: Keep}, depth)
			return dst[:from], false, ok
		}
		dst, _, ok = j.walk(dst, r, depth)
		return dst, true, ok
	case c == '"':
		raw := j.stringEnd()
		if r.method == Drop {
			return dst, false, true
		}
		return j.string(dst, raw, r.class, r.method), true, true
	default:
		from := j.at
		for j.at < len(j.in) && !bytes.ContainsRune([]byte(",]} \t\r\n"), rune(j.in[j.at])) {
			j.at++
		}
		out, kept = j.literal(dst, j.in[from:j.at], r)
		return out, kept, true
	}
}

func (j *JSON) walk(dst []byte, r ruling, depth int) ([]byte, bool, bool) {
	var ok bool
	if j.in[j.at] == '{' {
		dst, ok = j.object(dst, r, depth)
	} else {
		dst, ok = j.list(dst, r, depth)
	}
	return dst, true, ok
}

// literal copies a number, true, false or null. The last three tell nothing that
// a schema does not, unless the field is to go.
func (j *JSON) literal(dst, raw []byte, r ruling) ([]byte, bool) {
	if r.method == Drop {
		return dst, false
	}
	if c := raw[0]; c == 'n' || r.method == Keep || c != '-' && !isDigit(c) && r.method == Scan {
		return append(dst, raw...), true
	}
	from := len(dst)
	out, _ := j.masker.AppendField(dst, r.class, r.method, pii.Of(raw))
	made := out[from:]
	if bytes.Equal(made, raw) {
		return out, true
	}
	if isNumber(made) {
		return out, true
	}
	j.text = append(j.text[:0], made...)
	return appendQuoted(out[:from], j.text), true
}

func isNumber(b []byte) bool {
	if len(b) > 1 && b[0] == '0' && isDigit(b[1]) {
		return false
	}
	_, err := strconv.ParseFloat(string(b), 64)
	return err == nil && json.Valid(b)
}

// string copies a string's masked value.
func (j *JSON) string(dst, raw []byte, c Class, m Method) []byte {
	if m == Keep {
		return append(dst, raw...)
	}
	var clean bool
	j.text, clean = unquote(j.text[:0], raw)
	j.masked, _ = j.masker.AppendField(j.masked[:0], c, m, pii.Of(j.text))
	if clean && bytes.Equal(j.masked, j.text) {
		return append(dst, raw...)
	}
	return appendQuoted(dst, j.masked)
}

// stringEnd returns the string that begins here, quotes included, and goes on
// behind it.
func (j *JSON) stringEnd() []byte {
	from := j.at
	for j.at++; j.in[j.at] != '"'; j.at++ {
		if j.in[j.at] == '\\' {
			j.at++
		}
	}
	j.at++
	return j.in[from:j.at]
}

// unquote appends the text of a JSON string; clean tells that it had no escapes
// and is UTF-8, so that the text is what stands between the quotes.
func unquote(dst, raw []byte) (text []byte, clean bool) {
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return append(dst, inner...), true
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return dst, false
	}
	return append(dst, s...), false
}

// appendQuoted appends a JSON string.
func appendQuoted(dst, text []byte) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(string(text)); err != nil {
		return append(dst, `"`+redacted+`"`...)
	}
	return append(dst, bytes.TrimRight(b.Bytes(), "\n")...)
}
