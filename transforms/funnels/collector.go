package funnels

import (
	"slices"

	"github.com/cespare/xxhash/v2"

	"millrace/schemas/table"
	"millrace/transforms/predicate"
)

// Columns names the columns of the events, by number, that tell whose an event is,
// when it happened and where it stands.
type Columns struct {
	Visitor  int // text
	Time     int // Unix milliseconds
	Source   int // text; with Position the origin: orders events of the same time
	Position int
	Late     int // bool: events that do not count; -1 for none
}

// Collector folds events into fragments. It belongs to one goroutine.
type Collector struct {
	set        *Set
	columns    Columns
	evaluators []*predicate.Evaluator
	masks      [][]uint64

	byID     map[string]int32
	visitors []visitor
	pool     []pooled
	sources  texts
	values   texts
	codes    []int32    // visitor by code of the batch's dictionary
	origins  []uint32   // source by code
	valuesOf [][]uint32 // by funnel: value by code
	unions   [][]uint64 // by funnel: what the events of each visitor satisfied so far, where only that counts

	scratch encoder
	runs    []run
	order   []pooled
	visits  visits
}

type visitor struct {
	id     string
	hash   uint64
	events int32 // in the pool
	end    int32 // in order, once the pool is put in order
}

// pooled is an event of a visitor and a funnel.
type pooled struct {
	time, position int64
	bits           uint64
	source, value  uint32 // value plus 1; 0 for none
	funnel         int32
	visitor        int32
}

const none = -1

// NewCollector returns an empty collector for events with these columns.
func (s *Set) NewCollector(columns Columns) *Collector {
	c := &Collector{set: s, columns: columns, byID: map[string]int32{}, valuesOf: make([][]uint32, len(s.funnels)), unions: make([][]uint64, len(s.funnels))}
	for group := range slices.Chunk(s.predicates, predicate.MaxPredicates) {
		c.evaluators = append(c.evaluators, predicate.NewEvaluator(group...))
	}
	c.masks = make([][]uint64, len(c.evaluators))
	return c
}

// Len is the number of events of funnels since the last Flush. Callers flush by it.
func (c *Collector) Len() int { return len(c.pool) }

// Add folds in the rows of a batch of events from row from on. Rows may come in any
// order. It allocates nothing once the collector has grown, for predicates that are
// direct (see package predicate).
func (c *Collector) Add(b *table.Batch, from int) {
	for i, e := range c.evaluators {
		c.masks[i] = e.Masks(b)
	}
	c.begin(b)
	codes, _ := b.Codes(c.columns.Visitor)
	sources, _ := b.Codes(c.columns.Source)
	for n, f := range c.set.funnels {
		for row := from; row < b.Len(); row++ {
			bits := c.bits(f, row)
			if bits == 0 && !f.strict || table.IsNullCode(codes[row]) || c.columns.Late >= 0 && b.Bool(c.columns.Late, row) {
				continue
			}
			who := c.visitorOf(b, codes[row])
			if f.union && !c.adds(n, who, bits) {
				continue
			}
			p := pooled{
				time: b.Int(c.columns.Time, row), position: b.Int(c.columns.Position, row), bits: bits,
				source: c.sourceOf(b, sources[row]), funnel: int32(n), visitor: who,
			}
			if f.breakdown >= 0 && bits != 0 {
				p.value = c.valueOf(b, n, f.breakdown, row)
			}
			c.pool = append(c.pool, p)
			c.visitors[who].events++
		}
	}
}

// adds tells whether an event satisfies something that none of the visitor's before did.
func (c *Collector) adds(funnel int, who int32, bits uint64) bool {
	for len(c.unions[funnel]) <= int(who) {
		c.unions[funnel] = append(c.unions[funnel], 0)
	}
	known := c.unions[funnel][who]
	c.unions[funnel][who] |= bits
	return bits&^known != 0
}

func (c *Collector) bits(f *funnel, row int) (bits uint64) {
	if f.inARow {
		return c.masks[f.predicates[0]/predicate.MaxPredicates][row] >> (f.predicates[0] % predicate.MaxPredicates) & f.all
	}
	for bit, p := range f.predicates {
		bits |= c.masks[p/predicate.MaxPredicates][row] >> (p % predicate.MaxPredicates) & 1 << bit
	}
	return bits
}

// begin forgets the codes of the batch before.
func (c *Collector) begin(b *table.Batch) {
	_, n := b.Codes(c.columns.Visitor)
	c.codes = c.codes[:0]
	for range n {
		c.codes = append(c.codes, none)
	}
	_, n = b.Codes(c.columns.Source)
	c.origins = blank(c.origins, n)
	for i, f := range c.set.funnels {
		if f.breakdown >= 0 {
			_, n = b.Codes(f.breakdown)
			c.valuesOf[i] = blank(c.valuesOf[i], n)
		}
	}
}

// blank is n zeros in the memory of s.
func blank(s []uint32, n int) []uint32 {
	if cap(s) < n {
		return make([]uint32, n)
	}
	s = s[:n]
	clear(s)
	return s
}

func (c *Collector) visitorOf(b *table.Batch, code uint32) int32 {
	if n := c.codes[code]; n != none {
		return n
	}
	id := b.DictValue(c.columns.Visitor, code)
	n, ok := c.byID[string(id)]
	if !ok {
		n = int32(len(c.visitors))
		v := visitor{id: string(id), hash: xxhash.Sum64(id)}
		c.visitors = append(c.visitors, v)
		c.byID[v.id] = n
	}
	c.codes[code] = n
	return n
}

func (c *Collector) sourceOf(b *table.Batch, code uint32) uint32 {
	if table.IsNullCode(code) {
		return c.sources.keep(nil)
	}
	if c.origins[code] == 0 {
		c.origins[code] = c.sources.keep(b.DictValue(c.columns.Source, code)) + 1
	}
	return c.origins[code] - 1
}

// valueOf is the value of a breakdown plus 1; 0 for none.
func (c *Collector) valueOf(b *table.Batch, funnel, col, row int) uint32 {
	codes, _ := b.Codes(col)
	code := codes[row]
	if table.IsNullCode(code) {
		return 0
	}
	known := &c.valuesOf[funnel][code]
	if *known == 0 {
		if v := b.DictValue(col, code); len(v) > 0 {
			*known = c.values.keep(v) + 2
		} else {
			*known = 1
		}
	}
	return *known - 1
}

// texts keeps one copy of each text.
type texts struct {
	list  []string
	codes map[string]uint32
}

func (t *texts) keep(b []byte) uint32 {
	if n, ok := t.codes[string(b)]; ok {
		return n
	}
	if t.codes == nil {
		t.codes = map[string]uint32{}
	}
	s := string(b)
	t.codes[s] = uint32(len(t.list))
	t.list = append(t.list, s)
	return t.codes[s]
}

// trim forgets them when they are many.
func (t *texts) trim() {
	if len(t.list) > maxTexts {
		*t = texts{}
	}
}
