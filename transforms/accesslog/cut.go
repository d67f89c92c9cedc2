package accesslog

import (
	"bytes"

	"millrace/schemas/record"
)

// minPart is the least that is worth a goroutine's attention.
const minPart = 16 << 10

// Cut divides the lines of a block into at most n parts of about equal size.
func Cut(b *record.Block, n int) [][]byte {
	if b.Oversize > 0 {
		return [][]byte{b.Data}
	}
	n = max(1, min(n, len(b.Data)/minPart))
	var parts [][]byte
	rest := b.Data
	for ; n > 1; n-- {
		at := len(rest) / n
		end := bytes.IndexByte(rest[at:], '\n')
		if end < 0 {
			break
		}
		parts = append(parts, rest[:at+end+1])
		rest = rest[at+end+1:]
	}
	if len(rest) > 0 || len(parts) == 0 {
		parts = append(parts, rest)
	}
	return parts
}

// SettleAll settles the workers that processed the parts of one block, in the
// order of the parts: what one cannot know, another may.
func SettleAll(workers []*Worker, spans []Span) {
	var near int64
	for _, s := range spans {
		if near = s.First; near != 0 {
			break
		}
	}
	for i, w := range workers {
		w.Settle(spans[i], near)
		if spans[i].Last != 0 {
			near = spans[i].Last
		}
	}
}

// Campaign is the value of utm_campaign in a query, empty when it has none.
func Campaign(query []byte) []byte {
	const name = "utm_campaign="
	for len(query) > 0 {
		pair, rest, _ := bytes.Cut(query, []byte{'&'})
		if len(pair) > len(name) && string(pair[:len(name)]) == name {
			return pair[len(name):]
		}
		query = rest
	}
	return nil
}
