package report

import (
	"bytes"

	"github.com/cespare/xxhash/v2"
)

var securitySection = section{
	ID: "security", Title: "Security-looking requests", Nav: "Security",
	watch: func(d *Data) watcher { return newSecurityWatcher(d) },
	data: func(d *Data) any {
		return struct {
			Security
			Events int64
		}{d.Security, d.Events}
	},
}

// Security counts requests that look like probes or attacks. They look so by
// their text alone: on a site that runs WordPress a log-in is one too.
type Security struct {
	Requests int64        `json:"requests"` // that match at least one class
	Answered int64        `json:"answered"` // of these, answered with 2xx
	Visitors VisitorCount `json:"visitors"`
	Classes  []ProbeCount `json:"classes"` // most frequent first
}

// VisitorCount is a number of distinct visitors, a lower bound when Capped.
type VisitorCount struct {
	N      int64 `json:"n"`
	Capped bool  `json:"capped"`
}

// ProbeCount is what one class of probes did.
type ProbeCount struct {
	ID       string       `json:"id"`
	Title    string       `json:"title"`
	Why      string       `json:"why"`
	Requests int64        `json:"requests"` // a request can match several classes
	Visitors VisitorCount `json:"visitors"`
	Statuses ByClass      `json:"statuses"`
	Examples []Example    `json:"examples"`
}

// Answered is the number of requests answered with 2xx: those to look at first.
func (p ProbeCount) Answered() int64 { return p.Statuses[1] }

// Example is a request target, decoded for reading, and its number of requests.
type Example struct {
	Text     string `json:"text"`
	Requests int64  `json:"requests"`
}

const (
	examplesEach     = 3
	exampleBytes     = 160
	maxExamples      = 2_000
	maxProbeVisitors = 200_000
	maxKnownTargets  = 50_000
)

type probeState struct {
	count    ProbeCount
	visitors visitorSet
	examples *tally[struct{}]
}

type securityWatcher struct {
	s        *Security
	probes   []probe
	states   []probeState
	visitors visitorSet
	known    map[string]uint32 // classes of targets seen before
	decoder  decoder
	target   []byte
}

func newSecurityWatcher(d *Data) *securityWatcher {
	w := &securityWatcher{s: &d.Security, probes: probes, known: map[string]uint32{}}
	for _, p := range probes {
		w.states = append(w.states, probeState{
			count:    ProbeCount{ID: p.ID, Title: p.Title, Why: p.Why},
			examples: newTally[struct{}](maxExamples),
		})
	}
	return w
}

func (w *securityWatcher) event(e *event) {
	set := w.classify(e)
	if set == 0 {
		return
	}
	class := codeClass(e.status)
	w.s.Requests++
	w.s.Answered += one(class == 1)
	visitor := xxhash.Sum64(e.visitor)
	w.visitors.add(visitor)
	shown := w.decoder.once(w.target)
	shown = shown[:min(len(shown), exampleBytes)]
	for i := range w.states {
		if set&(1<<i) == 0 {
			continue
		}
		s := &w.states[i]
		s.count.Requests++
		s.count.Statuses[class]++
		s.visitors.add(visitor)
		s.examples.add(shown, 1)
	}
}

// classify returns the classes an event matches, one bit each, and leaves its
// target in w.target.
func (w *securityWatcher) classify(e *event) uint32 {
	if e.request != nil {
		w.target = append(w.target[:0], e.request...)
		return match(w.probes, inRequest, w.decoder.fold(w.target))
	}
	w.target = append(w.target[:0], e.path...)
	if len(e.query) > 0 {
		w.target = append(append(w.target, '?'), e.query...)
	}
	set, ok := w.known[string(w.target)]
	if ok {
		return set
	}
	set = match(w.probes, inTarget, w.decoder.fold(w.target))
	set |= match(w.probes, inPath, w.decoder.fold(e.path))
	if len(w.target) <= maxKey {
		if len(w.known) >= maxKnownTargets {
			clear(w.known)
		}
		w.known[string(w.target)] = set
	}
	return set
}

func (w *securityWatcher) done() {
	w.s.Visitors = w.visitors.count()
	order := newTally[ProbeCount](len(w.states) + 1)
	for i := range w.states {
		s := &w.states[i]
		if s.count.Requests == 0 {
			continue
		}
		s.count.Visitors = s.visitors.count()
		for _, x := range s.examples.top(examplesEach, byCount) {
			s.count.Examples = append(s.count.Examples, Example{x.key, x.count})
		}
		order.add([]byte(s.count.ID), s.count.Requests).value = s.count
	}
	for _, e := range order.top(len(w.states), byCount) {
		w.s.Classes = append(w.s.Classes, e.value)
	}
}

// A visitorSet counts distinct visitors by hash, up to a limit.
type visitorSet struct {
	seen   map[uint64]struct{}
	capped bool
}

func (v *visitorSet) add(hash uint64) {
	if v.seen == nil {
		v.seen = map[uint64]struct{}{}
	}
	if len(v.seen) >= maxProbeVisitors {
		_, ok := v.seen[hash]
		v.capped = v.capped || !ok
		return
	}
	v.seen[hash] = struct{}{}
}

func (v *visitorSet) count() VisitorCount { return VisitorCount{int64(len(v.seen)), v.capped} }

// match returns the probes of one place whose patterns occur in folded text.
func match(probes []probe, in string, folded []byte) (set uint32) {
	present := bytesOf(folded)
	for i, p := range probes {
		if p.In != in {
			continue
		}
		for j, m := range p.patterns {
			if present.holds(&p.needs[j]) && bytes.Contains(folded, m) {
				set |= 1 << i
				break
			}
		}
	}
	return set
}

// byteSet is a set of byte values. A text can hold a pattern only if it holds
// all of its bytes, which for most texts and patterns settles the question.
type byteSet [4]uint64

func bytesOf(text []byte) (s byteSet) {
	for _, b := range text {
		s[b>>6] |= 1 << (b & 63)
	}
	return s
}

func (s *byteSet) holds(o *byteSet) bool {
	return o[0]&^s[0]|o[1]&^s[1]|o[2]&^s[2]|o[3]&^s[3] == 0
}
