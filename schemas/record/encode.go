package record

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// head is what precedes the bytes of an encoded block: all but its lists, of
// which it has the lengths.
type head struct {
	Block
	Records   int  `json:",omitempty"` // in Ends and Positions
	Noted     bool `json:",omitempty"` // whether there are as many in Noted, and so on
	Sequences bool `json:",omitempty"`
	Arrivals  bool `json:",omitempty"`
	Behind    bool `json:",omitempty"`
}

// Encode is the binary form of a block: the length of its head in JSON, the
// head, the lists of numbers as varints of their differences, that of texts in
// runs of equal ones, then the data as it is.
func Encode(b Block) ([]byte, error) {
	if err := b.check(); err != nil {
		return nil, fmt.Errorf("encoding a block of %s: %w", b.Name, err)
	}
	h := head{
		Block: b, Records: len(b.Ends), Noted: len(b.Noted) > 0,
		Sequences: len(b.Sequences) > 0, Arrivals: len(b.Arrivals) > 0, Behind: len(b.Behind) > 0,
	}
	h.Data = nil
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("encoding a block of %s: %w", b.Name, err)
	}
	out := make([]byte, 0, len(text)+len(b.Data)+binary.MaxVarintLen64+8*len(b.Ends))
	out = binary.AppendUvarint(out, uint64(len(text)))
	out = append(out, text...)
	out = appendDifferences(out, b.Ends)
	out = appendDifferences(out, b.Positions)
	out = appendDifferences(out, b.Noted)
	out = appendSequences(out, b.Sequences)
	out = appendDifferences(out, b.Arrivals)
	out = appendDifferences(out, b.Behind)
	return append(out, b.Data...), nil
}

// ErrCorrupt is returned for bytes that Encode did not write.
var ErrCorrupt = errors.New("not an encoded block")

// Decode reverses Encode. The block's data is a view of its input.
func Decode(encoded []byte) (Block, error) {
	n, k := binary.Uvarint(encoded)
	if k <= 0 || n > uint64(len(encoded)-k) {
		return Block{}, ErrCorrupt
	}
	text, rest := encoded[k:k+int(n)], encoded[k+int(n):]
	var h head
	if err := json.Unmarshal(text, &h); err != nil {
		return Block{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	b := h.Block
	if h.Records < 0 || h.Records > len(rest) { // a number takes a byte at least
		return Block{}, ErrCorrupt
	}
	if h.Records > 0 {
		var ok bool
		if rest, ok = b.lists(rest, h); !ok {
			return Block{}, ErrCorrupt
		}
	}
	b.Data = rest
	if err := b.check(); err != nil {
		return Block{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return b, nil
}

// lists reads the lists that the head tells of and returns what follows them.
func (b *Block) lists(in []byte, h head) (rest []byte, ok bool) {
	if b.Ends, in, ok = differences[int](in, h.Records); !ok {
		return nil, false
	}
	b.Positions, in, ok = differences[int64](in, h.Records)
	if ok && h.Noted {
		b.Noted, in, ok = differences[int64](in, h.Records)
	}
	if ok && h.Sequences {
		b.Sequences, in, ok = sequences(in, h.Records)
	}
	if ok && h.Arrivals {
		b.Arrivals, in, ok = differences[int64](in, h.Records)
	}
	if ok && h.Behind {
		b.Behind, in, ok = differences[int64](in, h.Records)
	}
	return in, ok
}

// check finds lists that do not fit together.
func (b *Block) check() error {
	if len(b.Positions) != len(b.Ends) {
		return fmt.Errorf("it has %d ends and %d positions", len(b.Ends), len(b.Positions))
	}
	for _, list := range []struct {
		name   string
		length int
	}{{"times", len(b.Noted)}, {"sequence numbers", len(b.Sequences)}, {"arrivals", len(b.Arrivals)}, {"delays", len(b.Behind)}} {
		if list.length != len(b.Ends) && list.length != 0 {
			return fmt.Errorf("it has %d ends and %d %s", len(b.Ends), list.length, list.name)
		}
	}
	for i, s := range b.Sequences {
		if (i == 0 || s != b.Sequences[i-1]) && !IsSequence(s) {
			return fmt.Errorf("record %d has the sequence number %.300q", i, s)
		}
	}
	at := 0
	for i, end := range b.Ends {
		if end < at || end > len(b.Data) {
			return fmt.Errorf("record %d ends at %d, after %d, of %d bytes", i, end, at, len(b.Data))
		}
		at = end
	}
	if b.Ends != nil && at != len(b.Data) {
		return fmt.Errorf("the records end at %d of %d bytes", at, len(b.Data))
	}
	return nil
}

// appendDifferences writes each number as what it adds to the one before.
func appendDifferences[T int | int64](out []byte, list []T) []byte {
	var last int64
	for _, v := range list {
		out = binary.AppendVarint(out, int64(v)-last) // may wrap around, and back again
		last = int64(v)
	}
	return out
}

func differences[T int | int64](in []byte, n int) (list []T, rest []byte, ok bool) {
	list = make([]T, n)
	var last int64
	for i := range list {
		d, k := binary.Varint(in)
		if k <= 0 {
			return nil, nil, false
		}
		in = in[k:]
		last += d
		list[i] = T(last)
	}
	return list, in, true
}
