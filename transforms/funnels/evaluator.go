package funnels

import (
	"fmt"
	"slices"
	"strings"

	"millrace/transforms/internal/wire"
)

// Evaluator puts the visitors of one shard together. It belongs to one goroutine
// and can be used again after Reset.
type Evaluator struct {
	set      *Set
	revision Revision
	numbers  map[string]int32
	ids      []string
	visits   []visits // of visitor v and funnel f at v*funnels+f
	seeker   seeker
	marks    []mark
	groups   []group
	scratch  encoder
	content  []byte
}

// NewEvaluator returns an empty evaluator.
func (s *Set) NewEvaluator(revision Revision) *Evaluator {
	return &Evaluator{set: s, revision: revision, numbers: map[string]int32{}, content: make([]byte, 0, 512)}
}

// Reset forgets what was added.
func (e *Evaluator) Reset() {
	clear(e.numbers)
	clear(e.ids)
	for i := range e.visits { // their memory is used again
		v := &e.visits[i]
		clear(v.events)
		*v = visits{events: v.events[:0], hours: v.hours[:0]}
	}
	e.ids, e.visits = e.ids[:0], e.visits[:0]
}

// Add reads the blob of a Part of this shard. Blobs may come in any order. After an
// error the evaluator must be Reset.
func (e *Evaluator) Add(blob []byte) error {
	if err := e.read(blob, false); err != nil {
		return fmt.Errorf("reading funnel fragments: %w", err)
	}
	return nil
}

// read reads fragments, and what state has beyond them.
func (e *Evaluator) read(encoded []byte, state bool) error {
	d := decoder{Reader: wire.NewReader(encoded), set: e.set}
	prefix, visitors := d.open()
	for range visitors {
		v := e.visitor(prefix, d.Text())
		for range d.Count(3) {
			f, ok := d.funnel()
			if !ok {
				return d.Err()
			}
			d.visits(e.set.funnels[f], &e.visits[v*len(e.set.funnels)+f], state)
		}
		if d.Err() != nil {
			return d.Err()
		}
	}
	return d.Close()
}

func (e *Evaluator) visitor(prefix string, suffix []byte) int {
	var buf [96]byte
	id := append(append(buf[:0], prefix...), suffix...)
	if n, ok := e.numbers[string(id)]; ok {
		return int(n)
	}
	n := len(e.ids)
	e.ids = append(e.ids, string(id))
	e.numbers[e.ids[n]] = int32(n)
	for range e.set.funnels {
		if all := len(e.visits); all < cap(e.visits) {
			e.visits = e.visits[:all+1] // what Reset left
		} else {
			e.visits = append(e.visits, visits{})
		}
	}
	return n
}

// sorted returns the visitors by id.
func (e *Evaluator) sorted() []int32 {
	order := make([]int32, len(e.ids))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return strings.Compare(e.ids[a], e.ids[b]) })
	return order
}

// of is what is known of a visitor for a funnel.
func (e *Evaluator) of(visitor int32, f int) *visits {
	return &e.visits[int(visitor)*len(e.set.funnels)+f]
}

// load puts the visits of a visitor for a funnel in order and finds their groups, as of
// a watermark, see seeker.until.
func (e *Evaluator) load(v *visits, f int, until int64) []group {
	if len(v.events) == 0 && len(v.hours) == 0 {
		return nil
	}
	v.tidy(e.set.maxEvents)
	e.seeker.until = until
	e.seeker.load(e.set.funnels[f], v.events)
	e.marks, e.groups = e.seeker.groups(v, e.marks, e.groups)
	return e.groups
}

// Rows returns the rows of everything that was added, by funnel, visitor and start.
func (e *Evaluator) Rows() []Row {
	var out []Row
	order := e.sorted()
	for f := range e.set.funnels {
		for _, v := range order {
			groups := e.load(e.of(v, f), f, always)
			for i := range groups {
				if groups[i].found {
					out = append(out, e.seeker.row(f, e.ids[v], &groups[i], e.revision))
				}
			}
		}
	}
	return out
}

// BestOfDays keeps, of each funnel, visitor and UTC day, the row that counts, from
// rows in the order of Rows: what a Tally takes.
func BestOfDays(rows []Row) []Row {
	var out []Row
	for _, r := range rows {
		if n := len(out) - 1; n < 0 || out[n].Funnel != r.Funnel || out[n].Visitor != r.Visitor || out[n].Day() != r.Day() {
			out = append(out, r)
		} else if r.Better(&out[n]) {
			out[n] = r
		}
	}
	return out
}
