package recommend_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/transforms/recommend"
)

type visit struct {
	day            int64
	viewed, bought []string
}

func visits(r *rand.Rand, n int) (out []visit) {
	some := func(most int) (ids []string) {
		for range r.IntN(most) {
			if id := fmt.Sprint("item", r.IntN(12)); !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		return ids
	}
	for range n {
		out = append(out, visit{20_513 + int64(r.IntN(6)), some(6), some(3)})
	}
	return out
}

// brute asks every visit about every pair.
func brute(all []visit, day int64, o recommend.Options) (rows []recommend.Row) {
	weight := func(v visit) float64 {
		age := day - v.day
		if age < 0 || age >= int64(o.Days) {
			return 0
		}
		if o.HalfLife == 0 {
			return 1
		}
		return math.Round(65536*math.Exp2(-float64(age)/float64(o.HalfLife))) / 65536
	}
	rank := func(rows []recommend.Row) []recommend.Row {
		slices.SortFunc(rows, func(a, b recommend.Row) int {
			return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.Visits, a.Visits), cmp.Compare(a.Other, b.Other))
		})
		rows = rows[:min(len(rows), o.Top)]
		for i := range rows {
			rows[i].Rank = i + 1
		}
		return rows
	}
	version := int64(0)
	today := false
	for _, v := range all {
		if weight(v) > 0 {
			version++
		}
		today = today || v.day == day
	}
	if !today {
		return nil
	}
	var ids []string
	for i := range 12 {
		ids = append(ids, fmt.Sprint("item", i))
	}
	slices.Sort(ids)
	for kind, items := range map[string]func(visit) []string{"purchase": func(v visit) []string { return v.bought }, "view": func(v visit) []string { return v.viewed }} {
		count := func(a, b string) (n float64, visits int64) {
			for _, v := range all {
				if w := weight(v); w > 0 && slices.Contains(items(v), a) && slices.Contains(items(v), b) {
					n += w
					visits++
				}
			}
			return n, visits
		}
		var popular []recommend.Row
		for _, a := range ids {
			na, visits := count(a, a)
			if kind == "view" && visits > 0 {
				popular = append(popular, recommend.Row{Kind: "popular", Other: a, Score: na, Visits: visits, Version: version})
			}
			var mine []recommend.Row
			for _, b := range ids {
				both, visits := count(a, b)
				if a == b || visits == 0 {
					continue
				}
				nb, _ := count(b, b)
				score := both / math.Sqrt(na*nb) * (both / (both + float64(o.Shrink)))
				mine = append(mine, recommend.Row{Kind: kind, Item: a, Other: b, Score: score, Visits: visits, Version: version})
			}
			rows = append(rows, rank(mine)...)
		}
		rows = append(rows, rank(popular)...)
	}
	return rows
}

func sorted(rows []recommend.Row) []recommend.Row {
	slices.SortFunc(rows, func(a, b recommend.Row) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Item, b.Item), cmp.Compare(a.Rank, b.Rank))
	})
	return rows
}

// TestRowsAreThoseOfAskingEveryVisit, whatever the order of visits and parts.
func TestRowsAreThoseOfAskingEveryVisit(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for round := range 30 {
		o := recommend.Options{Days: 1 + r.IntN(4), HalfLife: r.IntN(3), Top: 1 + r.IntN(5), Shrink: r.IntN(4)}
		all := visits(r, 60)
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		byDay := map[int64]*recommend.Counter{}
		for part := range slices.Chunk(all, 1+r.IntN(30)) {
			c := recommend.New()
			for _, v := range part {
				c.Add(v.day, v.viewed, v.bought)
			}
			for _, p := range c.Parts(o) {
				if byDay[p.Day] == nil {
					byDay[p.Day] = recommend.New()
				}
				if err := byDay[p.Day].Merge(p.Blob); err != nil {
					t.Fatal(err)
				}
			}
		}
		for day, c := range byDay {
			near := gocmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-12 })
			if diff := gocmp.Diff(sorted(brute(all, day, o)), sorted(c.Rows(day, o, nil)), near); diff != "" {
				t.Fatalf("round %d, day %d, %+v (-brute +got):\n%s", round, day, o, diff)
			}
		}
	}
}

func FuzzMerge(tf *testing.F) {
	f := mutate.Of(tf)
	c := recommend.New()
	c.Add(20_513, []string{"a", "b"}, []string{"b"})
	f.Add(c.Parts(recommend.Options{Days: 1})[0].Blob)
	f.Fuzz(func(t *testing.T, blob []byte) {
		c := recommend.New()
		if c.Merge(blob) == nil {
			again := recommend.New()
			for _, p := range c.Parts(recommend.Options{Days: 1}) {
				if err := again.Merge(p.Blob); err != nil {
					t.Errorf("what was read cannot be read again: %v", err)
				}
			}
		}
	})
}
