package redshiftio

import (
	"cmp"
	"slices"

	"millrace/io/driver"
	"millrace/io/rowid"
	"millrace/schemas/table"
)

// item is a row that waits for its load.
type item struct {
	rows     table.Rows
	row      uint32
	attempts int32
	id       string
}

// alone is the row in a batch of its own.
func (i *item) alone() table.Rows {
	b := table.NewBatch(i.rows.Batch.Schema())
	b.Gather(i.rows.Batch, []uint32{i.row})
	return table.Rows{Batch: b, Kind: i.rows.Kind, Group: i.rows.Group}
}

func (i *item) refused(reason driver.RefusalReason, code string, err error) driver.RefusedRow {
	return driver.RefusedRow{Rows: i.alone(), Reason: reason, Code: code, Err: err, Attempts: int(i.attempts)}
}

// pending is the rows of the next load, one of each identity.
type pending struct {
	config     *config
	items      []item
	index      map[string]int // id -> item
	bytes      int            // of the batches that are held
	duplicates int64
	text       []byte
}

func newPending(c *config) *pending { return &pending{config: c, index: map[string]int{}} }

// hold counts a batch that rows come from.
func (p *pending) hold(b *table.Batch) { p.bytes += b.Size() }

// add takes a row, unless one of its identity that counts as much is there.
func (p *pending) add(it item) {
	p.text = rowid.Append(p.text[:0], it.rows.Batch, p.config.id, int(it.row))
	if at, known := p.index[string(p.text)]; known {
		p.duplicates++
		if other := &p.items[at]; p.config.newer(&it, other) {
			it.id = other.id
			*other = it
		}
		return
	}
	it.id = string(p.text)
	p.index[it.id] = len(p.items)
	p.items = append(p.items, it)
}

// newer tells whether a row takes the place of another of its identity.
func (c *config) newer(a, b *item) bool {
	if c.version < 0 {
		return false
	}
	x, y := a.rows.Batch.Int(c.version, int(a.row)), b.rows.Batch.Int(c.version, int(b.row))
	return x > y || x == y && a.rows.Kind != table.Provisional && b.rows.Kind == table.Provisional
}

// take gives the rows in an order that depends on them alone, and begins anew.
func (p *pending) take() (items []item, duplicates int64) {
	items, duplicates = p.items, p.duplicates
	slices.SortFunc(items, func(a, b item) int {
		return cmp.Or(table.Compare(a.rows.Batch, int(a.row), b.rows.Batch, int(b.row)), cmp.Compare(a.id, b.id))
	})
	p.items, p.bytes, p.duplicates = nil, 0, 0
	clear(p.index)
	return items, duplicates
}
