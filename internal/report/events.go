package report

import (
	"context"
	"sync"

	"millrace/internal/columns"
)

// An event is the part of a row of events that sections look at. Its bytes are
// valid during the call only; nil means null.
type event struct {
	path, query, request []byte
	host, referrer       []byte
	visitor              []byte
	status               int32
	bytes                int64 // -1 when unknown
	pageView             bool
}

// A watcher gathers a section's figures from all events in one pass.
type watcher interface {
	event(*event)
	done()
}

var eventColumns = []string{"path", "query", "request", "host", "referrer", "visitor_id", "status", "bytes", "page_view"}

// collectEvents shows every event to all sections at once: events are by far
// the largest output and are read a single time. Events of another kind than requests
// are passed over.
func collectEvents(ctx context.Context, src Source, d *Data) error {
	var watchers []watcher
	for _, s := range sections {
		if s.watch != nil {
			watchers = append(watchers, s.watch(d))
		}
	}
	var events []event
	err := scanKnown(ctx, src, "events", eventColumns, func(b columns.Batch) error {
		d.Events += int64(b.Rows())
		events = events[:0]
		for i := range b.Rows() {
			e := event{
				path: columns.Text(b[0][i]), query: columns.Text(b[1][i]), request: columns.Text(b[2][i]),
				host: columns.Text(b[3][i]), referrer: columns.Text(b[4][i]), visitor: columns.Text(b[5][i]),
				status: b[6][i].Int32(), bytes: -1, pageView: b[8][i].Boolean(),
			}
			if !b[7][i].IsNull() {
				e.bytes = b[7][i].Int64()
			}
			events = append(events, e)
		}
		show(events, watchers)
		return nil
	})
	if err != nil {
		return err
	}
	for _, w := range watchers {
		w.done()
	}
	return nil
}

// show shows events to all watchers, each on a goroutine of its own: a watcher
// fills its section of the data and reads the events only.
func show(events []event, watchers []watcher) {
	var done sync.WaitGroup
	for _, w := range watchers {
		done.Go(func() {
			for i := range events {
				w.event(&events[i])
			}
		})
	}
	done.Wait()
}
