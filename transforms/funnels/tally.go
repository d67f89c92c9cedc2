package funnels

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"millrace/transforms/internal/wire"
)

// Tally counts visitors by funnel, UTC day, breakdown value and step. Each visitor
// is added once for a funnel and day (BestOfDays, Update.Days). Tallies of disjoint
// visitors merge, in any order, to the same bytes.
//
// Counts and sums are exact and add up. Medians are exact too: all times are kept,
// about 3 bytes each when encoded.
type Tally struct {
	set    *Set
	counts map[tallyKey]*Conversion
}

type tallyKey struct {
	funnel    int
	day       int64
	breakdown string
}

func compareKeys(a, b tallyKey) int {
	return cmp.Or(cmp.Compare(a.funnel, b.funnel), cmp.Compare(a.day, b.day), strings.Compare(a.breakdown, b.breakdown))
}

// Conversion is how far visitors came, and how long each step took them.
type Conversion struct {
	Excluded int64     // visitors removed by an exclusion event
	Visitors []int64   // who reached each step
	took     [][]int64 // for each step the milliseconds from the one before
}

// NewConversion counts nobody yet.
func NewConversion(steps int) *Conversion {
	return &Conversion{Visitors: make([]int64, steps), took: make([][]int64, steps)}
}

// Add counts a visitor.
func (c *Conversion) Add(r *Row) {
	if r.Excluded {
		c.Excluded++
		return
	}
	for i, t := range r.Times {
		c.Visitors[i]++
		if i > 0 {
			c.took[i] = append(c.took[i], t-r.Times[i-1])
		}
	}
}

// Total is the time from the step before step i (from 0), of all visitors together,
// in milliseconds.
func (c *Conversion) Total(i int) (sum int64) { return durations(c.took[i]).total() }

// Average is the mean time from the step before step i (from 0), in milliseconds,
// of the visitors who reached step i; false when there are none.
func (c *Conversion) Average(i int) (float64, bool) { return durations(c.took[i]).average() }

// Median is the median of the same; of an even number, the mean of the middle two.
func (c *Conversion) Median(i int) (float64, bool) { return durations(c.took[i]).median() }

// NewTally returns an empty tally.
func (s *Set) NewTally() *Tally { return &Tally{set: s, counts: map[tallyKey]*Conversion{}} }

// Add counts the visitor of a row on the day of its start.
func (t *Tally) Add(r *Row) { t.at(tallyKey{r.Funnel, r.Day(), r.Breakdown}).Add(r) }

func (t *Tally) at(k tallyKey) *Conversion {
	c := t.counts[k]
	if c == nil {
		c = NewConversion(t.set.funnels[k.funnel].steps)
		t.counts[k] = c
	}
	return c
}

// StepRow is a step of a funnel on a UTC day.
type StepRow struct {
	Funnel     int
	Day        int64 // days since the epoch
	Breakdown  string
	Step       int // from 0
	Name       string
	Conversion *Conversion
	Version    int64 // revision * 2^32 + visitors of the funnel and day, excluded ones included
}

// Rows lists all steps of each funnel, day and breakdown value that has a visitor,
// in this order.
func (t *Tally) Rows(revision Revision) []StepRow {
	visitors := map[tallyKey]int64{}
	for k, c := range t.counts {
		visitors[tallyKey{funnel: k.funnel, day: k.day}] += c.Visitors[0] + c.Excluded
	}
	var out []StepRow
	for _, k := range slices.SortedFunc(maps.Keys(t.counts), compareKeys) {
		f := t.set.funnels[k.funnel]
		for i := range f.steps {
			out = append(out, StepRow{
				Funnel: k.funnel, Day: k.day, Breakdown: k.breakdown, Step: i, Name: f.Definition.Steps[i].Name, Conversion: t.counts[k],
				Version: revision.version(k.day*dayMs, visitors[tallyKey{funnel: k.funnel, day: k.day}]),
			})
		}
	}
	return out
}

// Encode writes the tally: the head of the set, then the number of keys, and for
// each funnel, day, breakdown, excluded, and for each step its visitors and, from
// the second on, the sorted times, each as difference to the one before.
func (t *Tally) Encode() []byte {
	out := append([]byte{}, t.set.head...)
	out = binary.AppendUvarint(out, uint64(len(t.counts)))
	for _, k := range slices.SortedFunc(maps.Keys(t.counts), compareKeys) {
		c := t.counts[k]
		out = binary.AppendUvarint(out, uint64(k.funnel))
		out = binary.AppendVarint(out, k.day)
		out = wire.AppendText(out, k.breakdown)
		out = binary.AppendUvarint(out, uint64(c.Excluded))
		for i, n := range c.Visitors {
			out = binary.AppendUvarint(out, uint64(n))
			slices.Sort(c.took[i])
			previous := int64(0)
			for _, took := range c.took[i] {
				out = binary.AppendUvarint(out, uint64(took-previous))
				previous = took
			}
		}
	}
	return out
}

// Merge adds what another tally encoded. After an error the tally is of no use.
func (t *Tally) Merge(encoded []byte) error {
	d := decoder{Reader: wire.NewReader(encoded), set: t.set}
	d.head()
	for range d.Count(5) {
		n, ok := d.funnel()
		if !ok {
			break
		}
		k := tallyKey{funnel: n, day: d.Varint()}
		if k.day < -maxTime/dayMs || k.day > maxTime/dayMs {
			d.Fail("day %d", k.day)
		}
		k.breakdown = string(d.Text())
		excluded := int64(d.Limited(maxCount))
		if d.Err() != nil {
			break
		}
		c := t.at(k)
		c.Excluded += excluded
		for i := range c.Visitors {
			d.step(c, i, t.set.funnels[n].within)
		}
	}
	if err := d.Close(); err != nil {
		return fmt.Errorf("reading a tally of funnels: %w", err)
	}
	return nil
}

func (d *decoder) step(c *Conversion, i int, within int64) {
	n := int64(d.Limited(maxCount))
	if i > 0 && n > int64(d.Rest()) {
		d.Fail("%d times are not there", n)
	}
	if d.Err() != nil {
		return
	}
	c.Visitors[i] += n
	if i == 0 {
		return
	}
	took := int64(0)
	for range n {
		if took += int64(d.Limited(uint64(within))); took > within {
			d.Fail("%d ms from one step to the next", took)
			return
		}
		c.took[i] = append(c.took[i], took)
	}
}
