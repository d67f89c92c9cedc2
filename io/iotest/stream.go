package iotest

import (
	"testing"

	"millrace/io/driver"
)

// StreamHarness makes places for a kind of stream.
type StreamHarness struct {
	// New makes an empty stream of its own for one test, with several shards.
	New func(t *testing.T) StreamPlace
}

// StreamPlace is a stream. The functions marked optional are nil where they have
// no meaning.
type StreamPlace struct {
	// Put adds records; those of one key keep their order.
	Put func(t *testing.T, key string, records ...string)
	// Open gives a stream that ends with what arrived before Begin. Its blocks must
	// be small: several for 100 records.
	Open func(t *testing.T, opt driver.StreamOptions) driver.Stream
	// OpenEndless gives one without an end.
	OpenEndless func(t *testing.T, opt driver.StreamOptions) driver.Stream
	// Missing gives a stream that does not exist.
	Missing func(t *testing.T) driver.Stream
	// Reshard changes the shards, in another way each time; optional.
	Reshard func(t *testing.T)
	// Fault makes calls fail from now on, again and again but never for good, and
	// tells afterwards how often; optional.
	Fault func(t *testing.T) (count func() int)
	// Remove removes the stream; optional.
	Remove func(t *testing.T)
}

// RunStreamTests runs the suite.
func RunStreamTests(t *testing.T, h StreamHarness) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, StreamPlace)
	}{
		{"every record is read once with its origin", streamsOnce},
		{"whoever reads on from a cursor reads the rest", streamsFromCursors},
		{"restarts change neither lateness nor rolls", streamsAlike},
		{"more readers than shards end, too", streamsToMany},
		{"nothing is no error", streamsNothing},
		{"waiting ends with its context", streamsUntilCancelled},
		{"a reader can be closed early", streamsClosedEarly},
		{"a block stays as it was given", streamsKeepBlocks},
		{"what is put later is read", streamsOn},
		{"shards change meanwhile", streamsResharded},
		{"what fails for a while costs nothing", streamsThroughFaults},
		{"a stream that does not exist is an error", streamsMissing},
		{"a stream that is removed is an error", streamsRemoved},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, h.New(t)) })
	}
}
