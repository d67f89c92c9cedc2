package lakequery

import (
	"context"
	"slices"
	"sync"
	"unsafe"

	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms/sessions"
)

// Sessions finds the sessions of the events and hands them on, those of some visitors
// at a time, from one goroutine at a time. Sessions that began before the first of the days or end after the
// last one are cut. Options that go by the campaign or where a visit came from are not
// for events, which are masked.
func (e *Events) Sessions(ctx context.Context, opt sessions.Options, each func([]sessions.Session)) error {
	var fragments collected
	wanted := []int{
		weblog.EventTime, weblog.EventVisitorID, weblog.EventPath, weblog.EventBot, weblog.EventLate, weblog.EventPageView,
		weblog.EventSource, weblog.EventPosition,
	}
	err := e.scan(ctx, wanted, func() (func(int, *table.Batch) error, error) {
		c, err := sessions.NewCollector(opt)
		if err != nil {
			return nil, err
		}
		var v visitors
		return func(piece int, b *table.Batch) error {
			v.add(c, b)
			for _, p := range c.Flush(shards) {
				fragments.add(piece, p.Shard, p.Blob)
			}
			return nil
		}, nil
	})
	if err != nil {
		return err
	}
	var mu sync.Mutex
	return fragments.each(ctx, e.cores, func() (func([][]byte) error, error) {
		s, err := sessions.NewSessionizer(opt, nil)
		return func(blobs [][]byte) error {
			s.Reset()
			for _, b := range blobs {
				if err := s.Add(b); err != nil {
					return err
				}
			}
			list := s.Sessions()
			mu.Lock()
			defer mu.Unlock()
			each(list)
			return nil
		}, err
	})
}

// visitors are those of a batch.
type visitors struct {
	codes []int32 // number plus 1 by code of the batch's dictionary; 0 is not known yet
}

// add hands the rows of a batch to a collector, which must be flushed before the batch
// is used again: ids stay where they are.
func (v *visitors) add(c *sessions.Collector, b *table.Batch) {
	codes, distinct := b.Codes(weblog.EventVisitorID)
	v.codes = slices.Grow(v.codes[:0], distinct)[:distinct]
	clear(v.codes)
	sources, _ := b.Codes(weblog.EventSource)
	var source string
	known := ^uint32(0)
	for row := range b.Len() {
		if b.Bool(weblog.EventLate, row) {
			continue
		}
		if code := sources[row]; code != known {
			source, known = string(b.DictValue(weblog.EventSource, code)), code
		}
		e := sessions.Event{
			Time: b.Int(weblog.EventTime, row), Source: source, Position: b.Int(weblog.EventPosition, row),
			Page: b.Bool(weblog.EventPageView, row), Bot: b.Bool(weblog.EventBot, row),
		}
		if e.Page {
			e.Path = b.Text(weblog.EventPath, row)
		}
		c.AddTo(v.number(c, b, codes[row]), &e)
	}
}

func (v *visitors) number(c *sessions.Collector, b *table.Batch, code uint32) int32 {
	if v.codes[code] == 0 {
		id := b.DictValue(weblog.EventVisitorID, code)
		v.codes[code] = c.Number(sessions.VisitorOf(unsafe.String(unsafe.SliceData(id), len(id)))) + 1
	}
	return v.codes[code] - 1
}
