package funnels

import (
	"encoding/binary"
	"strings"

	"millrace/transforms/internal/wire"
)

// The encoded form of fragments, after the head (see Set.digest):
//
//	base       time that times count from
//	sources    texts
//	values     texts: of breakdown fields
//	prefix     text that begins every visitor id
//	visitors   count, then for each
//	  id       text, without the prefix
//	  funnels  count, then for each
//	    number   of the funnel
//	    events   count, then each as time after the previous one (the first: after
//	             base), bits, source, position after the one written before it, and
//	             where the funnel has a breakdown its value plus 1, or 0
//	    hours    count, then each as hours after base's, gone, rest, and with a rest
//	             its first and last time after the hour's start
//
// State has beyond that, for each visitor and funnel:
//
//	    written  count, then each as start after base, version, digest (8 bytes)
//	    days     count, then each as start after base, version, content of a row
//
// Numbers are varints.

// encodingVersion is the first byte of fragments and state.
const encodingVersion = 1

// encoder holds the scratch for one blob.
type encoder struct {
	body            []byte
	sources, values dictionary
	position, base  int64
}

// dictionary numbers texts in order of first use.
type dictionary struct {
	texts    []string
	codes    map[string]uint64
	last     string // most events repeat it
	lastCode uint64
}

func (d *dictionary) reset() {
	d.texts, d.last, d.lastCode = d.texts[:0], "", 0
	if d.codes == nil {
		d.codes = map[string]uint64{}
	}
	clear(d.codes)
}

func (d *dictionary) code(s string) uint64 {
	if s == d.last && len(d.texts) > 0 {
		return d.lastCode
	}
	code, ok := d.codes[s]
	if !ok {
		code = uint64(len(d.texts))
		d.texts = append(d.texts, s)
		d.codes[s] = code
	}
	d.last, d.lastCode = s, code
	return code
}

func (e *encoder) reset(base int64) {
	e.body, e.position, e.base = e.body[:0], 0, base
	e.sources.reset()
	e.values.reset()
}

func (e *encoder) number(v uint64) { e.body = binary.AppendUvarint(e.body, v) }

func (e *encoder) event(ev *event, previous int64, broken bool) {
	e.number(uint64(ev.time - previous))
	e.number(ev.bits)
	e.number(e.sources.code(ev.source))
	e.body = binary.AppendVarint(e.body, ev.position-e.position)
	e.position = ev.position
	switch {
	case !broken:
	case ev.value == "":
		e.number(0)
	default:
		e.number(e.values.code(ev.value) + 1)
	}
}

func (e *encoder) hours(hours []hour) {
	e.number(uint64(len(hours)))
	base := floor(e.base, hourMs)
	for _, h := range hours {
		e.body = binary.AppendVarint(e.body, h.at-base)
		e.number(uint64(h.gone))
		e.number(uint64(h.rest))
		if h.rest > 0 {
			e.number(uint64(h.from - h.at*hourMs))
			e.number(uint64(h.to - h.at*hourMs))
		}
	}
}

// visits writes the events of a visitor for one funnel, and the hours.
func (e *encoder) visits(v *visits, broken bool) {
	e.number(uint64(len(v.events)))
	previous := e.base
	for i := range v.events {
		e.event(&v.events[i], previous, broken)
		previous = v.events[i].time
	}
	e.hours(v.hours)
}

// state writes beyond them the rows that are written, and the best ones.
func (e *encoder) state(v *visits, broken bool, scratch []byte) {
	e.visits(v, broken)
	e.number(uint64(len(v.written)))
	for _, w := range v.written {
		e.body = binary.AppendVarint(e.body, w.start-e.base)
		e.number(uint64(w.version))
		e.body = binary.BigEndian.AppendUint64(e.body, w.digest)
	}
	e.number(uint64(len(v.days)))
	for i := range v.days {
		e.body = binary.AppendVarint(e.body, v.days[i].Start-e.base)
		e.number(uint64(v.days[i].Version))
		e.body = append(e.body, v.days[i].appendContent(scratch[:0])...)
	}
}

// assemble puts the dictionaries, known only now, before the body.
func (e *encoder) assemble(head []byte, prefix string, visitors int) []byte {
	size := len(head) + len(prefix) + len(e.body) + 5*binary.MaxVarintLen64
	for _, texts := range [][]string{e.sources.texts, e.values.texts} {
		for _, s := range texts {
			size += len(s) + 3
		}
	}
	out := make([]byte, 0, size)
	out = append(out, head...)
	out = binary.AppendVarint(out, e.base)
	out = wire.AppendTexts(out, e.sources.texts)
	out = wire.AppendTexts(out, e.values.texts)
	out = wire.AppendText(out, prefix)
	out = binary.AppendUvarint(out, uint64(visitors))
	return append(out, e.body...)
}

func commonPrefix(a, b string) string {
	if strings.HasPrefix(b, a) { // nearly always
		return a
	}
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return a[:i]
		}
	}
	return a[:n]
}
