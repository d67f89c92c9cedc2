package shop

import (
	"encoding/binary"
	"fmt"
	"time"

	"millrace/transforms/internal/wire"
	"millrace/transforms/rollup"
)

const (
	minuteMs = 60 * 1000
	hourMs   = 60 * minuteMs
	dayMs    = 24 * hourMs

	encodingVersion = 1
	maxSpan         = 1 << 40 // of an encoded number of minutes, hours or days
	maxCount        = 1 << 48 // of one encoded number: sums of many do not overflow
	maxAmount       = 1 << 60 // of one encoded amount of money
)

// floor divides, rounding down.
func floor(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// version of a row whose window begins at start (Unix ms) and has so many events.
func version(r rollup.Revision, start, events int64) int64 {
	if r == nil {
		return events
	}
	return int64(r(floor(start, dayMs)))<<32 + events
}

// partOf is the encoded partial result of one hour or day, which begins at start.
func partOf(start, length int64, blob []byte) rollup.Part {
	layout := time.DateOnly
	if length == hourMs {
		layout = "2006-01-02T15"
	}
	return rollup.Part{Key: time.UnixMilli(start).UTC().Format(layout), Day: floor(start, dayMs), Blob: blob}
}

// begin writes what begins every blob: a version and the number of the span.
func begin(span int64) []byte { return binary.AppendVarint([]byte{encodingVersion}, span) }

func open(blob []byte) (in *wire.Reader, span int64) {
	in = wire.NewReader(blob)
	if v := in.Byte(); v != encodingVersion {
		in.Fail("version %d, this program reads %d", v, encodingVersion)
	}
	if span = in.Varint(); span < -maxSpan || span > maxSpan {
		in.Fail("span %d", span)
	}
	return in, span
}

// amount reads a number that may be negative.
func amount(in *wire.Reader) int64 {
	n := in.Varint()
	if n < -maxAmount || n > maxAmount {
		in.Fail("amount %d", n)
		return 0
	}
	return n
}

func wrap(what string, err error) error {
	if err != nil {
		return fmt.Errorf("merging %s: %w", what, err)
	}
	return nil
}
