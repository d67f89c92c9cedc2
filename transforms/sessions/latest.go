package sessions

// latest is a visitor's session before: what the next one of the day is counted
// from.
type latest struct {
	day   int64 // UTC day of its start
	index int32 // 0: there is none
	start int64
	id    string // empty when it was not kept
}

// follow counts a visitor's next session.
func (l *latest) follow(s *Session) {
	day := floorDay(s.Start)
	s.Index = 1
	if l.index > 0 && l.day == day {
		s.Index = l.index + 1
		if s.Previous = l.id; s.Previous == "" {
			s.Previous = ID(s.Visitor, l.start)
		}
	}
	*l = latest{day: day, index: s.Index, start: s.Start, id: s.ID}
}

// ends is when no session of its day can start any more, given that none is open.
func (l *latest) ends() int64 { return (l.day + 1) * dayMs }

// needed tells whether a session that starts on its day may still come.
func (l *latest) needed(open []fragment, watermark int64) bool {
	return l.index > 0 && (watermark < l.ends() || len(open) > 0 && open[0].total.start < l.ends())
}
