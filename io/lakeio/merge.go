package lakeio

import (
	"container/heap"
	"context"
	"sort"

	"millrace/schemas/table"
)

// mergeRuns calls add with the rows of runs that are files, of one schema, in order.
func mergeRuns(ctx context.Context, s *table.Schema, runs []Run, add func(piece) error) error {
	return mergeSources(ctx, s, localRuns(runs), add)
}

// mergeSources merges runs wherever they lie. Rows of one run that precede every
// other run's next row are handed on as one piece, so a log that was nearly in
// order costs nearly no comparisons.
func mergeSources(ctx context.Context, s *table.Schema, runs []runSource, add func(piece) error) error {
	h := cursors{}
	defer func() {
		for _, c := range h {
			c.reader.close()
		}
	}()
	for _, r := range runs {
		h = append(h, &cursor{reader: runReader{runSource: r, schema: s}, first: r.First})
	}
	heap.Init(&h)
	for len(h) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		top := h[0]
		if top.batch == nil { // its turn has come: read it
			if err := top.load(); err != nil {
				return err
			}
			h.settle(0)
			continue
		}
		upTo := top.batch.Len()
		if i := h.second(); i > 0 {
			second := h[i]
			if second.batch == nil {
				if err := second.load(); err != nil {
					return err
				}
				h.settle(i)
				continue
			}
			upTo = top.before(second)
		}
		if err := add(piece{top.batch, top.row, upTo}); err != nil {
			return err
		}
		if top.row = upTo; top.row == top.batch.Len() {
			if err := top.load(); err != nil {
				return err
			}
		}
		h.settle(0)
	}
	return nil
}

// cursor stands on the next row of a run; one that was never read knows only
// its first sort value.
type cursor struct {
	reader runReader
	first  int64
	batch  *table.Batch
	row    int
	done   bool
}

func (c *cursor) load() error {
	b, err := c.reader.next()
	if err != nil {
		return err
	}
	c.batch, c.row = b, 0
	if b == nil {
		c.done = true
		c.reader.close()
	}
	return nil
}

// before finds the end of the cursor's rows that do not come after o's next row.
func (c *cursor) before(o *cursor) int {
	n := c.batch.Len() - c.row
	after := func(i int) bool { return table.Compare(c.batch, c.row+i, o.batch, o.row) > 0 }
	step := 1
	for step < n && !after(step) {
		step *= 2
	}
	lo := step / 2
	return c.row + max(1, lo+sort.Search(min(step, n)-lo, func(i int) bool { return after(lo + i) }))
}

type cursors []*cursor

func (h cursors) Len() int      { return len(h) }
func (h cursors) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *cursors) Push(x any)   { *h = append(*h, x.(*cursor)) }
func (h *cursors) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

func (h cursors) Less(i, j int) bool {
	a, b := h[i], h[j]
	if a.batch != nil && b.batch != nil {
		return table.Compare(a.batch, a.row, b.batch, b.row) < 0
	}
	x, y := a.value(), b.value()
	if x != y {
		return x < y
	}
	return a.batch == nil && b.batch != nil // read it before deciding
}

// value is the most significant sort value of the next row, 0 for text.
func (c *cursor) value() int64 {
	if c.batch == nil {
		return c.first
	}
	if col := c.batch.Schema().Order[0]; isNumber(c.batch.Schema().Columns[col].Kind) {
		return c.batch.Int(col, c.row)
	}
	return 0
}

// second is the place of the cursor that comes after the top, 0 without one.
func (h cursors) second() int {
	switch {
	case len(h) < 2:
		return 0
	case len(h) == 2 || h.Less(1, 2):
		return 1
	}
	return 2
}

// settle restores the heap after the cursor at i moved on or ended.
func (h *cursors) settle(i int) {
	if (*h)[i].done {
		heap.Remove(h, i)
		return
	}
	heap.Fix(h, i)
}
