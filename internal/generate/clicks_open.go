package generate

import (
	"container/heap"
	"iter"
	"math"
	"strconv"
)

// OpenShop is a shop that is always open, for playing it live: events come at an even
// rate, with visitors in all stages of their visits from the first second on. What is
// true of it is counted as lines are given. It belongs to one goroutine.
type OpenShop struct {
	shop    *Shop
	rate    float64 // lines in a second of event time
	limit   int64
	queue   clickQueue
	planted map[int64]int // numbers of values, by that of the event
	stopped bool
}

// warmUp is how long before its start visitors come to an open shop, seconds: longer
// than nearly all visits last.
const warmUp = 40 * 60

// NewOpenShop makes one, which gives so many lines in a second of event time, and so many in
// all, 0 for no end. Of the configuration, Days and Events say nothing. Visitors are enough
// for the rate when it has none.
func NewOpenShop(c ClickConfig, rate float64, limit int64) *OpenShop {
	if c.Visitors == 0 {
		c.Visitors = VisitorsFor(rate)
	}
	if limit == 0 {
		limit = math.MaxInt64
	}
	c.Incidents = 0
	s := NewShop(c)
	s.open = true
	return &OpenShop{shop: s, rate: rate, limit: limit, planted: map[int64]int{}}
}

// VisitorsFor is how many visitors are enough for a rate: one is away for more than an
// hour after a visit of minutes.
func VisitorsFor(rate float64) int {
	return int(min(1e7, max(1_000, 2*rate*(rest/1000+600)/visitEvents)))
}

// Stop ends the lines. It is called while Lines runs, by the one who ranges over it.
func (o *OpenShop) Stop() { o.stopped = true }

// Truth is that of the lines given so far.
func (o *OpenShop) Truth() ClickTruth { return o.shop.Truth() }

// WriteTruth writes it, see Shop.
func (o *OpenShop) WriteTruth(dir string) error { return o.shop.WriteTruth(dir) }

// Lines gives the lines in the order in which they are received. A line's key is its
// visitor.
func (o *OpenShop) Lines() iter.Seq[Line] {
	return func(yield func(Line) bool) {
		s := o.shop
		start := s.cfg.Start.Unix()
		come, given := 0.0, int64(0)
		give := func(c *click, second int64, line func(*click) []byte) bool {
			if o.stopped || given == o.limit {
				return false
			}
			given++
			text := line(c)
			return yield(Line{Key: strconv.Itoa(c.visitor), At: second, Text: text[:len(text)-1]})
		}
		for second := start - warmUp; ; second++ {
			due := o.rate * float64(second-start+warmUp+1)
			if second == start {
				come = due - o.rate // whatever came before
			}
			for len(o.queue) > 0 && o.queue[0].received < (second+1)*1000 || come < due && o.arrive(second) {
				if o.queue[0].received >= (second+1)*1000 {
					continue // who came is about to do something
				}
				c := heap.Pop(&o.queue).(click)
				if second < start {
					come++
				}
				if c.original < start*1000 {
					continue // before the first line, or a copy of one that was
				}
				come++
				if !give(&c, second, o.event) {
					return
				}
				if s.rng.hit(shareOf(s.cfg.Malformed)) {
					come++
					if !give(&c, second, s.broken) {
						return
					}
				}
			}
		}
	}
}

// event is the line of an event, which counts from now on.
func (o *OpenShop) event(c *click) []byte {
	s := o.shop
	if c.copied {
		s.truth.Duplicates++
		c.canary = o.planted[c.number]
	} else {
		s.truth.count(s, c)
		if c.canary = s.canaries.next(c); c.canary != 0 {
			o.planted[c.number] = c.canary
		}
	}
	return s.append(c)
}

// arrive has a visitor come, if one is free.
func (o *OpenShop) arrive(second int64) bool {
	o.shop.visit(second * 1000)
	for _, c := range o.shop.pending {
		heap.Push(&o.queue, c)
	}
	n := len(o.shop.pending)
	o.shop.pending = o.shop.pending[:0]
	return n > 0
}

// clickQueue is a heap of events by when they are received.
type clickQueue []click

func (q clickQueue) Len() int           { return len(q) }
func (q clickQueue) Less(i, j int) bool { return q[i].compare(&q[j]) < 0 }
func (q clickQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *clickQueue) Push(c any)        { *q = append(*q, c.(click)) }
func (q *clickQueue) Pop() any {
	last := len(*q) - 1
	c := (*q)[last]
	*q = (*q)[:last]
	return c
}
