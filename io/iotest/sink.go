package iotest

import (
	"context"
	"reflect"
	"testing"

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
}

// SinkHarness makes places for a kind of sink.
type SinkHarness struct {
	Can SinkCan
	// New makes an empty place of its own for one test.
	New func(t *testing.T) SinkPlace
	// Refuse is the check of an element type that the sink makes before anything
	// is written.
	Refuse func(element reflect.Type) error
	// Child names the test that calls SinkChild, for what happens to a place when
	// its writer is killed. Empty for a place that dies with its process.
	Child string
}

// SinkPlace is somewhere rows are written to.
type SinkPlace struct {
	// Address is how the child process finds the place.
	Address string
	// Open begins to write, or begins again, under the name of a run.
	Open func(ctx context.Context, run string) (SinkWriter, error)
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
}

// SinkWriter writes for one run. Finish or Abort ends it.
type SinkWriter interface {
	// Write takes over a batch of SinkRows.
	Write(ctx context.Context, rows *table.Batch) error
	// Finish returns when all that was written is stored for good and can be read.
	Finish(ctx context.Context) error
	// Abort gives up.
	Abort()
}

// RunSinkTests runs the suite.
func RunSinkTests(t *testing.T, h SinkHarness) {
	for _, test := range []struct {
		name string
		can  bool
		run  func(*testing.T, SinkHarness)
	}{
		{"every row is written once", true, writesOnce},
		{"a repetition adds nothing", !h.Can.Appends, repeats},
		{"a repetition adds its rows again", h.Can.Appends, appends},
		{"no rows leave nothing", true, writesNothing},
		{"a greater version wins in whatever order", h.Can.Versioned, versions},
		{"another run replaces its days", h.Can.ReplacesDays, replaces},
		{"a failure at any step leaves what was, or all that is new", h.Can.Whole, fails},
		{"a cancelled writer stops", true, cancels},
		{"a second writer is refused", h.Can.Exclusive, excludes},
		{"unmasked personal data are refused", true, refuses},
		{"a killed writer's run can be repeated", h.Child != "", survivesKills},
	} {
		if test.can {
			t.Run(test.name, func(t *testing.T) { test.run(t, h) })
		}
	}
}
