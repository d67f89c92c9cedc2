package funnels

import (
	"cmp"
	"slices"
)

const (
	hourMs = int64(60 * 60 * 1000)
	dayMs  = 24 * hourMs
)

// floor is the number of the span of time that ms lies in, counted from the epoch.
func floor(ms, span int64) int64 {
	n := ms / span
	if ms%span < 0 {
		n--
	}
	return n
}

// hour is what is known of events of one hour beyond those that are kept: the first
// maxEvents of the hour are, whoever has put them together in which order.
type hour struct {
	at       int64 // hours since the epoch
	gone     int64 // events that were kept and that nothing needs any more
	rest     int64 // events that came after the first maxEvents
	from, to int64 // times of the first and the last of those
}

// end is when the hour is over.
func (h *hour) end() int64 { return (h.at + 1) * hourMs }

// visits is what is known of a visitor for one funnel.
type visits struct {
	events  []event // in order, after tidy
	hours   []hour
	written []written // provisional rows, by start
	days    []Row     // the best so far of each day, by day
}

// written is a provisional row that a sink may hold.
type written struct {
	start, version int64
	digest         uint64
}

func (v *visits) empty() bool {
	return len(v.events) == 0 && len(v.hours) == 0 && len(v.written) == 0 && len(v.days) == 0
}

// tidy sorts what was put together and keeps the first most events of each hour.
// No event beyond can come to stand among the first again: each has as many before
// it in its own fragment already.
func (v *visits) tidy(most int) {
	if !slices.IsSortedFunc(v.events, compareEvents) {
		slices.SortFunc(v.events, compareEvents)
	}
	v.mergeHours()
	kept := 0
	for i := 0; i < len(v.events); {
		at := floor(v.events[i].time, hourMs)
		n := i
		for n < len(v.events) && floor(v.events[n].time, hourMs) == at {
			n++
		}
		take := n - i
		if room := most - int(v.goneIn(at)); take > room {
			take = max(room, 0)
			v.addRest(at, v.events[i+take:n])
		}
		copy(v.events[kept:], v.events[i:i+take])
		kept += take
		i = n
	}
	clear(v.events[kept:])
	v.events = v.events[:kept]
}

func (v *visits) mergeHours() {
	if len(v.hours) < 2 {
		return
	}
	slices.SortFunc(v.hours, func(a, b hour) int { return cmp.Compare(a.at, b.at) })
	out := v.hours[:1]
	for _, h := range v.hours[1:] {
		last := &out[len(out)-1]
		if h.at != last.at {
			out = append(out, h)
			continue
		}
		if last.rest == 0 || h.rest > 0 && h.from < last.from {
			last.from = h.from
		}
		if h.rest > 0 {
			last.to = max(last.to, h.to)
		}
		last.gone += h.gone
		last.rest += h.rest
	}
	v.hours = out
}

func (v *visits) find(at int64) (int, bool) {
	return slices.BinarySearchFunc(v.hours, at, func(h hour, at int64) int { return cmp.Compare(h.at, at) })
}

func (v *visits) goneIn(at int64) int64 {
	if i, ok := v.find(at); ok {
		return v.hours[i].gone
	}
	return 0
}

// hour is the record of an hour, a new one if need be.
func (v *visits) hour(at int64) *hour {
	i, ok := v.find(at)
	if !ok {
		v.hours = slices.Insert(v.hours, i, hour{at: at})
	}
	return &v.hours[i]
}

func (v *visits) addRest(at int64, over []event) {
	h := v.hour(at)
	from, to := over[0].time, over[len(over)-1].time
	if h.rest > 0 {
		from, to = min(from, h.from), max(to, h.to)
	}
	h.from, h.to = from, to
	h.rest += int64(len(over))
}

// forget drops the events before a time, and the hours that end before it or whose
// events can neither come any more nor belong to what is open.
func (v *visits) forget(before, watermark int64) {
	n := 0
	for n < len(v.events) && v.events[n].time < before {
		if at := floor(v.events[n].time, hourMs); (at+1)*hourMs > watermark {
			v.hour(at).gone++
		}
		n++
	}
	v.events = slices.Delete(v.events, 0, n)
	v.hours = slices.DeleteFunc(v.hours, func(h hour) bool {
		end := (h.at + 1) * hourMs
		return end <= watermark && (end <= before || h.rest == 0)
	})
}
