package accesslog

import (
	"fmt"
	"math"

	"millrace/schemas/badrow"
	"millrace/schemas/record"
	"millrace/schemas/weblog"
)

// unfiled is the time of a record that was never filed under one.
const unfiled = math.MinInt64

// records processes records that come with their origins: those of a stream, and
// those of an archive, perhaps sealed. One that does not open ends the run: it
// says nothing about the record, but that the key is another or the archive was
// changed.
func (w *Worker) records(b *record.Block) error {
	at := 0
	for i, end := range b.Ends {
		line := b.Data[at:end:end]
		at = end
		w.stand(b, i)
		if b.KeyID != "" {
			if w.Open == nil {
				return fmt.Errorf("opening the record at %s: it is sealed, and there is nothing to open it with", w.origin())
			}
			var err error
			if w.opened, err = w.Open(w.opened[:0], line, b.KeyID, w.source, w.sequence, w.position); err != nil {
				return fmt.Errorf("opening the record at %s: %w", w.origin(), err)
			}
			line = w.opened
		}
		w.ledger.In++
		if b.Oversize > 0 {
			w.refuse(badrow.TooLong, line, b.Oversize)
			continue
		}
		w.guarded(line)
	}
	return nil
}

// stand takes the place of record i of a block, and what is known of it. Records
// of one sequence number follow each other, so what it costs to write one is
// spent once for all of them.
func (w *Worker) stand(b *record.Block, i int) {
	w.position = b.Positions[i]
	if b.Sequences != nil && b.Sequences[i] != w.sequence {
		w.sequence = b.Sequences[i]
		w.event.Source = b.Source + "/" + w.sequence
		w.seqCode = w.events.Intern(weblog.EventSequence, []byte(w.sequence))
	}
	if b.Arrivals != nil {
		w.arrival = b.Arrivals[i]
	}
	if b.Behind != nil {
		w.behind = b.Behind[i]
	}
	if b.Noted != nil {
		w.filed = b.Noted[i]
	}
}

// origin is the record's place in words.
func (w *Worker) origin() string {
	if w.sequence == "" {
		return fmt.Sprintf("%d of %s", w.position, w.block.Source)
	}
	return fmt.Sprintf("%d of record %s of %s", w.position, w.sequence, w.block.Source)
}
