package funnels

import (
	"encoding/binary"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// Row is the best attempt of a group.
type Row struct {
	Funnel    int // number in the Set
	Steps     int // of the funnel
	Visitor   string
	Start     int64   // time of its first event, Unix milliseconds
	Level     int     // steps reached that count: Reached, or 0 when Excluded
	Reached   int     // steps reached
	Times     []int64 // of each step reached; with Any, the times when 1, 2, ... steps were reached
	Excluded  bool    // an exclusion event removes the visitor from the funnel
	Truncated bool    // a window holds events beyond Options.MaxEvents of their hour
	Breakdown string  // empty for none
	Version   int64   // revision * 2^32 + events of the group; the greater one wins
}

// Converted tells whether all steps count.
func (r *Row) Converted() bool { return r.Level == r.Steps }

// Day is the UTC day of the start, in days since the epoch.
func (r *Row) Day() int64 { return floor(r.Start, dayMs) }

// Last is the time of the last step reached.
func (r *Row) Last() int64 { return r.Times[len(r.Times)-1] }

// Better tells whether of two rows of one visitor and funnel a is the one that
// counts: the deeper one; of equally deep ones one that is not excluded, and then
// the earlier.
func (r *Row) Better(o *Row) bool {
	switch {
	case r.Reached != o.Reached:
		return r.Reached > o.Reached
	case r.Excluded != o.Excluded:
		return !r.Excluded
	}
	return r.Start < o.Start
}

// Best keeps, of each funnel and visitor, the row that counts over all of their
// days. The rows come by funnel, visitor and start, as those of Evaluator.Rows.
func Best(rows []Row) []Row {
	var out []Row
	for _, r := range rows {
		n := len(out) - 1
		if n < 0 || out[n].Funnel != r.Funnel || out[n].Visitor != r.Visitor {
			out = append(out, r)
		} else if r.Better(&out[n]) {
			out[n] = r
		}
	}
	return out
}

// Revision gives the revision of the rows of a UTC day (days since the epoch): 0
// for the first writing, one more with each rewrite. A nil Revision is 0.
type Revision func(day int64) int32

func (r Revision) version(start, events int64) int64 {
	if r == nil {
		return events
	}
	return int64(r(floor(start, dayMs)))<<32 + events
}

// row makes a group's best attempt one.
func (s *seeker) row(number int, visitor string, g *group, revision Revision) Row {
	a := &g.best
	r := Row{
		Funnel: number, Steps: s.steps, Visitor: visitor, Start: a.start, Level: a.reached, Reached: a.reached,
		Times: slices.Clone(a.times[:a.reached]), Excluded: a.excluded, Truncated: g.truncated,
		Breakdown: s.breakdownOf(a), Version: revision.version(a.start, g.events),
	}
	if r.Excluded {
		r.Level = 0
	}
	return r
}

const (
	rowExcluded = 1 << iota
	rowTruncated
)

// appendContent writes what a row says, other than which it is and its version.
func (r *Row) appendContent(dst []byte) []byte {
	var flags byte
	if r.Excluded {
		flags |= rowExcluded
	}
	if r.Truncated {
		flags |= rowTruncated
	}
	dst = append(dst, flags)
	dst = binary.AppendUvarint(dst, uint64(r.Reached))
	previous := r.Start
	for _, t := range r.Times {
		dst = binary.AppendUvarint(dst, uint64(t-previous))
		previous = t
	}
	dst = binary.AppendUvarint(dst, uint64(len(r.Breakdown)))
	return append(dst, r.Breakdown...)
}

// digest tells contents apart.
func (r *Row) digest(scratch []byte) uint64 { return xxhash.Sum64(r.appendContent(scratch[:0])) }
