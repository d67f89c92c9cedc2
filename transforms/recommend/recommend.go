// Package recommend finds items that go together: seen in one visit, or bought in one.
//
// For a day D, visits of the days D-Days+1 to D count, one that is a half-life old half
// as much (in steps of a day, as 16-bit fractions: sums are whole numbers, and no order
// of visits or of partial results changes one). With n(a) the decayed number of visits
// with item a, and n(ab) of those with both,
//
//	score(a, b) = n(ab) / sqrt(n(a) n(b)) * n(ab) / (n(ab) + Shrink)
//
// the cosine of the two items' visits, shrunk where few visits speak (Sarwar et al.,
// "Item-based collaborative filtering recommendation algorithms", 2001; shrinkage as
// Bell and Koren, "Improved neighborhood-based collaborative filtering", 2007). Square
// roots and divisions are exact to the last bit everywhere, so scores are, too.
//
// For items that nothing goes with, and for visitors of whom nothing is known, there
// are the popular ones: most visits, decayed alike.
package recommend

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"millrace/transforms/internal/wire"
	"millrace/transforms/rollup"
)

// Kind is in what way items go together.
type Kind uint8

// The kinds.
const (
	View Kind = iota
	Purchase
	kinds = 2
)

// String is the name in rows.
func (k Kind) String() string { return [...]string{"view", "purchase"}[k] }

// Options say what counts. The zero value is not useful: start from Defaults.
type Options struct {
	Days     int // how many days back visits count, with the day itself
	HalfLife int // days; 0 for no decay
	Top      int // items for each item, and popular ones
	Shrink   int // visits with both items that halve a score
}

// Defaults are 10 items from a week's visits, a half-life of three days.
func Defaults() Options { return Options{Days: 7, HalfLife: 3, Top: 10, Shrink: 10} }

// Counter counts visits by day, item and pair. It belongs to one goroutine.
type Counter struct{ days map[int64]*dayCounts }

type dayCounts struct {
	visits int64
	items  [kinds]map[string]int64
	pairs  [kinds]map[pair]int64
}

// pair is two items, the lesser one first.
type pair struct{ a, b string }

// New returns an empty counter.
func New() *Counter { return &Counter{days: map[int64]*dayCounts{}} }

// Reset empties the counter.
func (c *Counter) Reset() { clear(c.days) }

// Add counts a visit that began on a day (days since the epoch) with its different
// items, in order of id.
func (c *Counter) Add(day int64, viewed, bought []string) {
	d := c.of(day)
	d.visits++
	for kind, items := range [kinds][]string{viewed, bought} {
		for i, a := range items {
			d.items[kind][a]++
			for _, b := range items[i+1:] {
				d.pairs[kind][pair{a, b}]++
			}
		}
	}
}

func (c *Counter) of(day int64) *dayCounts {
	d := c.days[day]
	if d == nil {
		d = &dayCounts{}
		for k := range d.items {
			d.items[k], d.pairs[k] = map[string]int64{}, map[pair]int64{}
		}
		c.days[day] = d
	}
	return d
}

const (
	encodingVersion = 1
	maxCount        = 1 << 40
	maxDay          = 1 << 30
)

// Parts encodes the counts of each day, once for each day whose rows they are part of.
func (c *Counter) Parts(o Options) []rollup.Part {
	var parts []rollup.Part
	for _, day := range slices.Sorted(maps.Keys(c.days)) {
		blob := c.days[day].encode(day)
		for target := day; target < day+int64(o.Days); target++ {
			parts = append(parts, rollup.Part{Key: time.Unix(target*86_400, 0).UTC().Format(time.DateOnly), Day: target, Blob: blob})
		}
	}
	return parts
}

func (d *dayCounts) encode(day int64) []byte {
	b := binary.AppendUvarint(binary.AppendVarint([]byte{encodingVersion}, day), uint64(d.visits))
	for k := range d.items {
		ids := slices.Sorted(maps.Keys(d.items[k]))
		number := make(map[string]uint64, len(ids))
		b = binary.AppendUvarint(b, uint64(len(ids)))
		for i, id := range ids {
			number[id] = uint64(i)
			b = binary.AppendUvarint(wire.AppendText(b, id), uint64(d.items[k][id]))
		}
		pairs := slices.SortedFunc(maps.Keys(d.pairs[k]), func(p, q pair) int { return cmp.Or(cmp.Compare(p.a, q.a), cmp.Compare(p.b, q.b)) })
		b = binary.AppendUvarint(b, uint64(len(pairs)))
		for _, p := range pairs {
			b = binary.AppendUvarint(binary.AppendUvarint(b, number[p.a]), number[p.b])
			b = binary.AppendUvarint(b, uint64(d.pairs[k][p]))
		}
	}
	return b
}

