package sessions

import (
	"strings"

	"millrace/transforms/internal/wire"
)

// Touch is where an event came from: the texts that the caller wants to see again,
// in an order of the caller's (source, medium, campaign, channel). It is empty
// where nobody knows. Texts have to be masked: a session's touches are stored.
type Touch string

// AppendTouch writes the texts of a touch for Event.Touch.
func AppendTouch(dst []byte, texts ...[]byte) []byte {
	for _, t := range texts {
		dst = wire.AppendText(dst, t)
	}
	return dst
}

// Texts are those that AppendTouch was given; nil for an empty touch, and for one that it
// did not write.
func (t Touch) Texts() []string {
	var out []string
	in := wire.NewReader([]byte(t))
	for in.Rest() > 0 {
		out = append(out, string(in.Text()))
	}
	if in.Err() != nil {
		return nil
	}
	return out
}

// touches are those of a summary that sessions tell of. A mark's path is the touch;
// where it is empty there is none.
type touches struct {
	entry  mark // the first
	first  mark // the first that is not direct
	last   mark // the last that is not direct
	direct bool // whether entry is
}

// compareTouches orders by time and origin; the touch itself decides only between
// copies of one event that differ.
func compareTouches(a, b *mark) int {
	if c := a.compare(b); c != 0 {
		return c
	}
	return strings.Compare(a.path, b.path)
}

func (t *touches) add(m *mark, direct bool) {
	t.addEntry(m, direct)
	if !direct {
		t.addFirst(m)
		t.addLast(m)
	}
}

func (t *touches) addEntry(m *mark, direct bool) {
	if t.entry.path == "" || compareTouches(m, &t.entry) < 0 {
		t.entry, t.direct = *m, direct
	}
}

func (t *touches) addFirst(m *mark) {
	if t.first.path == "" || compareTouches(m, &t.first) < 0 {
		t.first = *m
	}
}

func (t *touches) addLast(m *mark) {
	if t.last.path == "" || compareTouches(m, &t.last) > 0 {
		t.last = *m
	}
}

func (t *touches) merge(o *touches) {
	t.addEntry(&o.entry, o.direct)
	if o.first.path != "" {
		t.addFirst(&o.first)
		t.addLast(&o.last)
	}
}

// touchPool lends touches until it is reset. Those of a pool are used by its owner
// alone; nil lends from the heap.
type touchPool struct {
	chunks [][]touches
	used   int
}

const touchChunk = 256

func (p *touchPool) lend() *touches {
	if p == nil {
		return &touches{}
	}
	chunk, at := p.used/touchChunk, p.used%touchChunk
	if chunk == len(p.chunks) {
		p.chunks = append(p.chunks, make([]touches, touchChunk))
	}
	p.used++
	t := &p.chunks[chunk][at]
	*t = touches{}
	return t
}

// maxTouchChunks bounds what a pool keeps.
const maxTouchChunks = 1 << 10

func (p *touchPool) reset() {
	p.used = 0
	if len(p.chunks) > maxTouchChunks {
		p.chunks = nil
	}
}
