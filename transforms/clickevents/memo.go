package clickevents

import "github.com/cespare/xxhash/v2"

// memo remembers what texts became that come often. The texts lie end to end and are found
// through an open hash table of their numbers: there are very many, and the garbage
// collector would follow each pointer of them again and again.
type memo struct {
	known  []remembered
	places []uint32 // a power of two, at most half of them taken: numbers plus one; 0 for a free place
	texts  []byte
}

// remembered is what a text became, with its code in a batch.
type remembered struct {
	hash  uint64
	at    uint32 // where its text begins, behind which lies what it became
	text  uint16 // its length
	code  uint32
	batch uint32 // its number; 0 for none
	end   uint32 // of what it became
}

const (
	maxMemo     = 1 << 16 // texts; a full memo starts anew
	maxRepeated = 256     // bytes: longer texts hardly repeat
	firstPlaces = 64
)

// find gives what is remembered of a text, nil for nothing. It holds until keep.
func (m *memo) find(text string) *remembered {
	if len(m.places) == 0 {
		return nil
	}
	hash := xxhash.Sum64String(text)
	mask := uint64(len(m.places) - 1)
	for i := hash & mask; m.places[i] != 0; i = (i + 1) & mask {
		k := &m.known[m.places[i]-1]
		if k.hash == hash && string(m.texts[k.at:k.at+uint32(k.text)]) == text {
			return k
		}
	}
	return nil
}

// keep remembers what a text became that is not known, and gives nil for one that is too long.
func (m *memo) keep(text string, became []byte) *remembered {
	if len(text) > maxRepeated {
		return nil
	}
	if len(m.known) == maxMemo {
		m.forget()
	}
	if 2*len(m.known) >= len(m.places) {
		m.places = make([]uint32, max(firstPlaces, 2*len(m.places)))
		for n := range m.known {
			m.place(n)
		}
	}
	at := uint32(len(m.texts))
	m.texts = append(append(m.texts, text...), became...)
	m.known = append(m.known, remembered{hash: xxhash.Sum64String(text), at: at, text: uint16(len(text)), end: uint32(len(m.texts))})
	m.place(len(m.known) - 1)
	return &m.known[len(m.known)-1]
}

// place puts a number where its hash leads.
func (m *memo) place(n int) {
	mask := uint64(len(m.places) - 1)
	i := m.known[n].hash & mask
	for m.places[i] != 0 {
		i = (i + 1) & mask
	}
	m.places[i] = uint32(n + 1)
}

// became is what a text became.
func (m *memo) became(k *remembered) []byte {
	from := k.at + uint32(k.text)
	return m.texts[from:k.end:k.end]
}

// forget empties the memo, whose memory is used again.
func (m *memo) forget() {
	clear(m.places)
	m.known, m.texts = m.known[:0], m.texts[:0]
}
