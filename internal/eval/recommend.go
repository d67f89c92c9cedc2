package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"millrace/internal/generate"
	"millrace/schemas/badrow"
	"millrace/transforms/clickevents"
	"millrace/transforms/recommend"
	"millrace/transforms/shop"
)

const (
	shopEvents = 200_000
	shopDays   = 5
	visitGap   = 30 * 60_000 // milliseconds
)

// ranking is how well lists of ten named the next item.
type ranking struct {
	asked, hits int
	reciprocal  float64 // sum of 1/rank
}

func (r *ranking) ask(list []string, next string) {
	r.asked++
	if i := slices.Index(list, next); i >= 0 {
		r.hits++
		r.reciprocal += 1 / float64(i+1)
	}
}

func (r *ranking) hitRate() float64 { return float64(r.hits) / float64(r.asked) }
func (r *ranking) mrr() float64     { return r.reciprocal / float64(r.asked) }

// shopRankings trains on all days of a shop but the last, and on that asks, for every
// visit with two different items, which is the second one: of those that go with the
// first, filled up with popular ones, and of the popular ones alone.
func shopRankings(seed uint64) (with, popular ranking, err error) {
	cfg := generate.ClickConfig{Seed: seed, Events: shopEvents, Days: shopDays, Start: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	steps := shop.NewCollector()
	d := clickevents.NewDecoder(clickevents.Options{})
	var e clickevents.Event
	for line := range generate.NewShop(cfg).Lines {
		if _, reason := d.Decode(line, &e); reason != badrow.None || e.ClientID == "" || shop.KindOf(e.Name) == shop.None {
			continue
		}
		step := shop.Step{Time: e.Time, Kind: shop.KindOf(e.Name), Currency: strings.Clone(e.Currency)}
		for _, it := range e.Items {
			step.Items = append(step.Items, clickevents.ItemOf{ID: strings.Clone(it.ID), Quantity: it.Quantity})
		}
		steps.Add(strings.Clone(e.ClientID), step)
	}
	var visits shop.Visits
	for _, p := range steps.Flush(1) {
		if err := visits.Add(p.Blob); err != nil {
			return with, popular, err
		}
	}
	last := cfg.Start.Unix()/86_400 + shopDays - 1
	o := recommend.Defaults()
	counter := recommend.New()
	var asked [][2]string
	for _, v := range visits.Visitors() {
		for _, b := range v.Baskets(visitGap) {
			if b.Day < last {
				counter.Add(b.Day, b.Viewed, b.Bought)
			}
		}
		asked = append(asked, firstTwo(&v, last)...)
	}
	together, best := map[string][]string{}, []string(nil)
	for _, r := range counter.Rows(last-1, o, nil) {
		switch r.Kind {
		case "view":
			together[r.Item] = append(together[r.Item], r.Other)
		case "popular":
			best = append(best, r.Other)
		}
	}
	for _, a := range asked {
		with.ask(fill(together[a[0]], best, a[0], o.Top), a[1])
		popular.ask(fill(nil, best, a[0], o.Top), a[1])
	}
	return with, popular, nil
}

// firstTwo are the first two different items of each visit that began on a day or later.
func firstTwo(v *shop.Visitor, day int64) (out [][2]string) {
	first, done, end := "", false, int64(0)
	for i := range v.Steps {
		s := &v.Steps[i]
		if s.Time-end >= visitGap {
			first, done = "", s.Time < day*86_400_000
		}
		end = s.Time
		if s.Kind != shop.View || done || len(s.Items) == 0 {
			continue
		}
		switch id := s.Items[0].ID; {
		case first == "":
			first = id
		case id != first:
			out, done = append(out, [2]string{first, id}), true
		}
	}
	return out
}

// fill is a list of n: some, then popular ones that are not among them.
func fill(list, popular []string, not string, n int) []string {
	out := slices.Clone(list)
	for _, id := range popular {
		if len(out) < n && id != not && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

func recommendSection(_ context.Context, _ string, out io.Writer) error {
	fmt.Fprintf(out, "Of each visit of the last of %d days, the second item is asked for by the first; %d events a shop.\n\n", shopDays, shopEvents)
	fmt.Fprintf(out, "| seed | visits | hit rate at 10 | of popular items | MRR | of popular items |\n|---:|---:|---:|---:|---:|---:|\n")
	for seed := uint64(1); seed <= seeds; seed++ {
		with, popular, err := shopRankings(seed)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "| %d | %d | %.3f | %.3f | %.3f | %.3f |\n", seed, with.asked, with.hitRate(), popular.hitRate(), with.mrr(), popular.mrr())
	}
	return nil
}
