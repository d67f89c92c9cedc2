package run

import (
	"context"

	"millrace/runners/flink/workerpool"
)

// ServePool starts workers for TaskManagers that ask at address, host:port, until
// ctx ends, and leaves none of them. say is told of each.
func ServePool(ctx context.Context, address string, say func(format string, a ...any)) error {
	pool, err := workerpool.Listen(ctx, address, say)
	if err != nil {
		return &UsageError{err}
	}
	say("the worker pool takes requests at %s", pool.Address())
	return pool.Serve(ctx)
}
