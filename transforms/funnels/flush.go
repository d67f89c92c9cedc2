package funnels

import (
	"cmp"
	"slices"
	"strings"

	"millrace/transforms/internal/wire"
)

// Part is the encoded fragments of one day and visitor shard.
type Part struct {
	Day   int64 // UTC day of the events, days since the epoch
	Shard int
	Blob  []byte
}

// run is the events of a visitor on one UTC day: from and to in Collector.order.
type run struct {
	day      int64
	shard    uint64
	hash     uint64
	id       string
	from, to int
}

// Flush returns the fragments by day and shard, in that order, and empties the
// collector. A visitor's shard is the xxhash64 (seed 0) of the id modulo shards.
// Equal events give equal bytes, in whatever order they were added.
func (c *Collector) Flush(shards int) []Part {
	c.cut(shards)
	var parts []Part
	for runs := c.runs; len(runs) > 0; {
		n := 1
		for n < len(runs) && runs[n].day == runs[0].day && runs[n].shard == runs[0].shard {
			n++
		}
		parts = append(parts, Part{Day: runs[0].day, Shard: int(runs[0].shard), Blob: c.encode(runs[:n])})
		runs = runs[n:]
	}
	c.reset()
	return parts
}

// gather puts the events of each visitor together, as they came, which mostly is in
// order. It counts where they go first: to follow lists through the pool would wait
// for memory at every step.
func (c *Collector) gather() {
	at := int32(0)
	for i := range c.visitors {
		c.visitors[i].end = at
		at += c.visitors[i].events
	}
	c.order = slices.Grow(c.order[:0], len(c.pool))[:len(c.pool)]
	for i := range c.pool {
		v := &c.visitors[c.pool[i].visitor]
		c.order[v.end] = c.pool[i]
		v.end++
	}
}

// cut sorts the events of each visitor, and the runs they make.
func (c *Collector) cut(shards int) {
	c.gather()
	for i := range c.visitors {
		v := &c.visitors[i]
		start := int(v.end - v.events)
		own := c.order[start:v.end]
		if !slices.IsSortedFunc(own, c.compare) {
			slices.SortFunc(own, c.compare)
		}
		for from := 0; from < len(own); {
			day := floor(own[from].time, dayMs)
			to := from + 1
			for to < len(own) && floor(own[to].time, dayMs) == day {
				to++
			}
			c.runs = append(c.runs, run{day, v.hash % uint64(shards), v.hash, v.id, start + from, start + to})
			from = to
		}
	}
	slices.SortFunc(c.runs, compareRuns)
}

// compareRuns looks at the ids only of visitors with the same hash.
func compareRuns(a, b run) int {
	switch {
	case a.day != b.day:
		return cmp.Compare(a.day, b.day)
	case a.shard != b.shard:
		return cmp.Compare(a.shard, b.shard)
	case a.hash != b.hash:
		return cmp.Compare(a.hash, b.hash)
	}
	return strings.Compare(a.id, b.id)
}

// compare orders by day, funnel, time and origin.
func (c *Collector) compare(a, b pooled) int {
	if d := floor(a.time, dayMs) - floor(b.time, dayMs); d != 0 {
		return int(d)
	}
	switch {
	case a.funnel != b.funnel:
		return int(a.funnel - b.funnel)
	case a.time != b.time:
		return cmp.Compare(a.time, b.time)
	case a.source != b.source:
		return strings.Compare(c.sources.list[a.source], c.sources.list[b.source])
	}
	return cmp.Or(cmp.Compare(a.position, b.position), cmp.Compare(a.bits, b.bits), strings.Compare(c.value(a.value), c.value(b.value)))
}

func (c *Collector) value(code uint32) string {
	if code == 0 {
		return ""
	}
	return c.values.list[code-1]
}

// encode writes the runs of a day and shard.
func (c *Collector) encode(runs []run) []byte {
	e := &c.scratch
	base, prefix := c.order[runs[0].from].time, runs[0].id
	for _, r := range runs {
		prefix = commonPrefix(prefix, r.id)
		for i := r.from; i < r.to; i++ {
			base = min(base, c.order[i].time)
		}
	}
	e.reset(base)
	for _, r := range runs {
		e.body = wire.AppendText(e.body, r.id[len(prefix):])
		e.number(uint64(c.funnelsIn(r)))
		for from := r.from; from < r.to; {
			to := from + 1
			for to < r.to && c.order[to].funnel == c.order[from].funnel {
				to++
			}
			c.fragment(c.order[from:to])
			from = to
		}
	}
	return e.assemble(c.set.head, prefix, len(runs))
}

func (c *Collector) funnelsIn(r run) int {
	n := 1
	for i := r.from + 1; i < r.to; i++ {
		if c.order[i].funnel != c.order[i-1].funnel {
			n++
		}
	}
	return n
}

// fragment writes the events of a visitor, a day and a funnel.
func (c *Collector) fragment(list []pooled) {
	v := &c.visits
	v.events, v.hours = v.events[:0], v.hours[:0]
	for _, p := range list {
		v.events = append(v.events, event{
			time: p.time, position: p.position, source: c.sources.list[p.source], value: c.value(p.value), bits: p.bits,
		})
	}
	f := c.set.funnels[list[0].funnel]
	if len(list) > c.set.maxEvents && !f.union {
		v.tidy(c.set.maxEvents)
	}
	e := &c.scratch
	e.number(uint64(list[0].funnel))
	e.visits(v, f.breakdown >= 0)
}

// maxTexts bounds what a collector keeps from one flush to the next.
const maxTexts = 1 << 16

// Forget frees the memory of an empty collector, which Flush leaves to be used again.
func (c *Collector) Forget() { *c = *c.set.NewCollector(c.columns) }

func (c *Collector) reset() {
	clear(c.byID)
	clear(c.visitors)
	clear(c.runs)
	c.visitors, c.pool, c.order, c.runs = c.visitors[:0], c.pool[:0], c.order[:0], c.runs[:0]
	for i := range c.unions {
		c.unions[i] = c.unions[i][:0]
	}
	c.sources.trim()
	c.values.trim()
}
