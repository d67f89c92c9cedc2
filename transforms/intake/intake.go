// Package intake does with the records of blocks what is the same for every kind of
// event: it tells where each stands, opens sealed ones, keeps days apart, writes bad
// rows and the raw archive, and counts. What a record says is the business of a
// [Handler]. Plain Go; the wrapper of a job gives it blocks.
//
// Every record is counted once: In with one of Events (unless others count those,
// see Config.Uncounted), Bad, Duplicate or Skipped. A panic on a record makes a bad
// row of it, and nothing else.
package intake

import (
	"bytes"
	"fmt"
	"math"

	"millrace/schemas/badrow"
	"millrace/schemas/ledger"
	"millrace/schemas/pii"
	"millrace/schemas/raw"
	"millrace/schemas/record"
	"millrace/schemas/table"
)

// Handler knows one kind of event.
type Handler interface {
	// Read decodes a record, of which it may keep views until Put. Blank ones and
	// comments are skipped. time is the event's, Unix milliseconds.
	Read(line pii.Text, at *Place) (time int64, skip bool, reason badrow.Reason)
	// Put appends the rows of the record that was read.
	Put(at *Place)
	// Rows is how many rows of events there are, and Rewind takes back those that
	// came after.
	Rows() int
	Rewind(rows int)
}

// Explainer is a Handler that can say more of a record that Read refused.
type Explainer interface {
	// Detail is what the record named that is not known, masked and short; empty for
	// nothing. The bytes are valid until the next Read.
	Detail() []byte
}

// Place is where a record stands, and how it came.
type Place struct {
	Source   string // identity of the file or shard, as text
	Identity record.Identity
	Sequence string // of the stream record; empty in a file
	Position int64
	Arrival  int64 // Unix milliseconds; 0 when nobody knows
	Behind   int64 // how late it came, in milliseconds; 0 in time
	Inside   bool  // whether its day is one of those to write
}

// EventID is the id that follows from the place.
func (p *Place) EventID() table.ID {
	return table.ID(record.EventID(p.Identity, p.Sequence, p.Position))
}

// Config says what an intake does.
type Config struct {
	// From and To bound the UTC days to write, in days since the Unix epoch; 0 is
	// open. Events of so many days Before and After are given too, and counted as
	// skipped: others may need them.
	From, To, Before, After int64
	// Uncounted leaves events in the bounds out of the ledger: who drops duplicates
	// among them counts them.
	Uncounted bool
	// Keep, when set, is given every record for the raw archive and returns the
	// payload to store and the id of the key that seals it ("" for none).
	Keep func(dst, line []byte, source record.Identity, sequence string, position int64) (payload []byte, keyID string)
	// Open appends a record that Keep sealed under the named key to dst.
	Open func(dst, payload []byte, keyID string, source record.Identity, sequence string, position int64) ([]byte, error)
	// TimeBound is the upper bound of an event's time, given its record's arrival.
	TimeBound func(event, arrival int64) badrow.Reason
}

// Intake processes blocks. It belongs to one goroutine.
type Intake struct {
	Config
	handler  Handler
	bad, raw *table.Batch
	ledger   ledger.Ledger
	scratch  []byte

	block *record.Block
	Place
	filed       int64  // time under which the record was filed before; unfiled when never
	opened      []byte // the record, when it came sealed
	first, last int64  // event times of the block's first and last readable record; 0 for none
	waiting     []refused
}

// refused is a bad record that no readable one of its block preceded: the time under
// which it is filed is not known yet.
type refused struct {
	at     Place
	reason badrow.Reason
	line   []byte // view of the block, or a copy
	length int64
	detail string // masked; mostly empty
}

// unfiled is the time of a record that was never filed under one.
const unfiled = math.MinInt64

// New makes an intake.
func New(c Config, h Handler) *Intake {
	return &Intake{Config: c, handler: h, bad: table.NewBatch(badrow.Rows), raw: table.NewBatch(raw.Rows)}
}

// Rows is the number of bad and raw rows that wait; Size is about their memory.
func (n *Intake) Rows() int { return n.bad.Len() + n.raw.Len() }

// Size estimates the memory of the waiting rows in bytes.
func (n *Intake) Size() int { return n.bad.Size() + n.raw.Size() }

// Take hands over the waiting bad and raw rows.
func (n *Intake) Take() (bad, archived *table.Batch) {
	bad, archived = n.bad, n.raw
	n.bad, n.raw = table.NewBatch(badrow.Rows), table.NewBatch(raw.Rows)
	return bad, archived
}

// TakeLedger hands over the ledger and begins a new one.
func (n *Intake) TakeLedger() ledger.Ledger {
	l := n.ledger
	n.ledger = ledger.Ledger{}
	return l
}

