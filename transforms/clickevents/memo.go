package clickevents

import "strings"

// memo remembers what texts became that come often.
type memo map[string]*remembered

// remembered is what a text became, with its code in a batch.
type remembered struct {
	became string
	code   uint32
	batch  uint32 // its number; 0 for none
}

const (
	maxMemo     = 1 << 16 // texts; a full memo starts anew
	maxRepeated = 256     // bytes: longer texts hardly repeat
)

// find gives what is remembered of a text, nil for nothing.
func (m memo) find(text string) *remembered { return m[text] }

// keep remembers what a text became, and gives nil for one that is too long.
func (m *memo) keep(text string, became []byte) *remembered {
	if len(text) > maxRepeated {
		return nil
	}
	if *m == nil || len(*m) >= maxMemo {
		*m = memo{}
	}
	k := &remembered{became: string(became)}
	(*m)[strings.Clone(text)] = k
	return k
}
