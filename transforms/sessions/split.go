package sessions

import (
	"cmp"
	"slices"
	"strings"
)

// Split cuts the events of one visitor, given in any order, into sessions in
// order of start. It looks at one event after another and is the reference for
// what Collector and Sessionizer compute from fragments.
func Split(visitor string, events []Event, opt Options, revision Revision) ([]Session, error) {
	r, err := opt.rules()
	if err != nil {
		return nil, err
	}
	sorted := slices.Clone(events)
	slices.SortStableFunc(sorted, func(a, b Event) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), strings.Compare(a.Source, b.Source), cmp.Compare(a.Position, b.Position))
	})
	var out []Session
	var last latest
	for len(sorted) > 0 {
		n := r.chain(sorted)
		out = r.cutChain(out, &last, visitor, sorted[:n], revision)
		sorted = sorted[n:]
	}
	return out, nil
}

// chain is the number of events before the first pause or bound.
func (r *rules) chain(sorted []Event) int {
	for i := 1; i < len(sorted); i++ {
		previous, t := sorted[i-1].Time, sorted[i].Time
		if t-previous >= r.gap || r.bounded(sorted[0].Time, previous, t) {
			return i
		}
	}
	return len(sorted)
}

// bounded tells whether the UTC midnight between two neighbours of a chain cuts
// it. That is so when the chain covers the 24 hours before: when it began less
// than a gap after the midnight before, or earlier.
func (r *rules) bounded(chainStart, previous, t int64) bool {
	midnight := floorDay(t) * dayMs
	return r.bound && previous < midnight && chainStart < midnight-dayMs+r.gap
}

func (r *rules) cutChain(out []Session, last *latest, visitor string, chain []Event, revision Revision) []Session {
	var (
		kept      texts
		session   summary
		campaign  []byte // the session's latest
		truncated bool
	)
	finish := func() {
		s := session.session(visitor, truncated, int64(len(chain)), revision)
		if r.index {
			last.follow(&s)
		}
		out = append(out, s)
	}
	for i := range chain {
		e := &chain[i]
		examined := i < r.maxEvents
		if i > 0 {
			tooLong := r.maxDuration > 0 && e.Time-session.start >= r.maxDuration
			otherDay := r.calendar.dayCut(chain[i-1].Time, e.Time)
			otherCampaign := r.campaign && len(e.Campaign) > 0 && string(e.Campaign) != string(campaign) &&
				e.Time > session.start // or both sessions had the same id
			if examined && (tooLong || otherCampaign) || otherDay {
				finish()
				session, campaign = summary{}, nil
			}
		}
		session.add(e, &kept)
		if r.attribution && len(e.Touch) > 0 {
			session.addTouch(mark{time: e.Time, position: e.Position, source: e.Source, path: string(e.Touch)}, e.Direct, nil)
		}
		if len(e.Campaign) > 0 {
			campaign = e.Campaign
		}
		truncated = !examined
	}
	finish()
	return out
}
