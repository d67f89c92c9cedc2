package wire_test

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/transforms/internal/wire"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	texts := []string{"", "a", "längere"}
	b := []byte{7}
	for _, v := range []uint64{0, 127, 128, math.MaxUint64} {
		b = binary.AppendUvarint(b, v)
	}
	for _, v := range []int64{0, -1, math.MinInt64, math.MaxInt64} {
		b = binary.AppendVarint(b, v)
	}
	b = wire.AppendTexts(b, texts)
	b = wire.AppendText(b, []byte("end"))

	r := wire.NewReader(b)
	if c := r.Byte(); c != 7 {
		t.Errorf("byte %d", c)
	}
	for _, want := range []uint64{0, 127, 128, math.MaxUint64} {
		if got := r.Uvarint(); got != want {
			t.Errorf("%d, want %d", got, want)
		}
	}
	for _, want := range []int64{0, -1, math.MinInt64, math.MaxInt64} {
		if got := r.Varint(); got != want {
			t.Errorf("%d, want %d", got, want)
		}
	}
	if diff := cmp.Diff(texts, r.Texts()); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
	if got := string(r.Text()); got != "end" {
		t.Errorf("text %q", got)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestTheFirstMistakeStaysAndEverythingAfterIsZero(t *testing.T) {
	r := wire.NewReader([]byte{5, 'a', 'b'})
	if got := r.Text(); len(got) > 0 {
		t.Errorf("a text of 5 bytes where 2 are: %q", got)
	}
	first := r.Err()
	if !errors.Is(first, wire.ErrCorrupt) {
		t.Fatalf("error %v", first)
	}
	if r.Byte() != 0 || r.Uvarint() != 0 || r.Varint() != 0 || r.Texts() != nil || r.Count(1) != 0 {
		t.Error("something is read after a mistake")
	}
	if got := r.Close(); got != first { //nolint:errorlint // the very same is meant
		t.Errorf("another error: %v", got)
	}
}

func TestACountThatCannotBeTrueIsAMistake(t *testing.T) {
	r := wire.NewReader([]byte{4, 0, 0, 0})
	if n := r.Count(2); n != 0 || r.Err() == nil {
		t.Errorf("%d items of 2 bytes in 3 bytes: %v", n, r.Err())
	}
}

func TestBytesLeftOverAreAMistake(t *testing.T) {
	r := wire.NewReader([]byte{1, 2})
	r.Byte()
	if err := r.Close(); !errors.Is(err, wire.ErrCorrupt) {
		t.Errorf("error %v", err)
	}
}

func TestANumberThatDoesNotEndIsAMistake(t *testing.T) {
	for _, b := range [][]byte{{}, {0x80}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}} {
		r := wire.NewReader(b)
		if v := r.Uvarint(); v != 0 || r.Err() == nil {
			t.Errorf("% x: %d, %v", b, v, r.Err())
		}
	}
}

func TestANumberHasOneForm(t *testing.T) {
	for _, b := range [][]byte{{0x80, 0}, {0xfc, 0}, {0x96, 0x80, 0}} {
		r := wire.NewReader(b)
		if v := r.Uvarint(); v != 0 || !errors.Is(r.Err(), wire.ErrCorrupt) {
			t.Errorf("%x is read as %d, %v", b, v, r.Err())
		}
	}
}
