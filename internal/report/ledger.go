package report

import (
	"context"

	"millrace/internal/columns"
)

var ledgerSection = section{
	ID: "ledger", Title: "Ledger", Half: true,
	collect: collectLate,
	data: func(d *Data) any {
		return struct {
			Ledger *Ledger
			Late   Late
		}{d.Ledger, d.Late}
	},
}

// Late describes events that came after their windows were sealed.
type Late struct {
	Rows     int64 `json:"rows"`
	MedianMs int64 `json:"median_ms"` // delay, within 1%
	MaxMs    int64 `json:"max_ms"`    // delay
}

func collectLate(ctx context.Context, src Source, d *Data) error {
	var delays spread
	err := scan(ctx, src, "late", []string{"delay_ms"}, func(b columns.Batch) error {
		for i := range b.Rows() {
			d.Late.Rows++
			d.Late.MaxMs = max(d.Late.MaxMs, columns.Number(b[0][i]))
			delays.add(columns.Number(b[0][i]))
		}
		return nil
	})
	d.Late.MedianMs = delays.quantile(0.5)
	return err
}

// Parts splits the lines of a ledger; together they are In when it balances.
func (l Ledger) Parts() []LedgerPart {
	return []LedgerPart{
		{"events", "became an event", l.Events},
		{"bad", "could not be read", l.Bad},
		{"duplicate", "the same line read again", l.Duplicate},
		{"skipped", "headers and comments", l.Skipped},
	}
}

// LedgerPart is one summand.
type LedgerPart struct {
	Name, Meaning string
	Lines         int64
}

// Off is by how many lines the ledger does not balance.
func (l Ledger) Off() int64 { return l.In - l.Events - l.Bad - l.Duplicate - l.Skipped }
