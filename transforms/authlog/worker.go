package authlog

import (
	"millrace/schemas/authlog"
	"millrace/schemas/badrow"
	"millrace/schemas/late"
	"millrace/schemas/pii"
	"millrace/schemas/table"
	"millrace/transforms/decode"
	"millrace/transforms/intake"
	"millrace/transforms/mask"
	"millrace/transforms/security"
)

// Worker makes rows of lines. It is an intake.Handler and belongs to one goroutine.
type Worker struct {
	masker  *mask.Masker
	count   func(time int64, source security.Source, counts *security.Counts)
	format  string
	decoder *Decoder

	events, late *table.Batch
	mark         int // rows of late when Rows was last called

	line    decode.AuthLog
	counts  security.Counts
	client  []byte // token
	network []byte
	scratch []byte
}

// NewWorker makes a worker. count is told of every event in the bounds that came in
// time and can be part of an attack: by whom, and what it counts.
func NewWorker(masker *mask.Masker, count func(time int64, source security.Source, counts *security.Counts)) *Worker {
	w := &Worker{masker: masker, count: count}
	w.Take()
	return w
}

// Open makes ready for lines of a format, the text of a Spec.
func (w *Worker) Open(format string) error {
	if w.decoder != nil && w.format == format {
		return nil
	}
	s, err := ParseSpec(format)
	if err != nil {
		return err
	}
	w.decoder, w.format = s.Open(), format
	return nil
}

// Read implements intake.Handler.
func (w *Worker) Read(line pii.Text, at *intake.Place) (ms int64, skip bool, reason badrow.Reason) {
	skip, reason = w.decoder.Decode(pii.Reveal(line), at.Arrival, &w.line)
	return w.line.Time, skip, reason
}

// Rows implements intake.Handler.
func (w *Worker) Rows() int {
	w.mark = w.late.Len()
	return w.events.Len()
}

// Rewind implements intake.Handler. It goes back to where Rows was last called.
func (w *Worker) Rewind(rows int) {
	w.events.Rewind(rows)
	w.late.Rewind(w.mark)
}

// Len is how many rows wait, Size about their memory in bytes.
func (w *Worker) Len() int { return w.events.Len() + w.late.Len() }

// Size estimates the memory of the waiting rows in bytes.
func (w *Worker) Size() int { return w.events.Size() + w.late.Size() }

// Take hands over the rows of events, authlog.Events, and of those that were late.
func (w *Worker) Take() (events, lates *table.Batch) {
	events, lates = w.events, w.late
	w.events, w.late = table.NewBatch(authlog.Events), table.NewBatch(late.Rows)
	return events, lates
}

// Put implements intake.Handler.
func (w *Worker) Put(at *intake.Place) {
	if !at.Inside {
		return
	}
	l := &w.line
	w.client, w.network = w.client[:0], w.network[:0]
	if !l.Source.Empty() {
		w.client = w.masker.AppendSource(w.client, l.Source)
		if l.Addr.IsValid() {
			w.network = mask.TruncateAddr(l.Addr).AppendTo(w.network)
		}
	}
	id := at.EventID()
	w.event(at, id)
	if at.Behind > 0 {
		w.late.Append(&late.Row{EventID: id, EventTime: table.Millis(l.Time), Source: at.Source, Sequence: orNull(at.Sequence), Position: at.Position, DelayMs: at.Behind})
		return
	}
	if counts, some := security.Auth(l); some && len(w.client) > 0 {
		w.counts = counts
		w.count(l.Time, security.Source{Token: string(w.client), Network: string(w.network)}, &w.counts)
	}
}

func (w *Worker) event(at *intake.Place, id table.ID) {
	l, b := &w.line, w.events
	b.PutUUID(authlog.EventID, id)
	b.PutInt(authlog.EventTime, l.Time)
	b.PutString(authlog.EventAction, l.Event.String())
	b.PutString(authlog.EventOutcome, outcome(l.Event))
	b.PutInt(authlog.EventTimes, int64(l.Times))
	putText(b, authlog.EventClientID, w.client)
	putText(b, authlog.EventClientIP, w.network)
	putInt(b, authlog.EventPort, l.Port)
	if l.User.Empty() {
		b.PutNull(authlog.EventUser)
	} else {
		w.scratch = w.masker.AppendUser(w.scratch[:0], l.User)
		b.PutText(authlog.EventUser, w.scratch)
	}
	putText(b, authlog.EventMethod, w.masked(pii.Of(l.Method)))
	b.PutText(authlog.EventHost, w.masked(l.Host))
	putText(b, authlog.EventProgram, w.masked(pii.Of(l.Program)))
	putInt(b, authlog.EventPID, l.PID)
	b.PutBool(authlog.EventLate, at.Behind > 0)
	b.PutString(authlog.EventSource, at.Source)
	b.PutInt(authlog.EventPosition, at.Position)
	putText(b, authlog.EventSequence, []byte(at.Sequence))
	b.EndRow()
}

// outcome is what an event says of an authentication, in the words of the Elastic
// Common Schema. A user that does not exist and too many attempts are failures, as
// sshd says so of one; that a client went away is none.
func outcome(e decode.AuthEvent) string {
	switch e {
	case decode.AuthAccepted:
		return "success"
	case decode.AuthFailed, decode.AuthInvalidUser, decode.AuthTooMany:
		return "failure"
	case decode.AuthOther, decode.AuthNoIdent, decode.AuthClosed:
	}
	return "unknown"
}

// masked is a text with findings replaced, valid until the next.
func (w *Worker) masked(text pii.Text) []byte {
	w.scratch = w.masker.AppendMasked(w.scratch[:0], text, mask.FreeText)
	return w.scratch
}

func putText(b *table.Batch, col int, text []byte) {
	if len(text) == 0 {
		b.PutNull(col)
		return
	}
	b.PutText(col, text)
}

// putInt appends a number that is not known where it is 0.
func putInt(b *table.Batch, col int, v int32) {
	if v == 0 {
		b.PutNull(col)
		return
	}
	b.PutInt(col, int64(v))
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
