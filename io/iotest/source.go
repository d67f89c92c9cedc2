package iotest

import (
	"testing"

	"millrace/io/driver"
)

// SourceHarness makes places for a kind of source.
type SourceHarness struct {
	// New makes an empty place of its own for one test. Its sources must make
	// several splits, and several blocks of each, of a unit of 64 KiB.
	New func(t *testing.T) SourcePlace
	// MaxRecord is the longest record its sources carry, in bytes; a longer one is
	// given as its length and head. Zero: the place itself refuses longer ones.
	MaxRecord int
}

// SourcePlace is somewhere records lie, in named units: files, shards. The
// functions marked optional are nil where they have no meaning.
type SourcePlace struct {
	// Write stores a unit. A record holds no line feed. No records: an empty unit.
	Write func(t *testing.T, unit string, records []string)
	// WriteTorn is Write without the last record's end; optional.
	WriteTorn func(t *testing.T, unit string, records []string)
	// Copy stores the content of a unit once more, under another name; optional.
	Copy func(t *testing.T, unit, copied string)
	// Open gives a source of all units.
	Open func(t *testing.T) driver.Source
	// Position is the position of record i of a unit; optional.
	Position func(records []string, i int) int64

	// Missing gives a source of a place that does not exist.
	Missing func(t *testing.T) driver.Source
	// Unreadable gives a source of the units that may not read them; optional.
	Unreadable func(t *testing.T) driver.Source
	// Damage breaks the unit's stored content so that it can be noticed; optional.
	Damage func(t *testing.T, unit string)
	// Reset breaks the connections of readers from now on, again and again but
	// never for good, and tells afterwards how often it did; optional.
	Reset func(t *testing.T) (count func() int)
}

// RunSourceTests runs the suite.
func RunSourceTests(t *testing.T, h SourceHarness) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, SourceHarness, SourcePlace)
	}{
		{"every record is read once with its origin", readsOnce},
		{"a second plan and reading give the same", readsAlike},
		{"splits are read in any order and side by side", readsAnywhere},
		{"a block stays as it was given", keepsBlocks},
		{"nothing is no error", readsNothing},
		{"a missing place is an error of its class", missing},
		{"an unreadable place is an error of its class", unreadable},
		{"damage is an error of its class", damaged},
		{"a cancelled plan stops", cancelPlan},
		{"a cancelled reader stops", cancelReader},
		{"a reader can be closed early", closeEarly},
		{"a last record without an end is a record", readsTorn},
		{"a record too long to carry is given as length and head", readsOversize},
		{"copies are marked as duplicates", marksCopies},
		{"broken connections cost nothing", survivesResets},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, h, h.New(t)) })
	}
}
