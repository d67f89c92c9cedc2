// Package ledger accounts for every record a run reads.
package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"millrace/schemas/badrow"
)

// Ledger counts framed records. It balances when every record read became
// exactly one event, bad row, duplicate or skipped record. Late events are a
// subset of events.
type Ledger struct {
	In        int64 `json:"in"`
	Events    int64 `json:"events"`
	Bad       int64 `json:"bad"`
	Late      int64 `json:"late"`
	Duplicate int64 `json:"duplicate"`
	Skipped   int64 `json:"skipped"`
	// Reasons splits Bad by reason code.
	Reasons map[badrow.Reason]int64 `json:"reasons,omitempty"`
}

// Balanced tells whether nothing was lost or counted twice.
func (l Ledger) Balanced() bool { return len(l.faults()) == 0 }

// faults says in which ways the ledger does not add up.
func (l Ledger) faults() []string {
	var faults []string
	if off := l.In - l.Events - l.Bad - l.Duplicate - l.Skipped; off > 0 {
		faults = append(faults, fmt.Sprintf("%d lost", off))
	} else if off < 0 {
		faults = append(faults, fmt.Sprintf("%d too many", -off))
	}
	if l.Late > l.Events {
		faults = append(faults, fmt.Sprintf("late %d of %d events", l.Late, l.Events))
	}
	var reasons int64
	for _, n := range l.Reasons {
		reasons += n
	}
	if reasons != l.Bad {
		faults = append(faults, fmt.Sprintf("reasons for %d of %d bad", reasons, l.Bad))
	}
	return faults
}

// Add adds another ledger of different records.
func (l *Ledger) Add(o Ledger) {
	l.In += o.In
	l.Events += o.Events
	l.Bad += o.Bad
	l.Late += o.Late
	l.Duplicate += o.Duplicate
	l.Skipped += o.Skipped
	for r, n := range o.Reasons {
		l.addReason(r, n)
	}
}

// AddBad counts one bad row.
func (l *Ledger) AddBad(r badrow.Reason) {
	l.Bad++
	l.addReason(r, 1)
}

func (l *Ledger) addReason(r badrow.Reason, n int64) {
	if l.Reasons == nil {
		l.Reasons = map[badrow.Reason]int64{}
	}
	l.Reasons[r] += n
}

// String is one line for people; it says by how much an unbalanced ledger is off.
func (l Ledger) String() string {
	s := fmt.Sprintf("in %d = events %d + bad %d + duplicate %d + skipped %d", l.In, l.Events, l.Bad, l.Duplicate, l.Skipped)
	if faults := l.faults(); len(faults) > 0 {
		s += " DOES NOT BALANCE (" + strings.Join(faults, ", ") + ")"
	}
	for _, r := range slices.Sorted(maps.Keys(l.Reasons)) {
		s += fmt.Sprintf(", %s %d", r, l.Reasons[r])
	}
	return s
}
