package driver

import (
	"context"

	"millrace/schemas/table"
)

// Sink is somewhere the rows of one output go, besides the lake. One goroutine
// uses it. Rows can come again after a restart, so a sink either overwrites by
// their key and version or says that it appends.
type Sink interface {
	// Write takes rows of the output's schema. It may return before they are
	// stored. Faults that pass are waited for, until ctx ends.
	Write(ctx context.Context, rows table.Rows) error
	// Flush returns when everything written is stored.
	Flush(ctx context.Context) error
	// Close flushes and ends the sink.
	Close(ctx context.Context) error
}
