package kinesisio

import (
	"math"
	"time"
)

// eventClock follows the event times of a shard, record by record. Its watermark
// is the latest time seen less the disorder, and a few bad times do not move it:
//
//   - A time more than a day after the record's arrival does not count. An
//     earlier one counts as the arrival at most, so the watermark never passes it.
//   - A leap of more than an hour beyond the latest time waits until the four next
//     records with a time confirm it: each lies at most an hour before it. The
//     lowest of the five counts then. One that does not confirm it ends the wait.
//
// It is part of a cursor; the zero value has seen nothing.
type eventClock struct {
	Latest *int64 `json:"latest,omitempty"` // the latest time that counts
	Floor  *int64 `json:"floor,omitempty"`  // the watermark is at least this
	Leap   *leap  `json:"leap,omitempty"`
}

// leap is one that waits to be confirmed.
type leap struct {
	To        int64 `json:"to"`     // where the first record went
	Lowest    int64 `json:"lowest"` // of it and those that confirm it
	Confirmed int   `json:"confirmed"`
}

const (
	// noTime is the time of a record without one, and the watermark of a shard
	// that had no record yet.
	noTime = math.MinInt64

	clockLeap     = int64(time.Hour / time.Millisecond)
	clockFuture   = int64(24 * time.Hour / time.Millisecond)
	clockPast     = 1 << 60 // far beyond any event; differences stay in an int64
	confirmations = 4
)

// watermark is the time that the shard has reached, noTime when it is not known.
func (c *eventClock) watermark(disorder int64) int64 {
	at := int64(noTime)
	if c.Latest != nil {
		at = *c.Latest - disorder
	}
	if c.Floor != nil {
		at = max(at, *c.Floor)
	}
	return at
}

// raise brings the watermark to at least a time.
func (c *eventClock) raise(at int64) {
	if c.Floor == nil || *c.Floor < at {
		c.Floor = &at
	}
}

// see takes the time of a record that arrived at a time; all in Unix
// milliseconds.
func (c *eventClock) see(at, arrival int64) {
	if at < -clockPast || at > arrival+clockFuture {
		return
	}
	at = min(at, arrival)
	switch {
	case c.Latest == nil:
		c.Latest = &at
	case c.leaps(at): // and counts with the others, or not
	case at > *c.Latest && at <= *c.Latest+clockLeap:
		*c.Latest = at
	}
}

// leaps keeps account of a leap and tells whether this record made it count.
func (c *eventClock) leaps(at int64) bool {
	switch {
	case c.Leap != nil && at >= c.Leap.To-clockLeap:
		c.Leap.Lowest = min(c.Leap.Lowest, at)
		if c.Leap.Confirmed++; c.Leap.Confirmed == confirmations {
			*c.Latest = max(*c.Latest, c.Leap.Lowest)
			c.Leap = nil
			return true
		}
	case at > *c.Latest+clockLeap:
		c.Leap = &leap{To: at, Lowest: at}
	default:
		c.Leap = nil
	}
	return false
}

// lean is the clock without a floor that does not matter: what is left follows from
// the records alone, as long as the shard was not idle.
func (c *eventClock) lean(disorder int64) *eventClock {
	l := *c
	if c.Latest != nil && c.Floor != nil && *c.Floor <= *c.Latest-disorder {
		l.Floor = nil
	}
	return &l
}

// child is the clock with which a shard goes on that follows this one's.
func (c *eventClock) child() eventClock {
	var next eventClock
	if c.Latest != nil {
		next.Latest = new(int64)
		*next.Latest = *c.Latest
	}
	if c.Floor != nil {
		next.Floor = new(int64)
		*next.Floor = *c.Floor
	}
	return next
}
