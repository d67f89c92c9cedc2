package alerts

import (
	"math"

	"millrace/schemas/alert"
)

// sealAbsence goes through the windows with readings before to, and through the
// silence between and after them. What happens at a time depends on the readings
// before it alone, not on when one looks.
func (w *Watch) sealAbsence(to int64) (out []alert.Row) {
	for {
		c, ok := w.take(to)
		if !ok {
			break
		}
		out = append(out, w.silence(c.start)...)
		if w.firing {
			out = append(out, w.resolve(c.start, "data"))
		}
		w.seen, w.hasSeen = c.start+w.rule.Every, true
	}
	return append(out, w.silence(to)...)
}

const (
	absent  = "absence"
	givenUp = "given_up"
)

// silence lives from the last reading up to a time.
func (w *Watch) silence(to int64) (out []alert.Row) {
	if !w.hasSeen {
		return nil
	}
	r := w.rule
	if due := w.due(); !w.firing && due <= to && due < w.end() {
		w.firing, w.since, w.pending, w.breaches = true, due, w.seen, 1
		out = append(out, w.row(due, alert.Firing, absent, nil))
	}
	if end := w.end(); end <= to {
		if w.firing {
			out = append(out, w.resolve(floor(end, r.Every), givenUp))
		}
		w.hasSeen = false
	}
	return out
}

// due is when an absence counts: no earlier than the cool-down allows.
func (w *Watch) due() int64 { return max(floor(w.seen+w.rule.AbsentFor, w.rule.Every), w.coolTo) }

// end is when an absent key is forgotten.
func (w *Watch) end() int64 { return w.seen + w.rule.GiveUp }

func (w *Watch) resolve(at int64, reason string) alert.Row {
	row := w.row(at, alert.Resolved, reason, nil)
	w.firing = false
	w.coolTo = at + w.rule.Every + w.rule.Cooldown
	return row
}

// Due is the earliest watermark at which Seal has something to do, for a timer;
// never if only a reading can change something.
func (w *Watch) Due() (watermark int64, pending bool) {
	earliest := int64(math.MaxInt64)
	if len(w.cells) > 0 {
		earliest = w.cells[0].start + w.rule.Every
	}
	switch {
	case w.rule.AbsentFor == 0 && w.begun && !w.still():
		earliest = min(earliest, w.next+w.rule.Every)
	case w.hasSeen && w.firing:
		earliest = min(earliest, ceil(w.end(), w.rule.Every))
	case w.hasSeen:
		earliest = min(earliest, ceil(min(w.due(), w.end()), w.rule.Every))
	}
	return earliest, earliest != math.MaxInt64
}

func ceil(t, every int64) int64 { return -floor(-t, every) }

// Idle tells that the state says nothing: the key can be forgotten, once the
// watermark has passed the time that is returned.
func (w *Watch) Idle() (after int64, idle bool) {
	_, due := w.Due()
	return w.coolTo, !due && !w.firing && len(w.past) == 0
}
