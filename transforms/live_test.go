package transforms

import (
	"strings"
	"testing"
	"time"
)

// TestStateOfSavepointsStaysReadable holds the form of state: what an earlier
// program left in a savepoint is read, and what a later one left is refused with
// the cure.
func TestStateOfSavepointsStaysReadable(t *testing.T) {
	const first = "\x01\x05\x10hello" // form 1: s2
	got, err := unpackState([]byte(first))
	if err != nil || string(got) != "hello" {
		t.Errorf("form 1 is read as %q, %v", got, err)
	}
	if got := packState([]byte("hello")); string(got) != first {
		t.Errorf("state is written as %q; give a new form a number of its own", got)
	}
	if got, err := unpackState(nil); got != nil || err != nil {
		t.Errorf("no state is read as %q, %v", got, err)
	}
	if _, err := unpackState([]byte{2, 0}); err == nil || !strings.Contains(err.Error(), "version of the program") {
		t.Errorf("form 2: %v", err)
	}
}

func TestTimersAndBucketsFollowFromTheData(t *testing.T) {
	minute, bucket := time.Minute.Milliseconds(), 10*time.Minute.Milliseconds()
	l := &Live{Bucket: 10 * time.Minute}
	for _, end := range []int64{0, 1, minute, minute + 1, bucket, bucket + 1, -1, -minute, 1772359200123} {
		at := sealsAt(end)
		if at < end || at >= end+minute || at%minute != 0 {
			t.Errorf("rows that close at %d seal at %d", end, at)
		}
		var to int64
		for _, c := range l.group(end) {
			if c != '-' {
				to = to*10 + int64(c-'0')
			}
		}
		if strings.HasPrefix(l.group(end), "-") {
			to = -to
		}
		if to < end || to >= end+bucket || to%bucket != 0 {
			t.Errorf("rows that close at %d are in the bucket that ends at %s", end, l.group(end))
		}
		if at > sealsAt(to) {
			t.Errorf("rows that close at %d seal at %d, after their bucket, %d", end, at, to)
		}
	}
}

// TestABacklogComesInFewRounds: by the minute at the tip, and a day by eighths. What is
// held is always the first that waits, and no round comes after the last.
func TestABacklogComesInFewRounds(t *testing.T) {
	const minute = int64(60_000)
	for _, c := range []struct{ backlog, most int64 }{{0, 1}, {5, 6}, {15, 16}, {180, 45}, {1440, 70}, {90 * 1440, 110}} {
		latest := c.backlog * minute
		rounds := int64(0)
		for watermark := int64(0); ; rounds++ {
			first := watermark + minute // there is something in each
			b := roundAfter(watermark, first, latest, tick)
			if b.From != first || b.At < first || b.At%minute != 0 || b.At > max(first, latest) {
				t.Fatalf("of %d minutes, after %d: %+v", c.backlog, watermark/minute, b)
			}
			if watermark = b.At; watermark > latest {
				break
			}
		}
		if rounds > c.most || c.backlog <= 15 && rounds < c.backlog {
			t.Errorf("%d minutes come in %d rounds; want %d at most", c.backlog, rounds, c.most)
		}
	}
}
