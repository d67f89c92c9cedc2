package sketch

import (
	"cmp"
	"container/heap"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"strings"

	"millrace/transforms/internal/wire"
)

// Heavy finds the most frequent of more keys than memory can hold, approximately:
// Space-Saving (Metwally, Agrawal, El Abbadi: "Efficient computation of frequent and
// top-k elements in data streams", ICDT 2005) with ten counters for each key that is
// asked for.
//
// A count is never too small, and too great by at most its Error, which is at most a
// counter's share of all that was counted (Total / (10 n)). Every key that came more often than that is
// in it. As long as there are no more keys than counters, everything is exact.
//
// Beyond that, what it gives depends on the order in which keys came and parts were
// merged (Agarwal et al., "Mergeable summaries", PODS 2012): within the bounds, but not
// the same bytes. Where batch and stream must agree use [Counts].
type Heavy struct {
	top    int // n
	total  int64
	forgot bool // a key was given up for another
	known  map[string]*counter
	least  counters // a heap: the first is given up first
}

type counter struct {
	Approximate
	at int // in the heap
}

// Approximate is a key and how often it came: Count at most, and Count - Error at
// least.
type Approximate struct {
	Key   string
	Count int64
	Error int64
}

const countersPerKey = 10

// maxTop bounds what is asked for.
const maxTop = 1 << 20

// NewHeavy returns an empty one for the n most frequent keys.
func NewHeavy(n int) *Heavy {
	if n < 1 || n > maxTop {
		panic(fmt.Sprintf("sketch: the %d most frequent keys", n))
	}
	return &Heavy{top: n, known: map[string]*counter{}}
}

// HeavyOf is one for the n most frequent keys that knows the largest of exact counts. Every
// key must come once; in which order makes no difference.
func HeavyOf(n int, counts iter.Seq2[string, int64]) *Heavy {
	h := NewHeavy(n)
	var all counters
	for key, count := range counts {
		all = append(all, &counter{Approximate: Approximate{Key: key, Count: count}})
		h.total += count
	}
	h.keep(all)
	return h
}

func (h *Heavy) counters() int { return countersPerKey * h.top }

// Add counts a key n times; n is above 0.
func (h *Heavy) Add(key []byte, n int64) {
	h.total += n
	if c := h.known[string(key)]; c != nil {
		c.Count += n
		heap.Fix(&h.least, c.at)
		return
	}
	if len(h.least) < h.counters() {
		h.put(&counter{Approximate: Approximate{Key: string(key), Count: n}})
		return
	}
	h.forgot = true
	c := h.least[0]
	delete(h.known, c.Key)
	c.Key, c.Error = string(key), c.Count
	c.Count += n
	h.known[c.Key] = c
	heap.Fix(&h.least, 0)
}

func (h *Heavy) put(c *counter) {
	h.known[c.Key] = c
	heap.Push(&h.least, c)
}

// Bound is how often a key that it does not know can have come, at most.
func (h *Heavy) Bound() int64 {
	if !h.forgot {
		return 0
	}
	return h.least[0].Count
}

// Exact tells whether every key is counted, and none too often.
func (h *Heavy) Exact() bool { return !h.forgot }

// Total is the sum of all counts.
func (h *Heavy) Total() int64 { return h.total }

// Merge counts what o counted. Both must be for equally many keys. What comes out
// does not depend on which of the two it is called; that of three depends on which two
// came together first.
func (h *Heavy) Merge(o *Heavy) error {
	if h.top != o.top {
		return fmt.Errorf("merging frequent keys: one is for the %d most frequent, the other for %d", h.top, o.top)
	}
	own, others := h.Bound(), o.Bound()
	var all counters
	for _, c := range h.least {
		a := c.Approximate
		if d := o.known[a.Key]; d != nil {
			a.Count, a.Error = a.Count+d.Count, a.Error+d.Error
		} else {
			a.Count, a.Error = a.Count+others, a.Error+others
		}
		all = append(all, &counter{Approximate: a})
	}
	for _, d := range o.least {
		if h.known[d.Key] == nil {
			a := d.Approximate
			a.Count, a.Error = a.Count+own, a.Error+own
			all = append(all, &counter{Approximate: a})
		}
	}
	h.forgot = h.forgot || o.forgot
	h.total += o.total
	h.keep(all)
	return nil
}

