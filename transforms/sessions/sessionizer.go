package sessions

import (
	"fmt"
	"slices"

	"millrace/transforms/internal/wire"
)

// Sessionizer puts the visitors of one shard together. It belongs to one
// goroutine and can be used again after Reset.
type Sessionizer struct {
	rules    *rules
	revision Revision
	segments segments
	numbers  map[string]int32
	visitors []visitorState
	scratch  encoder
	pool     touchPool
}

// visitorState is what was read about a visitor.
type visitorState struct {
	id        string
	fragments []fragment
	written   []written // provisional sessions, by start
	latest    latest    // the session sealed last
}

// NewSessionizer returns an empty sessionizer.
func NewSessionizer(opt Options, revision Revision) (*Sessionizer, error) {
	r, err := opt.rules()
	if err != nil {
		return nil, err
	}
	return &Sessionizer{
		rules: r, revision: revision,
		segments: segments{calendar: r.calendar}, numbers: map[string]int32{},
	}, nil
}

// Reset forgets what was added.
func (s *Sessionizer) Reset() {
	clear(s.numbers)
	for i := range s.visitors {
		v := &s.visitors[i]
		clear(v.fragments)
		*v = visitorState{fragments: v.fragments[:0], written: v.written[:0]}
	}
	s.visitors = s.visitors[:0]
	s.pool.reset()
}

// Add reads the blob of a Part of this shard. Blobs may come in any order. After
// an error the sessionizer must be Reset.
func (s *Sessionizer) Add(blob []byte) error {
	if err := s.read(blob, false); err != nil {
		return fmt.Errorf("reading session fragments: %w", err)
	}
	return nil
}

// read reads fragments, and what state has beyond them.
func (s *Sessionizer) read(encoded []byte, state bool) error {
	d := decoder{Reader: wire.NewReader(encoded), rules: s.rules, segments: &s.segments, pool: &s.pool}
	prefix, visitors := d.open()
	for range visitors {
		v := s.visitor(prefix, d.Text())
		from, n := d.base, d.Count(4)
		v.fragments = slices.Grow(v.fragments, min(n, 64)) // no more on the word of a number
		for range n {
			f := d.fragment(from)
			if d.Err() != nil {
				return d.Err()
			}
			from = f.total.end
			v.fragments = append(v.fragments, f)
		}
		if state {
			d.written(v)
			d.latest(v)
		}
		if d.Err() != nil {
			return d.Err()
		}
	}
	return d.Close()
}

func (s *Sessionizer) visitor(prefix string, suffix []byte) *visitorState {
	var buf [96]byte
	id := append(append(buf[:0], prefix...), suffix...)
	if n, ok := s.numbers[string(id)]; ok {
		return &s.visitors[n]
	}
	n := len(s.visitors)
	if n < cap(s.visitors) {
		s.visitors = s.visitors[:n+1] // what Reset left: its memory is used again
	} else {
		s.visitors = append(s.visitors, visitorState{})
	}
	v := &s.visitors[n]
	v.id = string(id)
	s.numbers[v.id] = int32(n)
	return v
}

// sorted returns the visitors by id.
func (s *Sessionizer) sorted() []*visitorState {
	order := make([]*visitorState, len(s.visitors))
	for i := range s.visitors {
		order[i] = &s.visitors[i]
	}
	slices.SortFunc(order, func(a, b *visitorState) int {
		if a.id < b.id {
			return -1
		}
		return 1
	})
	return order
}

// Sessions returns the sessions of everything that was added, by visitor and
// start.
func (s *Sessionizer) Sessions() []Session {
	c := cutter{rules: s.rules, revision: s.revision, pool: &s.pool, out: make([]Session, 0, len(s.visitors)+len(s.visitors)/4)}
	for _, v := range s.sorted() {
		c.visitor, c.latest = v.id, latest{}
		v.fragments = s.rules.mergeFragments(v.fragments, &s.segments, &s.pool)
		for rest := v.fragments; len(rest) > 0; {
			n, _ := s.rules.boundedChain(rest[:s.rules.gapChain(rest)], always)
			c.chain(rest[:n])
			rest = rest[n:]
		}
	}
	return c.out
}

// SessionsOf returns those that start on a UTC day (days since the epoch). They
// are final when the fragments of the day before, the day and the day after were
// added, unless the midnight bound is off.
func (s *Sessionizer) SessionsOf(day int64) []Session {
	return slices.DeleteFunc(s.Sessions(), func(x Session) bool { return floorDay(x.Start) != day })
}
