package iotest

import (
	"context"
	"reflect"
	"testing"

	"millrace/io/driver"
	"millrace/schemas/table"
)

// SinkRow is what the suite writes. Time and key identify a row.
type SinkRow struct {
	At      table.Millis `col:"at,sort1,day" doc:"time of the row, UTC"`
	Key     string       `col:"key,sort2" mask:"none" doc:"identity among the rows of the time"`
	Amount  *int64       `col:"amount,null" doc:"a number"`
	Note    *string      `col:"note,null" mask:"none" doc:"a text"`
	Version int64        `col:"version" doc:"the greater one wins"`
}

// SinkRows is the schema of SinkRow.
var SinkRows = table.MustOf[SinkRow]("iotest.rows", 1)

// SinkCan is what a kind of sink can do. What all of them guarantee needs no
// mention: every row is there once, and a repetition adds nothing, unless the
// sink Appends.
type SinkCan struct {
	// Appends: it adds to what is there and recognises nothing, so a repetition
	// adds its rows again.
	Appends bool
	// Pinned: the bytes it stores depend on the rows alone, not on their batches
	// or order.
	Pinned bool
	// Whole: a writing appears at its Finish as a whole or, after an error, not
	// at all.
	Whole bool
	// ReplacesDays: what another run writes takes the place of the days it has
	// rows of.
	ReplacesDays bool
	// Versioned: of the rows of one identity the greatest version stays, in
	// whatever order they come.
	Versioned bool
	// Exclusive: a second writer is refused (driver.ErrBusy) while there is one.
	Exclusive bool
	// Withdraws: a row of kind table.Withdrawn hides those of its identity that are of
	// no greater version, in whatever order they come.
	Withdraws bool
	// Seals: a provisional row never takes the place of a sealed one of its version.
	Seals bool
	// Asks: it calls its server before there is a row, to reserve the place for one.
	Asks bool
	// Spills: what it holds lies on disk, so it takes more rows than fit into memory
	// while its server does not answer.
	Spills bool
}

// SinkHarness makes places for a kind of sink.
type SinkHarness struct {
	Can SinkCan
	// New makes an empty place of its own for one test.
	New func(t *testing.T) SinkPlace
	// Refuse is the check of an element type that the sink makes before anything
	// is written.
	Refuse func(element reflect.Type) error
	// Memory is how many bytes a writer may hold; 64 MiB when zero.
	Memory int64
	// Child names the test that calls SinkChild, for what happens to a place when
	// its writer is killed. Empty for a place that dies with its process.
	Child string
}

// SinkPlace is somewhere rows are written to. Open or OpenWith, and Read, are there for
// every sink; what else a place has no function for is not asked of it.
type SinkPlace struct {
	// Address is how the child process finds the place.
	Address string
	// Open begins to write, or begins again, under the name of a run.
	Open func(ctx context.Context, run string) (SinkWriter, error)
	// OpenWith is Open for a sink that takes options; without it, what ctx says of
	// retries is all that a test can say.
	OpenWith func(ctx context.Context, run string, options driver.SinkOptions) (SinkWriter, error)
	// Read gives the rows a reader finds now, in any order.
	Read func(t *testing.T) []SinkRow
	// Stored gives the stored bytes by name; nil unless Pinned.
	Stored func(t *testing.T) map[string]string
	// Watch has step called before every change of what is stored; an error of it
	// is the change's failure. Nil ends that.
	Watch func(step func() error)
	// Expire lets run out at once what a killed writer holds; nil when death ends
	// it.
	Expire func(t *testing.T)

	// Poison makes the nth of some rows that the server refuses and the sink cannot
	// know of beforehand, TooLarge of some that are beyond a limit which the sink
	// knows. Rows of different n are of different identity. They need OpenWith.
	Poison   func(n int) SinkRow
	TooLarge func(n int) SinkRow

	// Server is host:port of what sinks connect to, for places that are not of this
	// machine. Via gives the place to writers that connect to another address, where
	// the suite has put a proxy before Server; it is read by its own Read.
	Server string
	Via    func(t *testing.T, addr string) SinkPlace
	// Throttle has the server refuse calls, or rows of them, for their rate, until
	// end; Forbid has it refuse to write at all (driver.ErrPermission, ErrReadOnly).
	Throttle func(t *testing.T) (end func())
	Forbid   func(t *testing.T) (end func())
}

// SinkWriter writes for one run. Finish or Abort ends it. One that takes rows of any
// kind is a KindWriter, too; WriterOf makes one of a driver.Sink.
type SinkWriter interface {
	// Write takes over a batch of SinkRows, which are sealed.
	Write(ctx context.Context, rows *table.Batch) error
	// Finish returns when all that was written is stored for good and can be read.
	Finish(ctx context.Context) error
	// Abort gives up.
	Abort()
}

// KindWriter takes rows of any kind.
type KindWriter interface {
	WriteRows(ctx context.Context, rows table.Rows) error
}

// RunSinkTests runs the suite. Faults of the way to the server come from a proxy that it
// puts there, those of the server from the place.
func RunSinkTests(t *testing.T, h SinkHarness) {
	has := h.New(t)
	remote, refuses := has.Server != "", has.OpenWith != nil
	for _, test := range []struct {
		name string
		can  bool
		run  func(*testing.T, SinkHarness)
	}{
		{"every row is written once", true, writesOnce},
		{"a repetition adds nothing", !h.Can.Appends, repeats},
		{"a repetition adds its rows again", h.Can.Appends, appends},
		{"no rows leave nothing", true, writesNothing},
		{"no rows are no call", remote && !h.Can.Asks, asksNothing},
		{"a greater version wins in whatever order", h.Can.Versioned, versions},
		{"what is withdrawn is hidden in whatever order", h.Can.Withdraws, withdraws},
		{"what is sealed stays sealed", h.Can.Seals, seals},
		{"another run replaces its days", h.Can.ReplacesDays, replaces},
		{"a failure at any step leaves what was, or all that is new", h.Can.Whole, fails},
		{"a cancelled writer stops", true, cancels},
		{"a writer that waits for its server stops when cancelled", remote, cancelsCalls},
		{"a second writer is refused", h.Can.Exclusive, excludes},
		{"unmasked personal data are refused", true, refusesUnmasked},
		{"a row that the server refuses is told of and the others are stored", refuses && has.Poison != nil, refusesPoison},
		{"rows that are refused block nobody", refuses && has.Poison != nil, goesOnPastPoison},
		{"a row beyond the limits is told of and the others are stored", refuses && has.TooLarge != nil, refusesTooLarge},
		{"a refused row that nobody takes ends the writer", refuses && has.Poison != nil, dropsNothing},
		{"throttling is waited for and counted", has.Throttle != nil, throttled},
		{"a server that forbids it ends the writer, and a repetition is whole", has.Forbid != nil, forbidden},
		{"an outage loses nothing", remote, outlasts},
		{"a slow server holds the writer up in bounded memory", remote, holdsUp},
		{"a killed writer's run can be repeated", h.Child != "", survivesKills},
	} {
		if test.can {
			t.Run(test.name, func(t *testing.T) { test.run(t, h) })
		}
	}
}
