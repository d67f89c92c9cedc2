package seal_test

import (
	"bytes"
	"errors"
	"testing"

	"millrace/internal/mutate"
	"millrace/transforms/seal"
)

// FuzzOpen: a payload opens as it was sealed and not otherwise, whatever was done to it or
// its origin; what does not open leaves dst as it was.
func FuzzOpen(tf *testing.F) {
	f := mutate.Of(tf)
	s, err := seal.New([32]byte{1})
	if err != nil {
		f.Fatal(err)
	}
	source := [16]byte{7}
	f.Add([]byte("a line"), "", int64(3), uint16(0), byte(0))
	f.Add([]byte("a record"), "4957", int64(0), uint16(2), byte(1))
	f.Add([]byte{}, "4957", int64(-1), uint16(500), byte(255))
	f.Fuzz(func(t *testing.T, record []byte, sequence string, position int64, at uint16, flip byte) {
		payload := s.Append([]byte("before"), record, source, sequence, position)[len("before"):]
		got, err := s.Open([]byte("dst"), payload, source, sequence, position)
		if err != nil || string(got) != "dst"+string(record) {
			t.Fatalf("%q, %v", got, err)
		}
		for _, wrong := range []struct {
			payload  []byte
			sequence string
			position int64
		}{
			{payload, sequence, position + 1},
			{payload, sequence + "0", position},
			{payload[:len(payload)-1], sequence, position},
			{append(bytes.Clone(payload), 0), sequence, position},
			{record, sequence, position},
			{nil, sequence, position},
		} {
			if got, err := s.Open([]byte("dst"), wrong.payload, source, wrong.sequence, wrong.position); !errors.Is(err, seal.ErrOpen) || string(got) != "dst" {
				t.Errorf("%+v opens as %q, %v", wrong, got, err)
			}
		}
		damaged := bytes.Clone(payload)
		damaged[int(at)%len(damaged)] ^= flip
		if _, err := s.Open(nil, damaged, source, sequence, position); (err == nil) != (flip == 0) {
			t.Errorf("byte %d changed by %d: %v", int(at)%len(damaged), flip, err)
		}
	})
}
