package dedup

import (
	"math"
	"time"

	"millrace/schemas/table"
)

// Columns names the columns of rows, by number, that tell by which id a row is known
// and where it stands.
type Columns struct {
	ID      int // text, the producer's; a row with none, null or empty, is never a duplicate
	Time    int // Unix milliseconds
	Arrival int // Unix milliseconds, null for unknown; None if there is no such column
	EventID int // UUID, of the origin
	Late    int // bool: the row was marked late where it was read; None if there is no such column
}

// None stands for a column that rows do not have.
const None = -1

func (c *Columns) id(b *table.Batch, row int) (ID, bool) {
	if b.Null(c.ID, row) {
		return ID{}, false
	}
	text := b.Text(c.ID, row)
	return IDOf(text), len(text) > 0
}

// Order is the place of a row among those with its id.
func (c *Columns) Order(b *table.Batch, row int) Order {
	arrival := int64(0)
	if c.Arrival != None && !b.Null(c.Arrival, row) {
		arrival = b.Int(c.Arrival, row)
	}
	return Order{Time: b.Int(c.Time, row), Tie: TieOf(arrival, b.UUID(c.EventID, row))}
}

// IsLate tells whether a row was marked late.
func (c *Columns) IsLate(b *table.Batch, row int) bool { return c.Late != None && b.Bool(c.Late, row) }

// Split divides rows by the shards of their ids: a list of row numbers for each of so
// many shards, and those of rows without an id.
func (c *Columns) Split(b *table.Batch, shards int) (parts [][]uint32, free []uint32) {
	parts = make([][]uint32, shards)
	for row := range b.Len() {
		id, ok := c.id(b, row)
		if !ok {
			free = append(free, uint32(row))
			continue
		}
		s := id.Shard(shards)
		parts[s] = append(parts[s], uint32(row))
	}
	return parts, free
}

// Judge decides about the rows of one shard, all of which have an id: first all of
// them are noted, then each batch is sorted.
type Judge struct {
	*Deduper
	columns Columns
	live    bool
}

// NewJudge makes one that has noted nothing. A live one goes by the marks of late
// rows; where all there is is known, in a batch, these are judged as any other.
func NewJudge(c Columns, horizon time.Duration, live bool) (*Judge, error) {
	d, err := New(horizon)
	if err != nil {
		return nil, err
	}
	return &Judge{Deduper: d, columns: c, live: live}, nil
}

// Note notes rows.
func (j *Judge) Note(b *table.Batch) {
	for row := range b.Len() {
		if id, ok := j.columns.id(b, row); ok && !j.late(b, row) {
			j.Add(id, j.columns.Order(b, row))
		}
	}
}

// NoteRows notes some rows in another Deduper: those in time.
func (j *Judge) NoteRows(b *table.Batch, rows []uint32, in *Deduper) {
	for _, row := range rows {
		if id, ok := j.columns.id(b, int(row)); ok && !j.late(b, int(row)) {
			in.Add(id, j.columns.Order(b, int(row)))
		}
	}
}

// Any tells whether something holds for the id of a row.
func (j *Judge) Any(b *table.Batch, holds func(ID) bool) bool {
	for row := range b.Len() {
		if id, ok := j.columns.id(b, row); ok && holds(id) {
			return true
		}
	}
	return false
}

// Unseen gives the rows of a batch that came in time and whose ids are new: neither known to the
// judge nor among ids, and doubt, which may know more, has none either. It adds to ids those of all
// rows that came in time.
func (j *Judge) Unseen(b *table.Batch, ids map[ID]bool, doubt func(ID) bool) (rows []uint32) {
	for row := range b.Len() {
		id, ok := j.columns.id(b, row)
		if !ok || j.late(b, row) || ids[id] {
			continue
		}
		ids[id] = true // what is a duplicate itself makes one of what comes after it
		if !j.Known(id) && !doubt(id) {
			rows = append(rows, uint32(row))
		}
	}
	return rows
}

// AddIDs adds the ids of rows to others.
func (c *Columns) AddIDs(ids map[ID]bool, b *table.Batch, rows []uint32) {
	for _, row := range rows {
		if id, ok := c.id(b, int(row)); ok {
			ids[id] = true
		}
	}
}

func (j *Judge) late(b *table.Batch, row int) bool { return j.live && j.columns.IsLate(b, row) }

// Sorted are the numbers of rows about which was decided, and of those that have to
// wait.
type Sorted struct {
	Kept, Duplicates, Waiting []uint32
	Earliest, Latest          int64 // times of the first that waits, and of the last
}

// Ended is the watermark when nothing comes any more.
const Ended = math.MaxInt64

// Sort decides about the rows of a batch that lie before the watermark.
func (j *Judge) Sort(b *table.Batch, watermark int64) (s Sorted) {
	for row := range b.Len() {
		id, ok := j.columns.id(b, row)
		at := j.columns.Order(b, row)
		var kept bool
		switch {
		case j.late(b, row):
			kept = !ok || j.Late(id, at) != Duplicate
		case at.Time >= watermark:
			if len(s.Waiting) == 0 {
				s.Earliest, s.Latest = at.Time, at.Time
			}
			s.Earliest, s.Latest = min(s.Earliest, at.Time), max(s.Latest, at.Time)
			s.Waiting = append(s.Waiting, uint32(row))
			continue
		default:
			kept = !ok || j.Kept(id, at)
		}
		if kept {
			s.Kept = append(s.Kept, uint32(row))
		} else {
			s.Duplicates = append(s.Duplicates, uint32(row))
		}
	}
	return s
}
