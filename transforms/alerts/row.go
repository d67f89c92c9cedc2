package alerts

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"

	"millrace/schemas/alert"
	"millrace/schemas/table"
)

// ID names an alert: first 32 hex digits of sha256("alert" 00 rule 00 key 00
// int64be(first firing window)).
func ID(rule, key string, since int64) string {
	b := []byte("alert\x00" + rule + "\x00" + key + "\x00")
	b = binary.BigEndian.AppendUint64(b, uint64(since))
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// row is the open alert in the state that it enters at a window.
func (w *Watch) row(at int64, state, reason string, value *float64) alert.Row {
	r := w.rule
	row := alert.Row{
		AlertID: ID(r.Name, w.key, w.since), FiringSince: table.Millis(w.since), Rule: r.Name, Key: w.key, State: state,
		Severity: r.Severity, ChangedAt: table.Millis(at), PendingSince: table.Millis(w.pending), Condition: r.Condition(),
		Breaches: w.breaches, Reason: reason, Input: r.Input, Field: r.Field, WindowSeconds: int32(r.Every / 1000),
		RuleVersion: r.Version(), Version: 1,
	}
	if value != nil {
		v := *value
		row.Value = &v
	}
	if r.AbsentFor == 0 {
		peak := w.peak
		row.Peak = &peak
	}
	if state == alert.Resolved {
		row.Version = 2
	}
	if w.by != nil {
		back := max(r.Within, r.ChangeOver, r.WhileWithin, r.AbsentFor)
		row.Replay = w.by(day(w.pending-back), day(at))
	}
	return row
}

// Sealed tells whether a transition follows from sealed readings alone, so that a live
// run and a batch run over the same records both have it. That something is absent is
// told by the watermark, which says more the longer a stream goes on than the records
// do: of an absence only its end is sealed, when data come again, and not that a key
// was given up.
func Sealed(row *alert.Row) bool {
	return row.State == alert.Firing && row.Reason != absent || Final(row)
}

// Final tells whether a row says the last of its alert. That a key was given up as
// absent does not: where data end, all of them look absent, and nobody can tell the
// one from the other.
func Final(row *alert.Row) bool { return row.State == alert.Resolved && row.Reason != givenUp }

func day(t int64) string { return time.UnixMilli(t).UTC().Format(time.DateOnly) }