// Block processes the records of a block.
func (n *Intake) Block(b *record.Block) error {
	id, err := record.ParseIdentity(b.Source)
	if err != nil {
		return err
	}
	n.block, n.first, n.last, n.filed = b, 0, 0, unfiled
	n.Place = Place{Source: b.Source, Identity: id, Arrival: b.Arrival}
	if b.Duplicate {
		records := int64(b.Records())
		n.ledger.In += records
		n.ledger.Duplicate += records
		return nil
	}
	switch {
	case b.Ends != nil:
		err = n.records(b)
	case b.Oversize > 0:
		n.Position = b.Base
		n.refuse(badrow.TooLong, b.Data, b.Oversize)
	default:
		n.lines(b)
	}
	n.settle()
	return err
}

func (n *Intake) lines(b *record.Block) {
	position := b.Base
	for data := b.Data; len(data) > 0; {
		line, rest, _ := bytes.Cut(data, []byte{'\n'})
		n.Position, n.Arrival = position, b.Arrival
		position += int64(len(data) - len(rest))
		data = rest
		line = bytes.TrimSuffix(line, []byte{'\r'})
		n.guarded(line[:len(line):len(line)])
	}
}

// records processes records that come with their origins: those of a stream, and
// those of an archive, perhaps sealed. One that does not open ends the run: it says
// nothing about the record, but that the key is another or the archive was changed.
func (n *Intake) records(b *record.Block) error {
	from := 0
	for i, end := range b.Ends {
		line := b.Data[from:end:end]
		from = end
		n.stand(b, i)
		if b.KeyID != "" {
			if n.Open == nil {
				return fmt.Errorf("opening the record at %s: it is sealed, and there is nothing to open it with", n.origin())
			}
			var err error
			if n.opened, err = n.Open(n.opened[:0], line, b.KeyID, n.Identity, n.Sequence, n.Position); err != nil {
				return fmt.Errorf("opening the record at %s: %w", n.origin(), err)
			}
			line = n.opened
		}
		if b.Oversize > 0 {
			n.refuse(badrow.TooLong, line, b.Oversize)
			continue
		}
		n.guarded(line)
	}
	return nil
}

func (n *Intake) stand(b *record.Block, i int) {
	n.Position, n.Arrival = b.Positions[i], b.Arrival
	if b.Sequences != nil {
		n.Sequence = b.Sequences[i]
	}
	if b.Arrivals != nil {
		n.Arrival = b.Arrivals[i]
	}
	if b.Behind != nil {
		n.Behind = b.Behind[i]
	}
	if b.Noted != nil {
		n.filed = b.Noted[i]
	}
}

// origin is the record's place in words.
func (n *Intake) origin() string {
	if n.Sequence == "" {
		return fmt.Sprintf("%d of %s", n.Position, n.Source)
	}
	return fmt.Sprintf("%d of record %s of %s", n.Position, n.Sequence, n.Source)
}

// guarded turns a panic on one record into a bad row.
func (n *Intake) guarded(line []byte) {
	events, archived, before := n.handler.Rows(), n.raw.Len(), n.ledger
	defer func() {
		if r := recover(); r != nil {
			n.handler.Rewind(events)
			n.raw.Rewind(archived)
			n.ledger.In, n.ledger.Events, n.ledger.Skipped, n.ledger.Late = before.In, before.Events, before.Skipped, before.Late
			n.refuse(badrow.Panic, line, int64(len(line)))
		}
	}()
	n.one(line)
}

func (n *Intake) one(line []byte) {
	ms, skip, reason := n.handler.Read(pii.Of(line), &n.Place)
	if skip {
		n.skip()
		return
	}
	if reason == badrow.None && n.TimeBound != nil {
		reason = n.TimeBound(ms, n.Arrival)
	}
	if reason != badrow.None {
		n.refuse(reason, line, int64(len(line)))
		return
	}
	if n.first == 0 {
		n.first = ms
	}
	n.last = ms
	day := table.FloorDay(ms)
	n.Inside = n.within(day, 0, 0)
	if !n.Inside {
		n.skip()
		if n.within(day, n.Before, n.After) {
			n.handler.Put(&n.Place)
		}
		return
	}
	n.handler.Put(&n.Place)
	n.keep(&n.Place, line, ms, int64(len(line)))
	if n.Uncounted {
		return
	}
	n.ledger.In++
	n.ledger.Events++
	if n.Behind > 0 {
		n.ledger.Late++
	}
}

func (n *Intake) skip() { n.ledger.In++; n.ledger.Skipped++ }

// within tells whether a day lies in the bounds or so many days outside.
func (n *Intake) within(day, before, after int64) bool {
	return (n.From == 0 || day >= n.From-before) && (n.To == 0 || day <= n.To+after)
}
