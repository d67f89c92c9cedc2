package kinesisio

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"millrace/io/driver"
	"millrace/schemas/record"
)

// TestAnswersThatAreTooLongAreAskedForInParts is about servers that give all they
// are asked for, where Kinesis stops at 10 MiB.
func TestAnswersThatAreTooLongAreAskedForInParts(t *testing.T) {
	server := newGetServer(t, 1)
	const records = 260
	text := bytes.Repeat([]byte("x"), 1<<19)
	for i := range records {
		server.put(0, 0, fmt.Appendf(nil, "%d %s", i, text))
	}
	if whole := records * len(text) * 4 / 3; whole < 2*maxAnswer {
		t.Fatalf("all of it is %d bytes", whole)
	}
	r := startReader(t, openQuick(t, "", driver.StreamOptions{}))
	got := 0
	nextUntil(t, r, func(b *record.Block) bool {
		if b == nil {
			return false
		}
		for _, line := range linesOf(b) {
			if want := fmt.Sprintf("%d x", got); line[:len(want)] != want {
				t.Fatalf("record %d begins with %.10s", got, line)
			}
			got++
		}
		return got == records
	})
}

func TestAnAnswerWithoutEndIsAnErrorThatDoesNotPass(t *testing.T) {
	err := serviceError("read", place{}, fmt.Errorf("reading: %w", errAnswerLong))
	if !errors.Is(err, driver.ErrCorrupt) || passes(err) {
		t.Errorf("it is %v", err)
	}
}
