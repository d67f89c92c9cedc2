package funnels

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Pattern is a compiled sequence of events, in the language of ClickHouse's
// sequenceMatch:
//
//	(?N)         an event that satisfies condition N, counted from 1
//	.            any event
//	.*           any number of events, none included
//	(?t op n)    the next event comes op n after the last one that was matched, in
//	             the unit of the events' times; op is <, <=, >, >= or ==. Other
//	             events may lie between. Several of them hold together.
//
// Blanks between these mean nothing. Where neither .* nor a time stands between two
// events, the second follows the first at once; events that satisfy no condition at
// all are never there. A match may begin anywhere.
type Pattern struct {
	text  string
	items []item
}

// item is an event and what may lie before it.
type item struct {
	condition int  // from 0; anyEvent
	gap       bool // other events may lie before it
	least     int64
	most      int64 // after the event before
}

const (
	anyEvent = -1
	// maxItems bounds the events of a pattern, and with them time and memory.
	maxItems = 128
	// maxPattern is the length of a pattern in bytes.
	maxPattern = 4096
)

// ParsePattern compiles a pattern over so many conditions, at most 64. An error
// names the column, counted from 1, and what could stand there.
func ParsePattern(text string, conditions int) (*Pattern, error) {
	return parsePattern(text, conditions, 1)
}

// parsePattern does so for a pattern whose times are in units of so many of those of
// the events.
func parsePattern(text string, conditions int, unit int64) (*Pattern, error) {
	p := patternParser{text: text, conditions: conditions, unit: unit, next: item{gap: true, least: math.MinInt64, most: math.MaxInt64}}
	if len(text) > maxPattern {
		return nil, fmt.Errorf("sequence pattern of %d bytes: at most %d are read", len(text), maxPattern)
	}
	for p.blank(); p.at < len(text); p.blank() {
		if err := p.part(); err != nil {
			return nil, fmt.Errorf("sequence pattern, column %d: %w", p.at+1, err)
		}
	}
	if p.timed {
		return nil, fmt.Errorf("sequence pattern, column %d: a time condition is about the event that follows it, and none does; end with . or (?N)", p.at+1)
	}
	return &Pattern{text: text, items: p.items}, nil
}

// numbered tells whether the pattern has an event (?N).
func (p *Pattern) numbered() bool {
	return slices.ContainsFunc(p.items, func(i item) bool { return i.condition != anyEvent })
}

// String is the pattern as it was written.
func (p *Pattern) String() string { return p.text }

type patternParser struct {
	text       string
	at         int
	conditions int
	unit       int64
	items      []item
	next       item // what is known of the item to come
	timed      bool // a time condition waits for it
}

func (p *patternParser) blank() {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t') {
		p.at++
	}
}

func (p *patternParser) part() error {
	rest := p.text[p.at:]
	switch {
	case strings.HasPrefix(rest, ".*"):
		p.next.gap = true
		p.at += 2
		return nil
	case rest[0] == '.':
		p.at++
		return p.event(anyEvent)
	case !strings.HasPrefix(rest, "(?"):
		return fmt.Errorf("%q begins nothing; write (?N), (?t<n), . or .*", rest[:1])
	}
	body, _, closed := strings.Cut(rest[2:], ")")
	if !closed {
		return fmt.Errorf("the parenthesis is not closed")
	}
	var err error
	if strings.HasPrefix(body, "t") {
		err = p.time(strings.TrimSpace(body[1:]))
	} else {
		err = p.numbered(body)
	}
	if err == nil {
		p.at += len("(?") + len(body) + len(")")
	}
	return err
}

func (p *patternParser) numbered(body string) error {
	n, err := strconv.ParseUint(strings.TrimSpace(body), 10, 16)
	if err != nil {
		return fmt.Errorf("(?%s) is neither (?N) nor (?t<n)", body)
	}
	if n < 1 || n > uint64(p.conditions) {
		return fmt.Errorf("condition %d: there are 1 to %d", n, p.conditions)
	}
	return p.event(int(n) - 1)
}

func (p *patternParser) event(condition int) error {
	if len(p.items) == maxItems {
		return fmt.Errorf("more than %d events", maxItems)
	}
	p.next.condition = condition
	p.items = append(p.items, p.next)
	p.next, p.timed = item{least: math.MinInt64, most: math.MaxInt64}, false
	return nil
}

func (p *patternParser) time(body string) error {
	if len(p.items) == 0 {
		return fmt.Errorf("a time condition counts from the event before it, and there is none; begin with . or (?N)")
	}
	number := strings.TrimLeft(body, "<>=")
	op := body[:len(body)-len(number)]
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n < 0 {
		return fmt.Errorf("(?t%s): %q is no time; write a whole number, 0 or greater", body, strings.TrimSpace(number))
	}
	if n > math.MaxInt64/p.unit {
		return fmt.Errorf("(?t%s): at most %d can be told apart", body, math.MaxInt64/p.unit)
	}
	n *= p.unit
	least, most := int64(math.MinInt64), int64(math.MaxInt64)
	switch op {
	case "<":
		most = n - 1
	case "<=":
		most = n
	case ">":
		if n == math.MaxInt64 {
			return fmt.Errorf("(?t%s): no time is later", body)
		}
		least = n + 1
	case ">=":
		least = n
	case "==":
		least, most = n, n
	default:
		return fmt.Errorf("(?t%s): %q is no comparison; there are <, <=, >, >= and ==", body, op)
	}
	p.next.gap, p.timed = true, true
	p.next.least, p.next.most = max(p.next.least, least), min(p.next.most, most)
	return nil
}
