package rollup

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"millrace/transforms/internal/wire"
)

// Part is the encoded partial result of one span of time.
type Part struct {
	Key  string // "2015-05-17" for a day, "2015-05-17T10" for an hour, "2015-05-17T10:04" for a minute
	Day  int64  // UTC day, days since the epoch
	Blob []byte
}

// Revision gives the revision of the rows of a UTC day (days since the epoch): 0
// for the first writing, one more with each rewrite. A nil Revision is 0.
type Revision func(day int64) int32

// version of a row whose group begins at start (ms) and has so many events.
func (r Revision) version(start, events int64) int64 {
	if r == nil {
		return events
	}
	return int64(r(floor(start, dayMs)))<<32 + events
}

const (
	secondMs = 1000
	minuteMs = 60 * 1000
	hourMs   = 60 * 60 * 1000
	dayMs    = 24 * hourMs

	encodingVersion         = 1
	encodingVersionSketches = 2 // of top pages alone, as the next
	encodingVersionLatency  = 3
	encodingVersionMany     = 4

	maxHour  = 1 << 28 // some 30,000 years
	maxCount = 1 << 48 // of one encoded number: sums of many do not overflow
)

// floor divides, rounding down.
func floor(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func hourPart(hour int64, blob []byte) Part {
	key := time.UnixMilli(hour * hourMs).UTC().Format(hourKey)
	return Part{Key: key, Day: floor(hour, 24), Blob: blob}
}

func dayPart(day int64, blob []byte) Part {
	key := time.UnixMilli(day * dayMs).UTC().Format(time.DateOnly)
	return Part{Key: key, Day: day, Blob: blob}
}

func minutePart(minute int64, blob []byte) Part {
	key := time.UnixMilli(minute * minuteMs).UTC().Format(minuteKey)
	return Part{Key: key, Day: floor(minute, 24*60), Blob: blob}
}

const (
	hourKey   = "2006-01-02T15"
	minuteKey = "2006-01-02T15:04"
)

// End is when the span of a part's key ends, in Unix milliseconds.
func End(key string) (int64, error) {
	for _, span := range []struct {
		layout string
		length time.Duration
	}{{time.DateOnly, 24 * time.Hour}, {hourKey, time.Hour}, {minuteKey, time.Minute}} {
		if t, err := time.Parse(span.layout, key); err == nil {
			return t.Add(span.length).UnixMilli(), nil
		}
	}
	return 0, fmt.Errorf("%q is no day, hour or minute", key)
}

// open reads what begins every blob: a version and the number of the span.
func open(blob []byte, limit int64) (in *wire.Reader, span int64) {
	in, _, span = openUpTo(encodingVersion, blob, limit)
	return in, span
}

// openUpTo is open of blobs whose versions go up to newest.
func openUpTo(newest byte, blob []byte, limit int64) (in *wire.Reader, version byte, span int64) {
	in = wire.NewReader(blob)
	version = in.Byte()
	switch {
	case version >= encodingVersion && version <= newest:
	case newest == encodingVersion:
		in.Fail("version %d, this program reads %d", version, newest)
	default:
		in.Fail("version %d, this program reads %d to %d", version, encodingVersion, newest)
	}
	if span = in.Varint(); span < -limit || span > limit {
		in.Fail("span %d", span)
	}
	return in, version, span
}

// windowsInHour checks a window and returns how many make an hour.
func windowsInHour(window time.Duration) (int64, error) {
	if window < time.Second || window > time.Hour || time.Hour%window != 0 || window%time.Second != 0 {
		return 0, fmt.Errorf("window %v: want whole seconds that divide an hour", window)
	}
	return int64(time.Hour / window), nil
}

// ascending returns the keys of m in order.
func ascending[V any](m map[int64]V) []int64 { return slices.Sorted(maps.Keys(m)) }
