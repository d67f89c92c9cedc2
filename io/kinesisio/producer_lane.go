package kinesisio

import (
	"container/heap"
	"time"

	"millrace/schemas/table"
)

// lane is a queue of records that go one after the other: those of one shard,
// with Aggregate; else those of one key; else, Unordered, a single record.
//
// A lane has at most one Kinesis record on its way, made of the records at the
// head of its queue. They stay there until they are acknowledged, so whatever
// fails is first in line again and nothing behind it can overtake it.
type lane struct {
	name  string // of the shard or the key
	queue []queued
	bytes int // of the queue
	// flying records at the head are on their way, or have come to a shard,
	// landed, that was not the one to expect.
	flying int
	landed string
	due    time.Duration // when it is to go, in the heap that holds it
	at     int           // its index there; -1 for none
	tries  int           // failures of its head
	pace   pace
	// Among the suspects at its head may be one that the service finds invalid. They
	// go in units of at most pack records and in calls of at most most units, among
	// suspects only; both are halved until it is found.
	suspects   int
	pack, most int
}

// suspect has the first n records, which were a unit of a call of so many, go in halves.
func (l *lane) suspect(n, units int) {
	l.suspects = max(l.suspects, n)
	l.pack, l.most = n, units/2
	if units == 1 {
		l.pack, l.most = n/2, 1
	}
}

// clear lets the first n records off: what follows may go in larger parts.
func (l *lane) clear(n int) {
	if l.suspects = max(0, l.suspects-n); l.suspects > 0 {
		l.pack, l.most = 2*l.pack, 2*l.most
	}
}

// queued is a record with the time it was accepted and, with Aggregate, the
// place of its key.
type queued struct {
	Record
	hash     hashKey
	at       time.Duration
	attempts int32       // calls that had it
	row      uint32      // of rows, where it is one
	rows     *table.Rows // nil when it is none
}

// chunkBytes is how much memory is allocated for data at a time.
const chunkBytes = 64 << 10

// keep copies data.
func (p *Producer) keep(data []byte) []byte {
	n := len(data)
	if n > chunkBytes/8 {
		return append(make([]byte, 0, n), data...)
	}
	if cap(p.chunk)-len(p.chunk) < n {
		p.chunk = make([]byte, 0, chunkBytes)
	}
	at := len(p.chunk)
	p.chunk = append(p.chunk, data...)
	return p.chunk[at:len(p.chunk):len(p.chunk)]
}

// hash is the place that decides the record's shard.
func (r *Record) hash() hashKey {
	if h, ok := parseHashKey(r.ExplicitHashKey); ok {
		return h
	}
	return hashOf(r.Key)
}

// enqueue appends a record to its lane.
func (p *Producer) enqueue(q queued) {
	l := p.laneOf(&q)
	l.queue = append(l.queue, q)
	l.bytes += q.size()
	switch {
	case len(l.queue) == 1:
		p.offer(l)
	case l.at >= 0 && l.due > 0 && p.full(l):
		if p.available.has(l) {
			l.due = 0
			heap.Fix(&p.available, l.at)
			p.signal()
		}
	}
}

// full tells that a lane need not wait for more.
func (p *Producer) full(l *lane) bool { return p.opt.Aggregate && l.bytes >= p.opt.AggregateBytes }

func (p *Producer) laneOf(q *queued) *lane {
	name := q.Key
	switch {
	case p.opt.Aggregate:
		name = p.shards.shardOf(q.hash)
	case p.opt.Unordered:
		return &lane{at: -1}
	case q.ExplicitHashKey != "":
		name += "\x00" + q.ExplicitHashKey
	}
	l := p.lanes[name]
	if l == nil {
		l = &lane{name: name, at: -1}
		p.lanes[name] = l
	}
	return l
}

// offer makes a lane that has records, none of them on its way, available.
func (p *Producer) offer(l *lane) {
	l.due = l.queue[0].at + p.opt.MaxDelay
	if p.full(l) {
		l.due = 0
	}
	heap.Push(&p.available, l)
	if p.available[0] == l || p.pressing() {
		p.signal()
	}
}

// pressing tells that whatever is available is due: somebody waits for it, or it
// fills a call.
func (p *Producer) pressing() bool {
	return p.flushing > 0 || p.crowded > 0 || !p.opt.Aggregate && (len(p.available) >= maxCallRecords || p.buffered >= maxCallBytes)
}

// delay keeps a lane back for some time.
func (p *Producer) delay(l *lane, d time.Duration) {
	l.due = p.now() + d
	heap.Push(&p.waiting, l)
	p.signal()
}

// promote makes the lanes available that have waited long enough. They go
// without waiting for company.
func (p *Producer) promote(now time.Duration) {
	for len(p.waiting) > 0 && p.waiting[0].due <= now {
		l := heap.Pop(&p.waiting).(*lane)
		l.due = 0
		heap.Push(&p.available, l)
	}
}

// drop removes n records from the head of a lane: they are settled.
func (p *Producer) drop(l *lane, n int) {
	for i := range n {
		l.bytes -= l.queue[i].size()
		p.buffered -= l.queue[i].weight()
	}
	clear(l.queue[:n]) // so that their data can be freed
	l.queue = l.queue[n:]
}

// proceed lets a lane whose head was settled go on with what follows.
func (p *Producer) proceed(l *lane) {
	l.flying, l.tries = 0, 0
	switch pause := l.pace.passed(); {
	case len(l.queue) == 0:
		l.queue = nil
		if !p.opt.Aggregate {
			delete(p.lanes, l.name)
		}
	case pause > 0:
		p.delay(l, pause)
	default:
		p.offer(l)
	}
}

// laneHeap orders lanes by the time they are due.
type laneHeap []*lane

func (h laneHeap) has(l *lane) bool   { return l.at < len(h) && h[l.at] == l }
func (h laneHeap) Len() int           { return len(h) }
func (h laneHeap) Less(i, j int) bool { return h[i].due < h[j].due }
func (h laneHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i]; h[i].at, h[j].at = i, j }
func (h *laneHeap) Push(x any)        { l := x.(*lane); l.at = len(*h); *h = append(*h, l) }
func (h *laneHeap) Pop() any {
	old := *h
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*h, l.at = old[:len(old)-1], -1
	return l
}
