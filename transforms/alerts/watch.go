package alerts

import (
	"math"
	"math/bits"

	"millrace/schemas/alert"
)

const (
	maxCells = 2048 // windows that may wait for the watermark
	maxTime  = 1 << 52
)

// Watch is the state of one rule for one key.
type Watch struct {
	rule *Rule // complete and valid
	key  string
	by   Replayer

	cells cells
	next  int64 // all windows before this one are sealed
	begun bool  // next means something

	past   []past // sealed windows that the rule looks back at, oldest first
	broken uint64 // bit i: the window i before the last sealed one broke the rule

	firing   bool
	since    int64 // first firing window
	pending  int64
	peak     float64
	breaches int64
	clear    int   // windows in a row that were in order
	coolTo   int64 // no alert begins before

	seen    int64 // end of the last window with a reading, for a rule of absence
	hasSeen bool
}

// past is a sealed window with data.
type past struct {
	start        int64
	value, while float64
}

// Replayer gives the command that computes the alerts of UTC days again, both
// named as 2006-01-02.
type Replayer func(from, to string) string

// NewWatch watches a key by a rule that is valid and has its defaults.
func NewWatch(r *Rule, key string, by Replayer) *Watch { return &Watch{rule: r, key: key, by: by} }

// Add takes a reading in any order. It is late if its window is sealed. Where more
// than 2,048 windows wait, the oldest one is sealed before its time: only then can
// Add return rows. So that this never happens, whoever reads a long past seals as
// it goes.
func (w *Watch) Add(r Reading) (rows []alert.Row, late bool) {
	if r.Time < -maxTime || r.Time > maxTime {
		return nil, true
	}
	start := floor(r.Time, w.rule.Every)
	if w.begun && start < w.next {
		return nil, true
	}
	w.cells.at(start).fold(w.rule.Aggregate, r)
	if len(w.cells) > maxCells {
		rows = w.Seal(w.cells[0].start + w.rule.Every)
	}
	return rows, false
}

// Seal judges all windows that end at the watermark or before.
func (w *Watch) Seal(watermark int64) []alert.Row {
	watermark = min(max(watermark, -maxTime), maxTime)
	to := floor(watermark, w.rule.Every) // windows before it are sealed
	if w.begun && to <= w.next || !w.begun && (len(w.cells) == 0 || w.cells[0].start >= to) {
		return nil
	}
	var out []alert.Row
	if w.rule.AbsentFor > 0 {
		out = w.sealAbsence(to)
	} else {
		out = w.sealLimits(to)
	}
	w.next, w.begun = max(w.next, to), true
	return out
}

// take removes the first cell if it starts before to.
func (w *Watch) take(to int64) (c cell, ok bool) {
	if len(w.cells) == 0 || w.cells[0].start >= to {
		return cell{}, false
	}
	c = w.cells[0]
	w.cells = append(w.cells[:0], w.cells[1:]...)
	return c, true
}

func (w *Watch) sealLimits(to int64) (out []alert.Row) {
	at := w.next
	if !w.begun {
		at = w.cells[0].start
	}
	for at < to {
		if len(w.cells) > 0 && w.cells[0].start == at {
			c, _ := w.take(to)
			out = append(out, w.judge(&c)...)
			at += w.rule.Every
			continue
		}
		until := to
		if len(w.cells) > 0 {
			until = min(until, w.cells[0].start)
		}
		for ; at < until && !w.still(); at += w.rule.Every {
			out = append(out, w.judge(&cell{start: at})...)
		}
		at = max(at, until)
	}
	return out
}

// still tells that windows without data change nothing.
func (w *Watch) still() bool {
	if w.broken != 0 || len(w.past) > 0 {
		return false
	}
	return !w.firing || w.rule.Missing == "keep"
}

