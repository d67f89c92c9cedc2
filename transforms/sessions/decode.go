package sessions

import "millrace/transforms/internal/wire"

const (
	maxTime   = 1 << 52 // milliseconds; sums of two stay far from overflow
	maxEvents = 1 << 40 // of a summary
)

// decoder reads what encoder wrote. Whatever the bytes are, what it hands on
// are fragments as the rules demand them.
type decoder struct {
	*wire.Reader
	rules            *rules
	segments         *segments
	base             int64
	sources, strings []string
	position         int64
	features         byte
	pool             *touchPool
}

// open reads up to the first visitor and returns the prefix of the ids and the
// number of visitors.
func (d *decoder) open() (prefix string, visitors int) {
	d.features = d.rules.checkHead(d.Reader)
	d.base = d.Varint()
	if d.base < -maxTime || d.base > maxTime {
		d.Fail("time %d", d.base)
	}
	d.sources = d.Texts()
	d.strings = d.Texts()
	prefix = string(d.Text())
	return prefix, d.Count(2)
}

// fragment reads one whose start counts from from.
func (d *decoder) fragment(from int64) fragment {
	var f fragment
	start := from + int64(d.Limited(2*maxTime))
	if start > maxTime {
		d.Fail("time %d", start)
	}
	if d.Err() != nil {
		return f
	}
	seg := d.segments.of(start)
	if !d.rules.detail() {
		d.summary(&f.total, start, seg)
		return f
	}
	d.detail(&f, start, seg)
	return f
}

func (d *decoder) detail(f *fragment, start int64, seg segment) {
	n := d.Count(4)
	if d.Err() == nil && (n == 0 || n > d.rules.maxEvents) {
		d.Fail("%d events in detail", n)
	}
	if d.Err() != nil {
		return
	}
	f.points = make([]point, n)
	t := start
	for i := range f.points {
		pause := int64(d.Limited(uint64(d.rules.gap - 1)))
		if i == 0 && pause != 0 {
			d.Fail("the first event comes %d ms after the first", pause)
		}
		t += pause
		d.point(&f.points[i], t)
		if d.Err() == nil && i > 0 && comparePoints(f.points[i-1], f.points[i]) > 0 {
			d.Fail("events are not in order")
		}
		f.points[i].addTo(&f.total, d.pool)
	}
	if d.Err() == nil && !seg.holds(t) {
		d.Fail("a fragment reaches into another day")
	}
	if d.Limited(1) == 1 {
		if n < d.rules.maxEvents {
			d.Fail("a rest after %d events in detail", n)
		}
		f.rest = &summary{}
		d.summary(f.rest, start+int64(d.Limited(dayMs)), seg)
		if d.Err() == nil && f.rest.start < t {
			d.Fail("a rest before the events in detail")
		}
		f.total.merge(f.rest, d.pool)
	}
}

func (d *decoder) point(p *point, t int64) {
	flags := d.flags(flagBot|flagConverted|flagPage|flagCampaign, flagTouch|flagDirect)
	d.origin(&p.mark, t)
	p.bot, p.converted, p.page = flags&flagBot != 0, flags&flagConverted != 0, flags&flagPage != 0
	if p.page {
		p.path = d.text(d.strings)
	}
	if flags&flagCampaign != 0 {
		p.campaign = d.text(d.strings)
		if p.campaign == "" {
			d.Fail("an empty campaign")
		}
	}
	if flags&flagTouch == 0 {
		if flags&flagDirect != 0 {
			d.Fail("a direct event without a touch")
		}
		return
	}
	if touch := d.touchText(); d.rules.attribution {
		p.touch, p.direct = touch, flags&flagDirect != 0
	}
}

func (d *decoder) touchText() string {
	touch := d.text(d.strings)
	if touch == "" {
		d.Fail("an empty touch")
	}
	return touch
}

// flags are known ones; the later ones belong to attribution.
func (d *decoder) flags(known, later byte) byte {
	if d.features&featureAttribution != 0 {
		known |= later
	}
	b := d.Byte()
	if b&^known != 0 {
		d.Fail("unknown flags %#x", b)
	}
	return b
}

func (d *decoder) summary(s *summary, start int64, seg segment) {
	s.start, s.end = start, start+int64(d.Limited(dayMs))
	s.events = int64(d.Limited(maxEvents))
	flags := d.flags(flagBot|flagConverted|flagPage, flagTouch)
	s.bot, s.converted = flags&flagBot != 0, flags&flagConverted != 0
	if d.Err() == nil && (s.events == 0 || s.events == 1 && s.end != s.start) {
		d.Fail("%d events over %d ms", s.events, s.end-s.start)
	}
	if d.Err() == nil && (!seg.holds(s.start) || !seg.holds(s.end)) {
		d.Fail("a fragment reaches into another day")
	}
	if flags&flagPage != 0 {
		d.pages(s)
	}
	if flags&flagTouch != 0 {
		d.touches(s)
	}
}

func (d *decoder) pages(s *summary) {
	s.pages = int64(d.Limited(uint64(s.events)))
	span := uint64(s.end - s.start)
	d.page(&s.first, s.start+int64(d.Limited(span)))
	s.last = s.first
	if s.pages > 1 {
		d.page(&s.last, s.end-int64(d.Limited(span)))
	}
	if d.Err() == nil && (s.pages == 0 || s.last.compare(&s.first) < 0) {
		d.Fail("page views are not in order")
	}
}

// touches reads those of a summary, and keeps them if the options want them.
func (d *decoder) touches(s *summary) {
	span := uint64(s.end - s.start)
	read := func(m *mark) {
		d.origin(m, s.start+int64(d.Limited(span)))
		m.path = d.touchText()
	}
	which := d.Byte()
	t := touches{direct: which&touchDirect != 0}
	read(&t.entry)
	if !t.direct {
		t.first = t.entry
	}
	if which&touchFirst != 0 {
		read(&t.first)
	}
	t.last = t.first
	if which&touchLast != 0 {
		read(&t.last)
	}
	if d.Err() != nil {
		return
	}
	switch {
	case which > touchDirect|touchFirst|touchLast, which&touchFirst != 0 && !t.direct, which&touchLast != 0 && t.first.path == "":
		d.Fail("touches %#x", which)
	case which&touchFirst != 0 && compareTouches(&t.first, &t.entry) < 0, which&touchLast != 0 && compareTouches(&t.last, &t.first) <= 0:
		d.Fail("touches are not in order")
	case d.rules.attribution:
		s.touches = d.pool.lend()
		*s.touches = t
	}
}

func (d *decoder) page(m *mark, t int64) {
	d.origin(m, t)
	m.path = d.text(d.strings)
}

func (d *decoder) origin(m *mark, t int64) {
	m.time = t
	m.source = d.text(d.sources)
	d.position += d.Varint()
	m.position = d.position
}

func (d *decoder) text(of []string) string {
	code := d.Uvarint()
	if code >= uint64(len(of)) {
		d.Fail("text %d of %d", code, len(of))
		return ""
	}
	return of[code]
}
