package accesslog

import (
	"fmt"
	"math"

	"millrace/schemas/badrow"
	"millrace/schemas/record"
)

// unfiled is the time of a record that was never filed under one.
const unfiled = math.MinInt64

// archived processes records that come with their origins, and perhaps sealed.
// One that does not open ends the run: it says nothing about the record, but
// that the key is another or the archive was changed.
func (w *Worker) archived(b *record.Block) error {
	at := 0
	for i, end := range b.Ends {
		line, position := b.Data[at:end:end], b.Positions[i]
		at = end
		if b.KeyID != "" {
			if w.Open == nil {
				return fmt.Errorf("opening the record at %d of %s: it is sealed, and there is nothing to open it with", position, b.Source)
			}
			var err error
			if w.opened, err = w.Open(w.opened[:0], line, b.KeyID, w.source, position); err != nil {
				return fmt.Errorf("opening the record at %d of %s: %w", position, b.Source, err)
			}
			line = w.opened
		}
		if b.Noted != nil {
			w.filed = b.Noted[i]
		}
		w.ledger.In++
		if b.Oversize > 0 {
			w.refuse(badrow.TooLong, line, position, b.Oversize)
			continue
		}
		w.guarded(line, position)
	}
	return nil
}