// keep knows the greatest of all counts, and no others.
func (h *Heavy) keep(all counters) {
	h.forgot = h.forgot || len(all) > h.counters()
	for i, c := range all {
		c.at = i
	}
	heap.Init(&all)
	for len(all) > h.counters() {
		heap.Pop(&all)
	}
	h.least = all
	clear(h.known)
	for _, c := range all {
		h.known[c.Key] = c
	}
}

// compareApproximate puts the greater count first, among equals the lesser key.
func compareApproximate(a, b Approximate) int {
	if a.Count != b.Count { // mostly, and then no keys are compared
		return cmp.Compare(b.Count, a.Count)
	}
	return strings.Compare(a.Key, b.Key)
}

// Top returns the n keys with the greatest counts in descending order, equal ones
// by key.
func (h *Heavy) Top() []Approximate {
	all := make([]Approximate, 0, len(h.least))
	for _, c := range h.least {
		all = append(all, c.Approximate)
	}
	slices.SortFunc(all, compareApproximate)
	return all[:min(h.top, len(all))]
}

// Len is the number of keys that it knows.
func (h *Heavy) Len() int { return len(h.least) }

// Known gives the keys that it knows, in no order.
func (h *Heavy) Known() iter.Seq[Approximate] {
	return func(yield func(Approximate) bool) {
		for _, c := range h.least {
			if !yield(c.Approximate) {
				return
			}
		}
	}
}

// counters is a heap by count; of equal ones the greatest key is the first.
type counters []*counter

func (c counters) Len() int { return len(c) }
func (c counters) Less(i, j int) bool {
	return compareApproximate(c[i].Approximate, c[j].Approximate) > 0
}

func (c counters) Swap(i, j int) {
	c[i], c[j] = c[j], c[i]
	c[i].at, c[j].at = i, j
}

// Push is for container/heap.
func (c *counters) Push(x any) {
	n := x.(*counter)
	n.at = len(*c)
	*c = append(*c, n)
}

// Pop is for container/heap.
func (c *counters) Pop() any {
	last := (*c)[len(*c)-1]
	*c = (*c)[:len(*c)-1]
	return last
}

// The encoded form is a version, the n, the total, whether keys were given up, the
// number of counters and these by key, each as in Counts with its error after the count.
const heavyVersion = 1

// AppendEncoded writes what DecodeHeavy reads.
func (h *Heavy) AppendEncoded(dst []byte) []byte {
	dst = append(dst, heavyVersion)
	dst = binary.AppendUvarint(dst, uint64(h.top))
	dst = binary.AppendUvarint(dst, uint64(h.total))
	forgot := byte(0)
	if h.forgot {
		forgot = 1
	}
	dst = append(dst, forgot)
	sorted := slices.Clone(h.least)
	slices.SortFunc(sorted, func(a, b *counter) int { return strings.Compare(a.Key, b.Key) })
	dst = binary.AppendUvarint(dst, uint64(len(sorted)))
	previous := ""
	for _, c := range sorted {
		dst = appendKey(dst, previous, c.Key)
		dst = binary.AppendUvarint(dst, uint64(c.Count))
		dst = binary.AppendUvarint(dst, uint64(c.Error))
		previous = c.Key
	}
	return dst
}

// DecodeHeavy reads what AppendEncoded wrote.
func DecodeHeavy(b []byte) (*Heavy, error) {
	in := wire.NewReader(b)
	h := &Heavy{known: map[string]*counter{}}
	if v := in.Byte(); v != heavyVersion {
		in.Fail("frequent keys of version %d", v)
	}
	h.top = int(in.Limited(maxTop))
	h.total = int64(in.Limited(maxCount))
	forgot := in.Byte()
	h.forgot = forgot == 1
	n := in.Count(4)
	if in.Err() == nil && (h.top == 0 || forgot > 1 || n > h.counters() || h.forgot && n < h.counters()) {
		in.Fail("%d counters for the %d most frequent keys", n, h.top)
	}
	var key []byte
	for i := range n {
		before := string(key)
		key = readKey(in, key)
		count, e := int64(in.Limited(maxCount)), int64(in.Limited(maxCount))
		if in.Err() == nil && (count <= e || i > 0 && string(key) <= before || e > 0 && !h.forgot) {
			in.Fail("a key with count %d and error %d, or out of order", count, e)
		}
		if in.Err() != nil {
			break
		}
		h.put(&counter{Approximate: Approximate{Key: string(key), Count: count, Error: e}})
	}
	if err := in.Close(); err != nil {
		return nil, fmt.Errorf("reading frequent keys: %w", err)
	}
	return h, nil
}
