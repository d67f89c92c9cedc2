package report

import (
	"cmp"
	"slices"
	"strings"
)

// A tally counts keys in bounded memory. It is exact until it has met limit
// distinct keys; then it forgets the less frequent half, and from there on a
// key that comes back counts from zero again. This is lossy counting: no count
// is ever too high, and none is too low by more than lost.
// Keys longer than maxKey bytes count as their beginning.
// What it keeps does not depend on map order.
type tally[V any] struct {
	limit   int
	entries map[string]*entry[V]
	lost    int64
}

type entry[V any] struct {
	key   string
	count int64
	value V // whatever else is summed for the key
}

// maxKey bounds the length of a key: requests can be megabytes long.
const maxKey = 512

func newTally[V any](limit int) *tally[V] {
	return &tally[V]{limit: limit, entries: make(map[string]*entry[V])}
}

func (t *tally[V]) add(key []byte, n int64) *entry[V] {
	key = key[:min(len(key), maxKey)]
	e := t.entries[string(key)]
	if e == nil {
		if len(t.entries) >= t.limit {
			t.forget()
		}
		e = &entry[V]{key: strings.ToValidUTF8(string(key), "\uFFFD")}
		t.entries[string(key)] = e
	}
	e.count += n
	return e
}

func (t *tally[V]) forget() {
	counts := make([]int64, 0, len(t.entries))
	for _, e := range t.entries {
		counts = append(counts, e.count)
	}
	slices.Sort(counts)
	floor := counts[len(counts)/2]
	for key, e := range t.entries {
		if e.count <= floor {
			delete(t.entries, key)
		}
	}
	t.lost += floor
}

// top returns the n entries with the greatest positive weight; ties by key.
func (t *tally[V]) top(n int, weight func(*entry[V]) int64) []*entry[V] {
	all := make([]*entry[V], 0, len(t.entries))
	for _, e := range t.entries {
		if weight(e) > 0 {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b *entry[V]) int {
		return cmp.Or(cmp.Compare(weight(b), weight(a)), strings.Compare(a.key, b.key))
	})
	return all[:min(n, len(all))]
}

func byCount[V any](e *entry[V]) int64 { return e.count }
