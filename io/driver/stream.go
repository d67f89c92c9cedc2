package driver

import (
	"context"
	"time"

	"millrace/schemas/record"
)

// Stream is somewhere records keep coming from, in shards. It is safe for
// concurrent use.
type Stream interface {
	// Begin plans so many readers and says where each begins. Every shard belongs
	// to exactly one of them, by a rule that holds for shards to come, too.
	Begin(ctx context.Context, readers int) ([]Cursor, error)
	// Read starts a reader at a cursor; it need not come from this Stream value,
	// only from one with the same parameters.
	Read(ctx context.Context, at Cursor) (StreamReader, error)
}

// Placer is a Stream that can tell where cursors stand so that it can begin there
// with another number of readers.
type Placer interface {
	// Positions is where the cursors of all readers stand, as a file for people.
	Positions(cursors []Cursor) ([]byte, error)
	// BeginAt is Begin at such positions.
	BeginAt(ctx context.Context, positions []byte, readers int) ([]Cursor, error)
}

// Cursor is where a reader stands: the positions of its shards and all else that
// decides what it gives next. It is JSON and the only place where positions are
// kept, so whoever restores a cursor reads on exactly there.
type Cursor []byte

// StreamReader gives the blocks of one reader's shards. One goroutine uses it.
// It may read ahead; what it has not given yet counts for nothing.
//
// Which records a block holds may differ from one reading to the next. Which
// roll a record belongs to, whether it is late and the order inside a shard do
// not.
type StreamReader interface {
	// Next waits for the next block until ctx ends, and returns nil when none
	// came. An error is final: what can be retried was retried.
	Next(ctx context.Context) (*record.Block, error)
	// Cursor is where the reader stands after the last block that Next returned.
	// It can move without a block: when a shard was found empty, or was split.
	Cursor() (Cursor, error)
	// Watermark is a time in Unix milliseconds that no record to come, unless it
	// is marked late, lies before: so it leaves room for the disorder and for the
	// lateness that are allowed. It never falls.
	Watermark() int64
	// Done tells that a stream with an end has given everything. Its watermark is
	// math.MaxInt64 then.
	Done() bool
	// Status describes each shard, for people and metrics.
	Status() []ShardStatus
	// Close ends the reading ahead, at any time.
	Close() error
}

// ShardStatus is how far the reading of a shard is. Times are Unix milliseconds, by
// the service's clock where they are not of events, and 0 when there is none.
type ShardStatus struct {
	Shard     string        // as the service calls it
	Watermark int64         // event time; below 0 when no record has given one
	Behind    time.Duration // how far the last record read lay behind the tip of the shard, when it was read
	Upto      int64         // all that had arrived by then was read
	Idle      bool          // nothing came for a while
	Records   int64         // read since this reader was opened
	Bytes     int64
	Retries   int64  // calls that failed and were made again
	Throttled int64  // of these, those that the service refused for their rate
	Fault     string // what reading fails with at present and is retried; else empty
	FaultCode string // the same in a word, see FaultCode
	Since     int64  // when that began
}

// StreamOptions are what a run says of how a stream is read.
type StreamOptions struct {
	// Format of the records, where the parameters of the stream name none.
	Format string
	// EventTime makes the function that gives the event time of a record of a format
	// that arrived at a time (0: nobody knows), both in Unix milliseconds, if it has
	// one. It is what the decoder uses; one goroutine uses one.
	EventTime func(format string) func(record []byte, arrival int64) (ms int64, ok bool)
	// MaxDisorder is how far behind the latest event time of its shard an event
	// may lie: the watermark follows at this distance.
	MaxDisorder time.Duration
	// AllowedLateness is how far behind the watermark an event is not late yet.
	AllowedLateness time.Duration
	// IdleAfter is how long a shard may be empty before it no longer holds the
	// watermark back; 0 is for ever.
	IdleAfter time.Duration
	// RollBytes and RollEvery (of arrival time) bound a roll.
	RollBytes int64
	RollEvery time.Duration
}
