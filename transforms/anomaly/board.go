package anomaly

import (
	"cmp"
	"math"
	"slices"
)

// Kind is one kind of series of a [Board].
type Kind struct {
	Name  string
	Count bool // a window without data is a zero; for others it is nothing
	Most  int  // series of the kind at a time; 0 is no limit
}

// Part is what one row says of a series in a window.
type Part struct {
	Time  int64 // Unix milliseconds, in the window
	Kind  int   // which of the board's
	Key   string
	Value float64 // values of a window and series add up
	Of    float64 // what the sum is a share of, if these do not add up to 0
	Opens bool    // a series that there is not yet begins with it
}

// Score is what a board says of a series in a window.
type Score struct {
	Kind   int
	Key    string
	Empty  bool  // the window had no data of the series
	Closed int64 // end of the window whose data told
	Result
}

// mostFilled is how many windows without any data are filled: in a longer silence
// nobody knows that nothing happened.
const mostFilled = 1440

// Board is the detectors of all series that come from one input, whose windows are
// sealed together: a window in which one series has data is one for all. Counts
// without data in it are zeros. Windows without data of any series are filled when
// data come again, up to 1,440 of them; what comes behind the last data is not known.
//
// Of a kind with a limit, the series stay that had data last, and of these the ones
// with the greatest values, then the first by key. One that comes back after it was
// left out begins anew.
type Board struct {
	every  int64
	kinds  []Kind
	series []*series // by kind and key
	next   int64     // all windows before this one are sealed
	begun  bool      // next means something
}

type series struct {
	kind     int
	key      string
	seen     int64 // last window with data
	detector *Detector

	value float64 // of the window that is sealed
	known bool
}

// NewBoard has seen nothing. A window is every milliseconds long.
func NewBoard(every int64, kinds []Kind) *Board { return &Board{every: every, kinds: kinds} }

// WindowEnd is the end of the window that a time falls in.
func (b *Board) WindowEnd(t int64) int64 { return b.window(t) + b.every }

func (b *Board) window(t int64) int64 {
	w := t - t%b.every
	if w > t {
		w -= b.every
	}
	return w
}

// Fold takes parts in any order and scores all windows that end at the watermark or
// before. It gives back the parts of later windows. Parts of windows that are sealed
// are left out; there are none if the watermark is true.
func (b *Board) Fold(parts []Part, watermark int64) (scores []Score, rest []Part) {
	slices.SortFunc(parts, func(x, y Part) int {
		return cmp.Or(cmp.Compare(b.window(x.Time), b.window(y.Time)), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Key, y.Key),
			cmp.Compare(x.Time, y.Time), cmp.Compare(x.Value, y.Value), cmp.Compare(x.Of, y.Of))
	})
	to := b.window(min(max(watermark, -maxTime), maxTime))
	for len(parts) > 0 {
		start := b.window(parts[0].Time)
		if start >= to {
			break
		}
		n := slices.IndexFunc(parts, func(p Part) bool { return p.Time >= start+b.every })
		if n < 0 {
			n = len(parts)
		}
		if !b.begun || start >= b.next {
			scores = b.seal(scores, start, parts[:n])
		}
		parts = parts[n:]
	}
	return scores, parts
}

// seal scores a window with data, and the empty ones before it.
func (b *Board) seal(scores []Score, start int64, parts []Part) []Score {
	closed := start + b.every
	if b.begun && (start-b.next)/b.every <= mostFilled {
		for at := b.next; at < start; at += b.every {
			scores = b.score(scores, at, closed)
		}
	}
	for len(parts) > 0 {
		first := parts[0]
		var value, of float64
		opens := false
		n := 0
		for ; n < len(parts) && parts[n].Kind == first.Kind && parts[n].Key == first.Key; n++ {
			value, of, opens = value+parts[n].Value, of+parts[n].Of, opens || parts[n].Opens
		}
		parts = parts[n:]
		if of != 0 {
			value /= of
		}
		if s := b.find(first.Kind, first.Key, opens); s != nil {
			s.value, s.known, s.seen = value, true, start
		}
	}
	b.leaveOut()
	b.next, b.begun = closed, true
	return b.score(scores, start, closed)
}

// find gives a series, nil for one that is not there and does not begin.
func (b *Board) find(kind int, key string, begins bool) *series {
	at, found := slices.BinarySearchFunc(b.series, &series{kind: kind, key: key}, compareSeries)
	switch {
	case found:
		return b.series[at]
	case !begins:
		return nil
	}
	s := &series{kind: kind, key: key, detector: New(Options{})}
	b.series = slices.Insert(b.series, at, s)
	return s
}

func compareSeries(x, y *series) int {
	return cmp.Or(cmp.Compare(x.kind, y.kind), cmp.Compare(x.key, y.key))
}

// leaveOut forgets the series that are too many of their kind.
func (b *Board) leaveOut() {
	for kind := range b.kinds {
		most := b.kinds[kind].Most
		var of []*series
		for _, s := range b.series {
			if s.kind == kind {
				of = append(of, s)
			}
		}
		if most == 0 || len(of) <= most {
			continue
		}
		slices.SortFunc(of, func(x, y *series) int {
			return cmp.Or(cmp.Compare(y.seen, x.seen), cmp.Compare(y.value, x.value), cmp.Compare(x.key, y.key))
		})
		gone := of[most:]
		b.series = slices.DeleteFunc(b.series, func(s *series) bool { return slices.Contains(gone, s) })
	}
}

// score judges the value of each series in a window.
func (b *Board) score(scores []Score, start, closed int64) []Score {
	for _, s := range b.series {
		value, empty := s.value, !s.known
		s.value, s.known = 0, false
		if empty && !b.kinds[s.kind].Count {
			continue
		}
		r := s.detector.Add(Point{Time: start, Value: value})
		scores = append(scores, Score{Kind: s.kind, Key: s.key, Empty: empty, Closed: closed, Result: r})
	}
	return scores
}

// Expected tells whether the result has a range of what was to be expected.
func (r *Result) Expected() bool { return !math.IsNaN(r.Low) && !math.IsNaN(r.High) }
