package accesslog

import (
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

// putBeyond appends an event after To to the batch of those, which is no output:
// windows that began in the bounds can reach to it.
func (w *Worker) putBeyond(v *visitor, a *agent, path *page, ref *referrer) {
	if w.beyond == nil {
		w.beyond = table.NewBatch(weblog.Events)
	}
	rows, whole := w.beyond.Len(), false
	events, batch, source, sequence := w.events, w.batch, w.srcCode, w.seqCode
	defer func() {
		if !whole {
			w.beyond.Rewind(rows) // and the panic goes on
		}
		w.events, w.batch, w.srcCode, w.seqCode = events, batch, source, sequence
	}()
	// Remembered texts have codes in one batch at a time, told by its number.
	w.events, w.batch = w.beyond, batch|beyondBatch
	w.srcCode = w.events.Intern(weblog.EventSource, []byte(w.block.Source))
	if w.sequence != "" {
		w.seqCode = w.events.Intern(weblog.EventSequence, []byte(w.sequence))
	}
	w.put(table.ID(record.EventID(w.source, w.sequence, w.position)), v, a, path, ref)
	whole = true
}

// beyondBatch tells the numbers of batches of events beyond the bounds from others.
const beyondBatch = 1 << 31

// TakeBeyond hands over the events of the days After, which belong to no output;
// nil when there are none. It goes with each Take.
func (w *Worker) TakeBeyond() *table.Batch {
	b := w.beyond
	padRare(b)
	w.beyond = nil
	return b
}
