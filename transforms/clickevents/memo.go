package clickevents

import "strings"

// memo remembers what texts became that come often.
type memo map[string]string

const (
	maxMemo     = 1 << 16 // texts; a full memo starts anew
	maxRepeated = 256     // bytes: longer texts hardly repeat
)

func (m memo) find(text string) (became string, ok bool) {
	became, ok = m[text]
	return became, ok
}

func (m *memo) keep(text string, became []byte) {
	if len(text) > maxRepeated {
		return
	}
	if *m == nil || len(*m) >= maxMemo {
		*m = memo{}
	}
	(*m)[strings.Clone(text)] = string(became)
}
