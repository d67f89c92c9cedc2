package iotest

import (
	"context"
	"errors"

	"millrace/io/driver"
	"millrace/schemas/table"
)

// WriterOf opens a sink for the suite: open is called with a context that ends when
// the suite gives the sink up.
func WriterOf(ctx context.Context, open func(context.Context) (driver.Sink, error)) (SinkWriter, error) {
	ctx, giveUp := context.WithCancelCause(ctx)
	sink, err := open(ctx)
	if err != nil {
		giveUp(err)
		return nil, err
	}
	return &writer{sink, ctx, giveUp}, nil
}

// errGivenUp is why the context of a sink that is given up ends.
var errGivenUp = errors.New("the suite gives the sink up")

type writer struct {
	sink   driver.Sink
	ctx    context.Context // that of the sink
	giveUp context.CancelCauseFunc
}

func (w *writer) Write(ctx context.Context, b *table.Batch) error {
	return w.WriteRows(ctx, table.Rows{Batch: b})
}

func (w *writer) WriteRows(ctx context.Context, rows table.Rows) error {
	return w.sink.Write(ctx, rows)
}

func (w *writer) Flush(ctx context.Context) error { return w.sink.Flush(ctx) }

func (w *writer) Finish(ctx context.Context) error { return w.sink.Close(ctx) }

func (w *writer) Abort() {
	w.giveUp(errGivenUp)
	_ = w.sink.Close(w.ctx) // what it failed with is known
}