// judge seals a window, with data or without.
func (w *Watch) judge(c *cell) []alert.Row {
	r := w.rule
	m, known := w.measure(c)
	breach := known && (r.Above != nil && m > *r.Above || r.Below != nil && m < *r.Below)
	breach = breach && w.allowed(c)
	w.broken = w.broken<<1 | uint64(bit(breach))
	w.broken &= 1<<r.Of - 1
	if !w.firing {
		if !breach || bits.OnesCount64(w.broken) < r.AtLeast || c.start < w.coolTo {
			return nil
		}
		w.firing, w.since, w.peak, w.breaches, w.clear = true, c.start, m, 1, 0
		w.pending = c.start - int64(bits.Len64(w.broken)-1)*r.Every
		return []alert.Row{w.row(c.start, alert.Firing, "breach", &m)}
	}
	switch {
	case breach:
		w.breaches++
		w.clear = 0
		if w.beyond(m) > w.beyond(w.peak) {
			w.peak = m
		}
		return nil
	case known && !w.inOrder(m), !known && r.Missing == "keep":
		w.clear = 0
		return nil
	}
	if w.clear++; w.clear < r.ClearFor {
		return nil
	}
	reason, value := "cleared", &m
	if !known {
		reason, value = "silence", nil
	}
	row := w.row(c.start, alert.Resolved, reason, value)
	w.firing, w.broken = false, 0
	w.coolTo = c.start + r.Every + r.Cooldown
	return []alert.Row{row}
}

func bit(on bool) int {
	if on {
		return 1
	}
	return 0
}

// beyond is how far m is beyond the limits.
func (w *Watch) beyond(m float64) float64 {
	d := math.Inf(-1)
	if a := w.rule.Above; a != nil {
		d = m - *a
	}
	if b := w.rule.Below; b != nil {
		d = max(d, *b-m)
	}
	return d
}

func (w *Watch) inOrder(m float64) bool {
	r := w.rule
	return (r.Above == nil || m <= *r.ClearAbove) && (r.Below == nil || m >= *r.ClearBelow)
}

// measure is what the rule compares in a window, if there is something.
func (w *Watch) measure(c *cell) (m float64, known bool) {
	r := w.rule
	w.remember(c)
	switch {
	case len(r.Per) > 0:
		return w.ratio(c)
	case r.Within > 0:
		for _, p := range w.past {
			if p.start > c.start-r.Within {
				m, known = m+p.value, true
			}
		}
		return m, known
	case !c.hasNumber:
		return 0, false
	case r.ChangeOver > 0:
		for _, p := range w.past {
			if p.start == c.start-r.ChangeOver {
				return change(p.value, c.value, r.ChangeRelative)
			}
		}
		return 0, false
	}
	return c.value, true
}

// ratio is not known where there is nothing to divide by.
func (w *Watch) ratio(c *cell) (m float64, known bool) {
	sum, of := 0.0, 0.0
	for _, p := range w.past {
		if p.start > c.start-w.rule.summed() {
			sum, of = sum+p.value, of+p.while
		}
	}
	if of <= 0 {
		return 0, false
	}
	return sum / of, true
}

// change is not known from 0, if relative.
func change(from, to float64, relative bool) (float64, bool) {
	d := to - from
	if relative {
		d /= math.Abs(from)
	}
	return d, !math.IsNaN(d) && !math.IsInf(d, 0)
}

// allowed tells whether the while field, or what is divided by, sums to enough.
func (w *Watch) allowed(c *cell) bool {
	r := w.rule
	if r.WhileField == "" && len(r.Per) == 0 {
		return true
	}
	sum := 0.0
	for _, p := range w.past {
		if p.start > c.start-r.WhileWithin {
			sum += p.while
		}
	}
	return sum >= r.WhileAtLeast
}

// looksBack tells whether sealed windows still count.
func (r *Rule) looksBack() bool {
	return r.Within > 0 || r.ChangeOver > 0 || r.WhileField != "" || len(r.Per) > 0
}

// remember keeps the window as long as the rule looks back, and forgets older ones.
func (w *Watch) remember(c *cell) {
	r := w.rule
	if !r.looksBack() {
		return
	}
	back := max(r.Within-r.Every, r.ChangeOver, r.WhileWithin-r.Every)
	old := 0
	for old < len(w.past) && w.past[old].start < c.start-back {
		old++
	}
	w.past = append(w.past[:0], w.past[old:]...)
	if c.hasNumber || c.while != 0 {
		w.past = append(w.past, past{c.start, c.value, c.while})
	}
}
