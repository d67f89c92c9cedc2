package main

import (
	"context"
	"errors"

	"millrace/internal/benchsinks/events"
	"millrace/io/driver"
	"millrace/schemas/table"
)

// batchRows is how many rows come at a time, as from a stage before.
const batchRows = 1000

func batches(rows int) (list []*table.Batch) {
	for from := 0; from < rows; from += batchRows {
		list = append(list, events.Batch(from, min(batchRows, rows-from)))
	}
	return list
}

// writeAll writes batches to a sink of ours, and ends it.
func writeAll(ctx context.Context, sink driver.Sink, list []*table.Batch) error {
	for _, b := range list {
		if err := sink.Write(ctx, table.Rows{Batch: b}); err != nil {
			return errors.Join(err, sink.Close(ctx))
		}
	}
	return sink.Close(ctx)
}
