package report

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
)

// The list of probe classes. A pattern matches anywhere in the text, after
// percent-decoding twice and in lower case; "in" says which text: the path, the
// target (path and query) or a request line that is no HTTP request line.
//
//go:embed probes.json
var probesJSON []byte

const (
	inPath    = "path"
	inTarget  = "target"
	inRequest = "request"
)

type probe struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Why      string   `json:"why"`
	In       string   `json:"in"`
	Match    []string `json:"match"`
	patterns [][]byte
	needs    []byteSet // of each pattern
}

var probes = mustProbes(probesJSON)

func mustProbes(text []byte) []probe {
	list, err := readProbes(text)
	if err != nil {
		panic(err)
	}
	return list
}

func readProbes(text []byte) ([]probe, error) {
	var list []probe
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("read list of probes: %w", err)
	}
	if len(list) > 32 {
		return nil, fmt.Errorf("read list of probes: %d classes, at most 32 fit", len(list))
	}
	for i, p := range list {
		if p.In != inPath && p.In != inTarget && p.In != inRequest {
			return nil, fmt.Errorf("read list of probes: class %s looks in %q", p.ID, p.In)
		}
		for _, m := range p.Match {
			if m == "" || m != strings.ToLower(m) {
				return nil, fmt.Errorf("read list of probes: class %s has the pattern %q, which can never or always match", p.ID, m)
			}
			list[i].patterns = append(list[i].patterns, []byte(m))
			list[i].needs = append(list[i].needs, bytesOf([]byte(m)))
		}
	}
	return list, nil
}

// A decoder undoes percent-encoding into buffers that it keeps.
type decoder struct{ a, b []byte }

// once decodes one layer. The result lives until the next call.
func (d *decoder) once(text []byte) []byte {
	d.a = unescape(d.a[:0], text)
	return d.a
}

// fold decodes two layers, since probes hide behind double encoding, reads '+'
// behind a question mark as a space and lowers ASCII letters. The result lives until the next call.
func (d *decoder) fold(text []byte) []byte {
	d.a = unescape(d.a[:0], text)
	d.b = unescape(d.b[:0], d.a)
	query := false
	for i, c := range d.b {
		query = query || c == '?'
		switch {
		case 'A' <= c && c <= 'Z':
			d.b[i] = c + 'a' - 'A'
		case c == '+' && query:
			d.b[i] = ' '
		}
	}
	return d.b
}

func unescape(dst, text []byte) []byte {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '%' && i+2 < len(text) {
			hi, lo := hexDigit(text[i+1]), hexDigit(text[i+2])
			if hi < 16 && lo < 16 {
				c = hi<<4 | lo
				i += 2
			}
		}
		dst = append(dst, c)
	}
	return dst
}

func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}
