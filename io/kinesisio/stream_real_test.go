package kinesisio

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/schemas/record"
)

func TestARealStreamIsReadOnce(t *testing.T) {
	server := testenv.Kinesis(t)
	server.CreateStream(t, "logs", 4)
	var want []string
	for i := range 500 {
		line := fmt.Sprintf("record %d", i)
		want = append(want, line)
		server.Put(t, "logs", testenv.KinesisRecord{Key: line, Data: []byte(line)})
		if i%100 == 99 {
			break
		}
	}
	got := readToEnd(t, "kinesis://logs?until=tip", 2)
	slices.Sort(want)
	if !slices.Equal(want, got) {
		t.Fatalf("%d records of %d are read: %q", len(got), len(want), got)
	}
}

// readToEnd reads a bounded stream with so many readers, one after the other, and
// gives all lines, sorted.
func readToEnd(t *testing.T, url string, readers int) (lines []string) {
	t.Helper()
	s, err := OpenStream(t.Context(), url, driver.StreamOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cursors, err := s.Begin(t.Context(), readers)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, at := range cursors {
		r, err := s.Read(ctx, at)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for !r.Done() {
			b, err := r.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if ctx.Err() != nil {
				t.Fatalf("the end does not come; %+v", r.Status())
			}
			if b != nil {
				lines = append(lines, linesOf(b)...)
			}
		}
		if r.Watermark() != math.MaxInt64 {
			t.Errorf("the watermark at the end is %d", r.Watermark())
		}
	}
	slices.Sort(lines)
	return lines
}

func linesOf(b *record.Block) (lines []string) {
	at := 0
	for _, end := range b.Ends {
		lines = append(lines, string(b.Data[at:end]))
		at = end
	}
	return lines
}
