package sessions

import (
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// Visitor is a visitor's id with its hash, which callers that see the same
// visitor often keep.
type Visitor struct {
	ID   string
	Hash uint64 // xxhash64 of ID, seed 0
}

// VisitorOf hashes an id.
func VisitorOf(id string) Visitor { return Visitor{ID: id, Hash: xxhash.Sum64String(id)} }

// Shard is the shard of the visitor, of so many.
func (v Visitor) Shard(shards int) int { return int(v.Hash % uint64(shards)) }

// Collector folds events into fragments. It belongs to one goroutine. Adding an
// event allocates nothing once the collector has grown.
type Collector struct {
	rules    *rules
	segments segments
	byHash   map[uint64]int32
	visitors []visitorEntry
	pool     fragments
	kept     texts
	touches  touchPool
	scratch  encoder
	order    []flushed
	events   int
	flushes  uint32
}

// Seen remembers a visitor's number, for callers that meet him often. It belongs to one visitor and
// one collector; its zero value remembers none.
type Seen struct {
	known   bool
	flushes uint32
	number  int32
}

type visitorEntry struct {
	Visitor
	newest int32 // fragment
	twin   int32 // another visitor with the same hash
}

// openFragment is in its visitor's list, the latest first.
type openFragment struct {
	fragment
	older int32
}

// fragments are numbered from 0 on. They lie in slabs: one long list would be copied, with
// all its pointers, each time it grows.
type fragments struct {
	slabs []*[slab]openFragment
	n     int
}

const slab = 256

func (f *fragments) at(n int32) *openFragment { return &f.slabs[n/slab][n%slab] }

// next is a further one. It may have been used before reset: its points' memory is used again.
func (f *fragments) next() int32 {
	if f.n == len(f.slabs)*slab {
		f.slabs = append(f.slabs, &[slab]openFragment{})
	}
	f.n++
	return int32(f.n - 1)
}

func (f *fragments) reset() { f.n = 0 }

const none = -1

// NewCollector returns an empty collector.
func NewCollector(opt Options) (*Collector, error) {
	r, err := opt.rules()
	if err != nil {
		return nil, err
	}
	return &Collector{rules: r, segments: segments{calendar: r.calendar}, byHash: map[uint64]int32{}}, nil
}

// Len is the number of events since the last Flush; Fragments is about how many
// fragments they make. Callers flush by them.
func (c *Collector) Len() int { return c.events }

// Fragments is the number of open fragments.
func (c *Collector) Fragments() int { return c.pool.n }

// Add folds one event in. Events may come in any order.
func (c *Collector) Add(v Visitor, e *Event) { c.AddTo(c.Number(v), e) }

// AddSeen is Add with what remembers the visitor; nil for nothing.
func (c *Collector) AddSeen(seen *Seen, v Visitor, e *Event) {
	if seen == nil {
		seen = &Seen{}
	}
	if !seen.known || seen.flushes != c.flushes {
		*seen = Seen{true, c.flushes, c.Number(v)}
	}
	c.AddTo(seen.number, e)
}

// AddTo is Add for callers that know the visitor's number.
func (c *Collector) AddTo(number int32, e *Event) {
	c.events++
	seg := c.segments.of(e.Time)
	entry := &c.visitors[number]
	newer := int32(none)
	at := entry.newest
	for at != none {
		f := c.pool.at(at)
		if e.Time-f.total.end >= c.rules.gap || f.total.end < seg.from {
			break // f and all older ones end too early
		}
		if f.total.start-e.Time < c.rules.gap && f.total.start < seg.to {
			c.extend(f, e, seg)
			return
		}
		newer, at = at, f.older
	}
	n := c.open(e)
	c.pool.at(n).older = at
	if newer == none {
		entry.newest = n
	} else {
		c.pool.at(newer).older = n
	}
}

// Number is what AddTo knows a visitor by, until the next Flush. The collector keeps
// the id so long.
func (c *Collector) Number(v Visitor) int32 {
	first, ok := c.byHash[v.Hash]
	if !ok {
		first = none
	}
	for at := first; at != none; at = c.visitors[at].twin {
		if c.visitors[at].ID == v.ID {
			return at
		}
	}
	c.visitors = append(c.visitors, visitorEntry{Visitor: v, newest: none, twin: first})
	at := int32(len(c.visitors) - 1)
	c.byHash[v.Hash] = at
	return at
}

// extend adds an event to a fragment. Where that moves its start, it may reach
// the one before; the one after is out of reach, or Add had chosen it.
func (c *Collector) extend(f *openFragment, e *Event, seg segment) {
	earlier := e.Time < f.total.start
	c.addTo(&f.fragment, e)
	if !earlier || f.older == none {
		return
	}
	o := c.pool.at(f.older)
	if o.total.end < seg.from || f.total.start-o.total.end >= c.rules.gap {
		return
	}
	sortPoints(o.points)
	sortPoints(f.points)
	o.merge(&f.fragment, c.rules, &c.touches) // the older one first, as its points are
	f.fragment, o.fragment = o.fragment, fragment{points: f.points[:0]}
	f.older = o.older
}

func (c *Collector) open(e *Event) int32 {
	n := c.pool.next()
	f := &c.pool.at(n).fragment
	*f = fragment{points: f.points[:0]}
	c.addTo(f, e)
	return n
}

func (c *Collector) addTo(f *fragment, e *Event) {
	f.total.add(e, &c.kept)
	var touch string
	if c.rules.attribution && len(e.Touch) > 0 {
		touch = c.kept.keep(e.Touch)
		f.total.addTouch(mark{time: e.Time, position: e.Position, source: e.Source, path: touch}, e.Direct, &c.touches)
	}
	if !c.rules.detail() {
		return
	}
	p := point{
		mark: mark{time: e.Time, position: e.Position, source: e.Source},
		page: e.Page, bot: e.Bot, converted: e.Conversion, touch: touch, direct: e.Direct,
	}
	if e.Page {
		p.path = c.kept.keep(e.Path)
	}
	if len(e.Campaign) > 0 {
		p.campaign = c.kept.keep(e.Campaign)
	}
	f.points = append(f.points, p)
	if len(f.points) >= 2*c.rules.maxEvents {
		sortPoints(f.points)
		f.limit(c.rules.maxEvents, &c.touches)
	}
}

// Part is the encoded fragments of one day and visitor shard.
type Part struct {
	Day   int64 // UTC day, days since the epoch
	Shard int
	Blob  []byte
}

// Flush returns the fragments by day and shard, in that order, and empties the
// collector. Equal events give equal bytes, in whatever order they were added.
func (c *Collector) Flush(shards int) []Part {
	order := c.order[:0]
	for v := range c.visitors {
		entry := &c.visitors[v]
		shard := uint64(entry.Shard(shards))
		for at := entry.newest; at != none; at = c.pool.at(at).older {
			f := &c.pool.at(at).fragment
			sortPoints(f.points)
			f.limit(c.rules.maxEvents, &c.touches)
			order = append(order, flushed{
				part: partOf{floorDay(f.total.start), shard}, hash: entry.Hash, start: f.total.start,
				Visitor: &entry.Visitor, fragment: f,
			})
		}
	}
	slices.SortFunc(order, compareFlushed)
	c.order = order
	var parts []Part
	for len(order) > 0 {
		n := 1
		for n < len(order) && order[n].part == order[0].part {
			n++
		}
		at := order[0].part
		parts = append(parts, Part{Day: at.day, Shard: int(at.shard), Blob: c.scratch.fragments(c.rules, order[:n])})
		order = order[n:]
	}
	c.reset()
	return parts
}

type partOf struct {
	day   int64
	shard uint64
}

// flushed is a fragment on its way out; what it is sorted by lies beside it.
type flushed struct {
	part  partOf
	hash  uint64
	start int64
	*Visitor
	*fragment
}

func compareFlushed(a, b flushed) int {
	switch {
	case a.part.day != b.part.day:
		return less(a.part.day < b.part.day)
	case a.part.shard != b.part.shard:
		return less(a.part.shard < b.part.shard)
	case a.hash != b.hash:
		return less(a.hash < b.hash)
	case a.Visitor != b.Visitor:
		return strings.Compare(a.ID, b.ID)
	}
	return less(a.start < b.start)
}

func less(yes bool) int {
	if yes {
		return -1
	}
	return 1
}

// Forget frees the memory of an empty collector, which Flush leaves to be used again.
func (c *Collector) Forget() {
	*c = Collector{rules: c.rules, segments: segments{calendar: c.rules.calendar}, byHash: map[uint64]int32{}, flushes: c.flushes}
}

func (c *Collector) reset() {
	c.flushes++
	clear(c.byHash)
	clear(c.visitors)
	c.visitors = c.visitors[:0]
	c.pool.reset()
	clear(c.order)
	c.events = 0
	c.touches.reset()
	c.kept.trim()
}
