package funnels_test

import (
	"sort"
	"strings"

	"millrace/transforms/funnels"
)

// The rows of a funnel by the letter of the rules. A step of these tests is a letter
// of an event's name. Every question is answered by trying all there is.

type bruteEvent struct {
	visit
	time int64
}

type bruteAttempt struct {
	start    int64
	times    []int64
	values   []string // of the event of each step
	excluded bool
}

type brute struct {
	def    funnels.Definition
	steps  []string
	within int64
	limit  int
}

func letterOf(where string) string {
	return strings.TrimSuffix(strings.TrimPrefix(where, `name.contains("`), `")`)
}

func has(e bruteEvent, letter string) bool { return strings.Contains(e.Name, letter) }

func valueOf(e bruteEvent) string {
	if e.Site == nil {
		return ""
	}
	return *e.Site
}

func bruteRows(visits []visit, defs []funnels.Definition, limit int) (rows []funnels.Row) {
	for n, d := range defs {
		b := brute{def: d, within: d.Within.Milliseconds(), limit: limit}
		for _, s := range d.Steps {
			b.steps = append(b.steps, letterOf(s.Where))
		}
		byVisitor := map[string][]bruteEvent{}
		for _, v := range visits {
			e := bruteEvent{v, int64(v.Time)}
			if v.Late || !b.matters(e) && d.Order != funnels.Strict {
				continue
			}
			byVisitor[v.Visitor] = append(byVisitor[v.Visitor], e)
		}
		for visitor, events := range byVisitor {
			sort.SliceStable(events, func(i, j int) bool {
				a, b := events[i], events[j]
				if a.time != b.time {
					return a.time < b.time
				}
				if a.Source != b.Source {
					return a.Source < b.Source
				}
				return a.Position < b.Position
			})
			for _, r := range b.visitor(events) {
				r.Funnel, r.Visitor, r.Steps = n, visitor, len(b.steps)
				rows = append(rows, r)
			}
		}
	}
	sortRows(rows)
	return rows
}

// matters tells whether an event is a step or an exclusion.
func (b *brute) matters(e bruteEvent) bool {
	for _, x := range b.def.Exclude {
		if has(e, letterOf(x.Where)) {
			return true
		}
	}
	for _, s := range b.steps {
		if has(e, s) {
			return true
		}
	}
	return false
}

func (b *brute) isStart(e bruteEvent) bool {
	if b.def.Order != funnels.Any {
		return has(e, b.steps[0])
	}
	for _, s := range b.steps {
		if has(e, s) {
			return true
		}
	}
	return false
}

// visitor groups the starts of a visitor, and what was not kept as if it were one.
func (b *brute) visitor(all []bruteEvent) (rows []funnels.Row) {
	var kept []bruteEvent
	inHour := map[int64]int{}
	dropped := map[int64][]int64{}
	for _, e := range all {
		h := e.time / hour
		if inHour[h]++; inHour[h] > b.limit {
			dropped[h] = append(dropped[h], e.time)
			continue
		}
		kept = append(kept, e)
	}
	type span struct{ from, to int64 }
	var spans []span
	for _, e := range kept {
		if b.isStart(e) {
			spans = append(spans, span{e.time, e.time})
		}
	}
	for _, times := range dropped {
		spans = append(spans, span{times[0], times[len(times)-1]})
	}
	sort.SliceStable(spans, func(i, j int) bool { return spans[i].from < spans[j].from })
	for len(spans) > 0 {
		first, last, n := spans[0].from, spans[0].to, 1
		for n < len(spans) && spans[n].from <= last+b.within && spans[n].from/day == first/day {
			last = max(last, spans[n].to)
			n++
		}
		spans = spans[n:]
		if r, ok := b.best(kept, first, last); ok {
			count := int64(0)
			for _, e := range kept {
				if e.time >= first && e.time <= last+b.within {
					count++
				}
			}
			for _, times := range dropped {
				if times[0] >= first && times[0] <= last+b.within {
					count += 2 * int64(len(times)) // so that the version grows when one is pushed out
					r.Truncated = true
				}
			}
			r.Version = int64(revision(r.Start/day))<<32 + count
			rows = append(rows, r)
		}
	}
	return rows
}

