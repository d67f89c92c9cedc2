package kinesisio

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/io/driver"
	"millrace/schemas/record"
)

func to[T any](v T) *T { return &v }

// TestCursorsOfSavepointsStayReadable holds the form in which readers' states lie
// in savepoints. testdata/cursors_v1.txt stays as it is as long as a cursor of
// version 1 may be read: its first line is of the first program that wrote any,
// before there was "newest"; the second is of a later one.
func TestCursorsOfSavepointsStayReadable(t *testing.T) {
	text, err := os.ReadFile("testdata/cursors_v1.txt")
	if err != nil {
		t.Fatal(err)
	}
	old := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	const (
		arn    = "arn:aws:kinesis:eu-west-1:123456789012:stream/logs"
		middle = "170141183460469231731687303715884105728"
		end    = "340282366920938463463374607431768211455"
	)
	seq := record.Sequence
	want := []*cursor{{
		Version: 1, Stream: arn, Created: 1767225600000, Reader: 0, Readers: 2, Began: 1772359200000, Low: to(int64(1772359140000)),
		Shards: []*shardState{{
			ID: "shardId-000000000000", First: "0", Last: "170141183460469231731687303715884105727", From: to(int64(1772359000000)),
			After: seq("7"), Inside: seq("8"), Given: 3, Reached: 1772359200500, Lost: true,
			Clock: eventClock{Latest: to(int64(1772359200123)), Floor: to(int64(1772359140000)), Leap: &leap{To: 1772459200000, Lowest: 1772459100000, Confirmed: 2}},
			Roll:  &openRoll{First: seq("2"), After: seq("1"), Lost: true, FirstArrival: 1772359190000, LastArrival: 1772359200400, Last: seq("7"), Bytes: 512, Records: 9},
		}},
	}, {
		Version: 1, Stream: arn, Reader: 1, Readers: 2, Began: 1772359200000, Newest: "shardId-000000000003",
		Shards: []*shardState{
			{ID: "shardId-000000000001", First: middle, Last: end, Done: true, Ended: true},
			{ID: "shardId-000000000003", First: middle, Last: end, Parents: []string{"shardId-000000000001"}, Heir: true, Clock: eventClock{Latest: to(int64(1772359200123))}},
		},
	}}
	if len(old) != len(want) {
		t.Fatalf("%d cursors, want %d", len(old), len(want))
	}
	for i := range old {
		got, err := decodeCursor(old[i])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[i], got); diff != "" {
			t.Errorf("cursor %d is read differently (-want +got):\n%s", i, diff)
		}
	}
	written, err := want[1].encode()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(old[1]), string(written)); diff != "" {
		t.Errorf("a cursor is written differently: unless an old program may read it all the same, raise cursorVersion and keep reading the old one (-old +new):\n%s", diff)
	}
	later := bytes.Replace(old[0], []byte(`"version":1`), []byte(`"version":9`), 1)
	if _, err := decodeCursor(later); !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), "version is 9, this program reads version 1") {
		t.Errorf("a later version: %v", err)
	}
}