// Merge adds a part. After an error the counter must be Reset.
func (c *Counter) Merge(blob []byte) error {
	in := wire.NewReader(blob)
	if v := in.Byte(); v != encodingVersion {
		in.Fail("version %d, this program reads %d", v, encodingVersion)
	}
	day := in.Varint()
	if day < -maxDay || day > maxDay {
		in.Fail("day %d", day)
	}
	d := c.of(day)
	d.visits += int64(in.Limited(maxCount))
	for k := range d.items {
		ids := make([]string, in.Count(2))
		for i := range ids {
			if ids[i] = string(in.Text()); i > 0 && ids[i] <= ids[i-1] {
				in.Fail("items out of order")
			}
			d.items[k][ids[i]] += int64(in.Limited(maxCount))
		}
		for range in.Count(3) {
			a, b, n := in.Uvarint(), in.Uvarint(), int64(in.Limited(maxCount))
			if a >= b || b >= uint64(len(ids)) {
				in.Fail("pair of items %d and %d of %d", a, b, len(ids))
				break
			}
			d.pairs[k][pair{ids[a], ids[b]}] += n
		}
	}
	if err := in.Close(); err != nil {
		return fmt.Errorf("merging visits: %w", err)
	}
	return nil
}

// Row is an item that is recommended.
type Row struct {
	Kind    string // "view", "purchase" or "popular"
	Item    string // for which; empty of a popular one
	Rank    int
	Other   string
	Score   float64
	Visits  int64 // with both; of a popular one with it
	Version int64
}

// Rows gives the recommendations of a day, by kind, item and rank. A day without
// visits has none.
func (c *Counter) Rows(day int64, o Options, revision rollup.Revision) []Row {
	if d := c.days[day]; d == nil || d.visits == 0 {
		return nil
	}
	var version int64
	for _, past := range c.past(day, o) {
		version += c.days[past].visits
	}
	if revision != nil {
		version += int64(revision(day)) << 32
	}
	var rows []Row
	for kind := range Kind(kinds) {
		rows = append(rows, c.together(kind, day, o)...)
	}
	rows = append(rows, c.popular(day, o)...)
	for i := range rows {
		rows[i].Version = version
	}
	return rows
}

// past are the days that count for a day, of those that are known.
func (c *Counter) past(day int64, o Options) (days []int64) {
	for _, d := range slices.Sorted(maps.Keys(c.days)) {
		if d <= day && d > day-int64(o.Days) {
			days = append(days, d)
		}
	}
	return days
}

// one is the weight of a visit of the day itself.
const one = 1 << 16

// weight of a visit that is so many days old.
func (o Options) weight(age int64) int64 {
	if o.HalfLife == 0 {
		return one
	}
	return int64(math.Round(one * math.Exp2(-float64(age)/float64(o.HalfLife))))
}

// sum is a decayed number of visits, in parts of one, and the number itself.
type sum struct{ decayed, visits int64 }

func (s *sum) add(n, weight int64) { s.decayed += n * weight; s.visits += n }

func (c *Counter) items(kind Kind, day int64, o Options) map[string]sum {
	out := map[string]sum{}
	for _, past := range c.past(day, o) {
		w := o.weight(day - past)
		for id, n := range c.days[past].items[kind] {
			s := out[id]
			s.add(n, w)
			out[id] = s
		}
	}
	return out
}

func (c *Counter) together(kind Kind, day int64, o Options) []Row {
	pairs := map[pair]sum{}
	for _, past := range c.past(day, o) {
		w := o.weight(day - past)
		for p, n := range c.days[past].pairs[kind] {
			s := pairs[p]
			s.add(n, w)
			pairs[p] = s
		}
	}
	items := c.items(kind, day, o)
	best := map[string][]Row{}
	for p, both := range pairs {
		row := Row{Kind: kind.String(), Score: o.score(both.decayed, items[p.a].decayed, items[p.b].decayed), Visits: both.visits}
		for _, way := range [2]pair{p, {p.b, p.a}} {
			row.Item, row.Other = way.a, way.b
			best[way.a] = append(best[way.a], row)
		}
	}
	var rows []Row
	for _, item := range slices.Sorted(maps.Keys(best)) {
		rows = append(rows, o.top(best[item])...)
	}
	return rows
}

// score of two items. The conversions keep machines from fusing operations, which
// would round otherwise.
func (o Options) score(both, a, b int64) float64 {
	cosine := float64(both) / math.Sqrt(float64(float64(a)*float64(b)))
	trust := float64(both) / float64(both+int64(o.Shrink)*one)
	return float64(cosine * trust)
}

func (c *Counter) popular(day int64, o Options) []Row {
	var rows []Row
	for id, s := range c.items(View, day, o) {
		rows = append(rows, Row{Kind: "popular", Other: id, Score: float64(s.decayed) / one, Visits: s.visits})
	}
	return o.top(rows)
}

// top ranks rows and leaves the first ones.
func (o Options) top(rows []Row) []Row {
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.Visits, a.Visits), cmp.Compare(a.Other, b.Other))
	})
	rows = rows[:min(len(rows), o.Top)]
	for i := range rows {
		rows[i].Rank = i + 1
	}
	return rows
}
