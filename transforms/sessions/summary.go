package sessions

import (
	"cmp"
	"strings"
)

// mark is the place of an event in a visitor's order, and its page.
type mark struct {
	time, position int64
	source, path   string
}

// compare orders by time, then by origin.
func (m *mark) compare(o *mark) int {
	if c := cmp.Compare(m.time, o.time); c != 0 {
		return c
	}
	return cmp.Or(strings.Compare(m.source, o.source), cmp.Compare(m.position, o.position))
}

// summary sums up events. The zero value sums up none.
type summary struct {
	start, end     int64
	events, pages  int64
	first, last    mark // page views, when pages > 0
	bot, converted bool
	touches        *touches // nil when no event has one
}

func (s *summary) add(e *Event, kept *texts) {
	if s.events == 0 {
		s.start, s.end = e.Time, e.Time
	}
	s.start, s.end = min(s.start, e.Time), max(s.end, e.Time)
	s.events++
	s.bot = s.bot || e.Bot
	s.converted = s.converted || e.Conversion
	if e.Page {
		s.addPage(e, kept)
	}
}

func (s *summary) addPage(e *Event, kept *texts) {
	s.pages++
	m := mark{time: e.Time, position: e.Position, source: e.Source}
	switch {
	case s.pages == 1:
		m.path = kept.keep(e.Path)
		s.first, s.last = m, m
	case m.compare(&s.last) >= 0:
		if m.path = s.last.path; m.path != string(e.Path) {
			m.path = kept.keep(e.Path)
		}
		s.last = m
	case m.compare(&s.first) < 0:
		m.path = kept.keep(e.Path)
		s.first = m
	}
}

// addTouch adds an event's touch.
func (s *summary) addTouch(m mark, direct bool, pool *touchPool) {
	if s.touches == nil {
		s.touches = pool.lend()
	}
	s.touches.add(&m, direct)
}

// merge adds the events that o sums up. The touches of o stay its own.
func (s *summary) merge(o *summary, pool *touchPool) {
	if o.touches != nil {
		s.mergeTouches(o.touches, pool)
	}
	if s.events == 0 {
		own := s.touches
		*s = *o
		s.touches = own
		return
	}
	if o.events == 0 {
		return
	}
	s.start, s.end = min(s.start, o.start), max(s.end, o.end)
	s.events += o.events
	s.bot = s.bot || o.bot
	s.converted = s.converted || o.converted
	if o.pages == 0 {
		return
	}
	if s.pages == 0 || o.first.compare(&s.first) < 0 {
		s.first = o.first
	}
	if s.pages == 0 || o.last.compare(&s.last) >= 0 {
		s.last = o.last
	}
	s.pages += o.pages
}

func (s *summary) mergeTouches(o *touches, pool *touchPool) {
	if s.touches == nil {
		s.touches = pool.lend()
	}
	s.touches.merge(o)
}

// texts keeps one copy of each text.
type texts struct{ known map[string]string }

func (t *texts) keep(b []byte) string {
	if s, ok := t.known[string(b)]; ok {
		return s
	}
	if t.known == nil {
		t.known = map[string]string{}
	}
	s := string(b)
	t.known[s] = s
	return s
}

// maxTexts bounds what a collector keeps from one flush to the next.
const maxTexts = 1 << 16

func (t *texts) trim() {
	if len(t.known) > maxTexts {
		t.known = nil
	}
}
