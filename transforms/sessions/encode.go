package sessions

import (
	"encoding/binary"
	"strings"

	"millrace/transforms/internal/wire"
)

// The encoded form, after the head (see appendHead):
//
//	base       time all starts count from
//	sources    texts
//	strings    texts: paths and campaigns
//	prefix     text that begins every visitor id
//	visitors   count, then for each
//	  id       text, without the prefix
//	  fragments  count, then for each
//	    start  milliseconds after base, or after the end of the one before
//	    without detail: a summary
//	    with detail: points, each as time after the previous one, flags, origin,
//	    path for a page view, campaign and touch if it has them; then the events of the
//	    rest (0: none; else 1), then how long after the first point it starts and a summary
//
// A summary is: span, events, flags, for page views their number, first and last,
// and for touches which there are and these, each as time after the start, origin and touch. A position counts from the one written before it. Numbers are varints.

const (
	flagBot = 1 << iota
	flagConverted
	flagPage
	flagCampaign
	flagTouch  // from the second version on, as what follows
	flagDirect // of a point
)

// Which touches a summary has besides the entry.
const (
	touchDirect = 1 << iota // the entry is direct; otherwise it is the first that is not
	touchFirst              // there is a first that is not direct, after the entry
	touchLast               // the last that is not direct is another than the first
)

// encoder holds the scratch for one blob.
type encoder struct {
	body             []byte
	sources, strings dictionary
	position         int64
	lastSource       string // most events repeat it
	lastSourceCode   uint64
}

// dictionary numbers texts in order of first use.
type dictionary struct {
	texts []string
	codes map[string]uint64
}

func (d *dictionary) reset() {
	d.texts = d.texts[:0]
	if d.codes == nil {
		d.codes = map[string]uint64{}
	}
	clear(d.codes)
}

func (d *dictionary) code(s string) uint64 {
	code, ok := d.codes[s]
	if !ok {
		code = uint64(len(d.texts))
		d.texts = append(d.texts, s)
		d.codes[s] = code
	}
	return code
}

func (e *encoder) reset() {
	e.body = e.body[:0]
	e.sources.reset()
	e.strings.reset()
	e.position = 0
	e.lastSource, e.lastSourceCode = "", 0
}

// fragments encodes what is sorted by visitor and start.
func (e *encoder) fragments(r *rules, sorted []flushed) []byte {
	e.reset()
	base := sorted[0].total.start
	prefix := sorted[0].ID
	visitors := uint64(0)
	for i := range sorted {
		base = min(base, sorted[i].total.start)
		if i == 0 || sorted[i].Visitor != sorted[i-1].Visitor {
			visitors++
			prefix = commonPrefix(prefix, sorted[i].ID)
		}
	}
	for i := 0; i < len(sorted); {
		n := 1
		for i+n < len(sorted) && sorted[i+n].Visitor == sorted[i].Visitor {
			n++
		}
		e.body = wire.AppendText(e.body, sorted[i].ID[len(prefix):])
		e.body = binary.AppendUvarint(e.body, uint64(n))
		from := base
		for _, f := range sorted[i : i+n] {
			e.fragment(r, f.fragment, from)
			from = f.total.end
		}
		i += n
	}
	return e.assemble(r.head, base, prefix, visitors)
}

// assemble puts the dictionaries, known only now, before the body.
func (e *encoder) assemble(head []byte, base int64, prefix string, visitors uint64) []byte {
	size := len(head) + len(prefix) + len(e.body) + 4*binary.MaxVarintLen64
	for _, s := range e.sources.texts {
		size += len(s) + 2
	}
	for _, s := range e.strings.texts {
		size += len(s) + 2
	}
	out := make([]byte, 0, size)
	out = append(out, head...)
	out = binary.AppendVarint(out, base)
	out = wire.AppendTexts(out, e.sources.texts)
	out = wire.AppendTexts(out, e.strings.texts)
	out = wire.AppendText(out, prefix)
	out = binary.AppendUvarint(out, visitors)
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

func (e *encoder) number(v uint64) { e.body = binary.AppendUvarint(e.body, v) }

// fragment writes f, whose start counts from from.
func (e *encoder) fragment(r *rules, f *fragment, from int64) {
	e.number(uint64(f.total.start - from))
	if !r.detail() {
		e.summary(&f.total)
		return
	}
	e.number(uint64(len(f.points)))
	t := f.total.start
	for i := range f.points {
		p := &f.points[i]
		e.number(uint64(p.time - t))
		t = p.time
		e.point(p)
	}
	if f.rest == nil {
		e.number(0)
		return
	}
	e.number(1)
	e.number(uint64(f.rest.start - f.total.start))
	e.summary(f.rest)
}

func (e *encoder) point(p *point) {
	flags := bit(p.bot, flagBot) | bit(p.converted, flagConverted) | bit(p.page, flagPage) | bit(p.campaign != "", flagCampaign) |
		bit(p.touch != "", flagTouch) | bit(p.touch != "" && p.direct, flagDirect)
	e.body = append(e.body, flags)
	e.origin(&p.mark)
	if p.page {
		e.number(e.strings.code(p.path))
	}
	if p.campaign != "" {
		e.number(e.strings.code(p.campaign))
	}
	if p.touch != "" {
		e.number(e.strings.code(p.touch))
	}
}

func (e *encoder) summary(s *summary) {
	e.number(uint64(s.end - s.start))
	e.number(uint64(s.events))
	e.body = append(e.body, bit(s.bot, flagBot)|bit(s.converted, flagConverted)|bit(s.pages > 0, flagPage)|bit(s.touches != nil, flagTouch))
	if s.pages > 0 {
		e.number(uint64(s.pages))
		e.number(uint64(s.first.time - s.start))
		e.page(&s.first)
	}
	if s.pages > 1 {
		e.number(uint64(s.end - s.last.time))
		e.page(&s.last)
	}
	if s.touches != nil {
		e.touches(s.touches, s.start)
	}
}

func (e *encoder) touches(t *touches, start int64) {
	first := t.direct && t.first.path != ""
	last := t.last != t.first
	e.body = append(e.body, bit(t.direct, touchDirect)|bit(first, touchFirst)|bit(last, touchLast))
	e.touch(&t.entry, start)
	if first {
		e.touch(&t.first, start)
	}
	if last {
		e.touch(&t.last, start)
	}
}

func (e *encoder) touch(m *mark, start int64) {
	e.number(uint64(m.time - start))
	e.page(m)
}

func (e *encoder) page(m *mark) {
	e.origin(m)
	e.number(e.strings.code(m.path))
}

func (e *encoder) origin(m *mark) {
	if m.source != e.lastSource || len(e.sources.texts) == 0 {
		e.lastSource, e.lastSourceCode = m.source, e.sources.code(m.source)
	}
	e.number(e.lastSourceCode)
	e.body = binary.AppendVarint(e.body, m.position-e.position)
	e.position = m.position
}

func bit(on bool, flag byte) byte {
	if on {
		return flag
	}
	return 0
}