func (b *brute) best(kept []bruteEvent, first, last int64) (funnels.Row, bool) {
	var attempts []bruteAttempt
	for i, e := range kept {
		if b.isStart(e) && e.time >= first && e.time <= last && e.time/day == first/day {
			attempts = append(attempts, b.attempt(kept, i))
		}
	}
	if len(attempts) == 0 {
		return funnels.Row{}, false
	}
	sort.SliceStable(attempts, func(i, j int) bool {
		a, b := attempts[i], attempts[j]
		if len(a.times) != len(b.times) {
			return len(a.times) > len(b.times)
		}
		if a.excluded != b.excluded {
			return b.excluded
		}
		return a.start < b.start
	})
	a := attempts[0]
	r := funnels.Row{Start: a.start, Level: len(a.times), Reached: len(a.times), Times: a.times, Excluded: a.excluded, Breakdown: b.value(a)}
	if a.excluded {
		r.Level = 0
	}
	return r, true
}

func (b *brute) value(a bruteAttempt) string {
	if b.def.Breakdown == nil {
		return ""
	}
	switch name, atStep := strings.CutPrefix(b.def.Breakdown.Attribution, funnels.AtStep); {
	case atStep:
		for i, s := range b.def.Steps {
			if s.Name == name && i < len(a.values) {
				return a.values[i]
			}
		}
	case b.def.Breakdown.Attribution == funnels.Last:
		for i := len(a.values) - 1; i >= 0; i-- {
			if a.values[i] != "" {
				return a.values[i]
			}
		}
	default:
		for _, v := range a.values {
			if v != "" {
				return v
			}
		}
	}
	return ""
}

func (b *brute) attempt(kept []bruteEvent, i int) bruteAttempt {
	a := bruteAttempt{start: kept[i].time}
	switch b.def.Order {
	case funnels.Strict:
		for k := i; k < len(kept) && len(a.times) < len(b.steps) && kept[k].time <= a.start+b.within && has(kept[k], b.steps[len(a.times)]); k++ {
			a.times = append(a.times, kept[k].time)
			a.values = append(a.values, valueOf(kept[k]))
		}
	case funnels.Any:
		from := i
		for from > 0 && kept[from-1].time == a.start {
			from--
		}
		for k := from; k < len(kept) && kept[k].time <= a.start+b.within; k++ {
			if b.mostSteps(kept[from:k+1], 0) > len(a.times) {
				a.times = append(a.times, kept[k].time)
				a.values = append(a.values, valueOf(kept[k]))
			}
		}
	default:
		a.times = b.earliest(kept, a.start, nil, map[int]bool{})
		for step, t := range a.times {
			for _, e := range kept {
				if e.time == t && has(e, b.steps[step]) {
					a.values = append(a.values, valueOf(e))
					break
				}
			}
		}
	}
	a.excluded = b.excluded(kept, a)
	return a
}

// mostSteps tries all ways to give each event one step that is not given yet.
func (b *brute) mostSteps(events []bruteEvent, given int) int {
	if len(events) == 0 {
		return 0
	}
	most := b.mostSteps(events[1:], given)
	for s, letter := range b.steps {
		if given&(1<<s) == 0 && has(events[0], letter) {
			most = max(most, 1+b.mostSteps(events[1:], given|1<<s))
		}
	}
	return most
}

// earliest tries all chains of different events that begin at start, and gives the
// times of the longest; of equally long ones those of the earliest steps.
func (b *brute) earliest(kept []bruteEvent, start int64, times []int64, used map[int]bool) []int64 {
	best := append([]int64{}, times...)
	if len(times) == len(b.steps) {
		return best
	}
	for i, e := range kept {
		if used[i] || !has(e, b.steps[len(times)]) || e.time > start+b.within {
			continue
		}
		if len(times) == 0 && e.time != start || len(times) > 0 && e.time < times[len(times)-1] {
			continue
		}
		used[i] = true
		got := b.earliest(kept, start, append(append([]int64{}, times...), e.time), used)
		delete(used, i)
		if len(got) > len(best) || len(got) == len(best) && earlier(got, best) {
			best = got
		}
	}
	return best
}

func earlier(a, b []int64) bool {
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}

func (b *brute) excluded(kept []bruteEvent, a bruteAttempt) bool {
	step := func(name string) int {
		for i, s := range b.def.Steps {
			if s.Name == name {
				return i
			}
		}
		return -1
	}
	for _, x := range b.def.Exclude {
		from, to := step(x.Between[0]), step(x.Between[1])
		if from >= len(a.times) {
			continue
		}
		for _, e := range kept {
			if !has(e, letterOf(x.Where)) || e.time <= a.times[from] {
				continue
			}
			if to < len(a.times) && e.time < a.times[to] || to >= len(a.times) && e.time <= a.start+b.within {
				return true
			}
		}
	}
	return false
}
