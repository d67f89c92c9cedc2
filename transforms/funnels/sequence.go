package funnels

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// maxCells bounds the memory of a match: events times items, 4 bytes each.
const maxCells = 1 << 26

// Match tells whether the hits of one user, in order, hold the pattern
// (sequenceMatch).
func (p *Pattern) Match(hits []Hit) (bool, error) {
	m, err := p.find(hits, len(p.items))
	if err != nil {
		return false, err
	}
	return len(m.hits) > 0 && m.starts(0) >= 0, nil
}

// Count is the number of matches that do not overlap, from left to right
// (sequenceCount). A match without an event, as of the empty pattern, takes one.
func (p *Pattern) Count(hits []Hit) (int, error) {
	m, err := p.find(hits, len(p.items))
	if err != nil {
		return 0, err
	}
	if len(p.items) == 0 {
		return len(m.hits), nil
	}
	count := 0
	for from := 0; from < len(m.hits); count++ {
		at := m.chain(from)
		if at == nil {
			break
		}
		from = at[len(at)-1] + 1
	}
	return count, nil
}

// Events gives the times of the events (?N) of the first match, or else of the
// longest beginning of the pattern that is there (sequenceMatchEvents).
func (p *Pattern) Events(hits []Hit) ([]int64, error) {
	// Whoever holds a longer beginning holds the shorter ones.
	var m *sequenceFinder
	var failed error
	items := sort.Search(len(p.items), func(i int) bool {
		found, err := p.find(hits, i+1)
		if err != nil {
			failed = err
		} else if found.chain(0) != nil {
			m = found
			return false
		}
		return true
	})
	if failed != nil || items == 0 {
		return nil, failed
	}
	var times []int64
	for i, hit := range m.chain(0) {
		if p.items[i].condition != anyEvent {
			times = append(times, m.hits[hit].Time)
		}
	}
	return times, nil
}

// sequenceFinder knows, for each item and hit, the first hit from there on that the item
// takes and after which the rest of the pattern follows. What follows a hit does not
// depend on what came before, so one pass from the end finds it all, and a match is
// then read off: each item as early as can be, which is the match that backtracking
// with lazy gaps would find first.
type sequenceFinder struct {
	items []item
	hits  []Hit     // without those that satisfy nothing
	next  [][]int32 // by item and hit; len(hits) for none
}

func (p *Pattern) find(hits []Hit, items int) (*sequenceFinder, error) {
	m := &sequenceFinder{items: p.items[:items], hits: make([]Hit, 0, len(hits))}
	for _, h := range hits {
		if h.Steps != 0 {
			m.hits = append(m.hits, h)
		}
	}
	if !slices.IsSortedFunc(m.hits, compareHits) {
		slices.SortStableFunc(m.hits, compareHits)
	}
	n := len(m.hits)
	if n > math.MaxInt32-1 || n*items > maxCells {
		return nil, fmt.Errorf("matching a pattern of %d events with %d events of one user: their product is at most %d; take a shorter span of time", items, n, maxCells)
	}
	m.next = make([][]int32, items)
	for i := items - 1; i >= 0; i-- {
		next := make([]int32, n+1)
		next[n] = int32(n)
		m.next[i] = next
		for at := n - 1; at >= 0; at-- {
			next[at] = next[at+1]
			if m.takes(i, at) && (i == items-1 || m.follow(i+1, at) >= 0) {
				next[at] = int32(at)
			}
		}
	}
	return m, nil
}

func (m *sequenceFinder) takes(item, at int) bool {
	c := m.items[item].condition
	return c == anyEvent || m.hits[at].Steps>>c&1 != 0
}

// follow is the hit that an item takes after the one before it took hit last; -1
// for none.
func (m *sequenceFinder) follow(item, last int) int {
	it := &m.items[item]
	from := last + 1
	if !it.gap {
		if from < len(m.hits) && int(m.next[item][from]) == from {
			return from
		}
		return -1
	}
	t := m.hits[last].Time
	if it.least > 0 {
		from += sort.Search(len(m.hits)-from, func(i int) bool { return m.hits[from+i].Time-t >= it.least })
	}
	at := int(m.next[item][from])
	if at == len(m.hits) || m.hits[at].Time-t > it.most {
		return -1
	}
	return at
}

// starts is the first hit of the first match from a hit on; -1 for none.
func (m *sequenceFinder) starts(from int) int {
	if len(m.items) == 0 {
		return from
	}
	if at := int(m.next[0][from]); at < len(m.hits) {
		return at
	}
	return -1
}

// chain is the hits of the first match from a hit on, an item each; nil for none.
func (m *sequenceFinder) chain(from int) []int {
	at := m.starts(from)
	if at < 0 || len(m.items) == 0 {
		return nil
	}
	out := []int{at}
	for i := 1; i < len(m.items); i++ {
		at = m.follow(i, at)
		out = append(out, at)
	}
	return out
}
