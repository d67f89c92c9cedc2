package sessions

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Event is what sessions need of an event. Path, Campaign and Touch are views of
// the caller's memory; what is kept of them is copied.
type Event struct {
	Time       int64  // Unix milliseconds
	Source     string // origin, with Position: orders events of the same time
	Position   int64
	Page       bool // a page view
	Path       []byte
	Campaign   []byte // empty: none
	Conversion bool
	Bot        bool
	Touch      []byte // where it came from, as AppendTouch writes it; empty: from inside, or nobody knows. For Options.Attribution
	Direct     bool   // Touch is what events have that come from nowhere: it yields to every other
}

// Session is one visit.
type Session struct {
	ID         string // 32 hex digits
	Visitor    string
	Start, End int64 // time of the first and of the last event, Unix milliseconds
	Events     int64
	Pages      int64  // page views
	Entry      string // path of the first page view; without meaning when Pages is 0
	Exit       string // path of the last page view
	Bounce     bool   // at most one page view
	Engaged    bool   // 10 seconds or longer, two page views or more, or a conversion
	Bot        bool
	Truncated  bool  // holds events beyond Options.MaxEvents of its chain
	Version    int64 // revision * 2^32 + events of the whole chain; the greater one wins

	// With Options.Attribution; empty when no event has a touch.
	FirstTouch Touch // the first
	LastTouch  Touch // the last that is not direct; the first when all are
	Touch      Touch // of the session: the first that is not direct; the first when all are

	// With Options.Index. Both are settled when the session is sealed.
	Index    int32  // from 1, among the visitor's sessions that start on its UTC day
	Previous string // id of the one before on that day; empty for the first
}

// Duration is the time from the first to the last event, in milliseconds.
func (s Session) Duration() int64 { return s.End - s.Start }

// Revision gives the revision of the rows of a UTC day (days since the epoch): 0
// for the first writing, one more with each rewrite. A nil Revision is 0.
type Revision func(day int64) int32

func (r Revision) version(start, events int64) int64 {
	if r == nil {
		return events
	}
	return int64(r(floorDay(start)))<<32 + events
}

// ID is the identity of a visitor's session that starts at start: the first 32
// hex digits of SHA-256 over "session", 0, visitor, 0, start as 8 bytes, big
// endian. It changes only when an earlier event turns up.
func ID(visitor string, start int64) string {
	var buf [128]byte
	b := append(buf[:0], "session\x00"...)
	b = append(b, visitor...)
	b = append(b, 0)
	b = binary.BigEndian.AppendUint64(b, uint64(start))
	sum := sha256.Sum256(b)
	var digits [32]byte
	hex.Encode(digits[:], sum[:16])
	return string(digits[:])
}

const engagedMs = 10_000

// session turns the sum of its events into a session of a chain of chainEvents.
func (s *summary) session(visitor string, truncated bool, chainEvents int64, revision Revision) Session {
	session := Session{
		ID:        ID(visitor, s.start),
		Visitor:   visitor,
		Start:     s.start,
		End:       s.end,
		Events:    s.events,
		Pages:     s.pages,
		Entry:     s.first.path,
		Exit:      s.last.path,
		Bounce:    s.pages <= 1,
		Engaged:   s.end-s.start >= engagedMs || s.pages >= 2 || s.converted,
		Bot:       s.bot,
		Truncated: truncated,
		Version:   revision.version(s.start, chainEvents),
	}
	if t := s.touches; t != nil {
		session.FirstTouch = Touch(t.entry.path)
		session.Touch, session.LastTouch = Touch(cmp.Or(t.first.path, t.entry.path)), Touch(cmp.Or(t.last.path, t.entry.path))
	}
	return session
}
