package record

import (
	"crypto/sha1" //nolint:gosec // UUID version 5 is defined with SHA-1; nothing rests on its strength
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// head is what precedes the bytes of an encoded block: all but its lists, of
// which it has the lengths.
type head struct {
	Block
	Records int  `json:",omitempty"` // in Ends and Positions
	Noted   bool `json:",omitempty"` // whether there are as many in Noted
}

// Encode is the binary form of a block: the length of its head in JSON, the
// head, the lists as varints of their differences, then the data as it is.
func Encode(b Block) ([]byte, error) {
	if err := b.check(); err != nil {
		return nil, fmt.Errorf("encoding a block of %s: %w", b.Name, err)
	}
	h := head{Block: b, Records: len(b.Ends), Noted: len(b.Noted) > 0}
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
	var ok bool
	if h.Records > 0 {
		if b.Ends, rest, ok = differences[int](rest, h.Records); !ok {
			return Block{}, ErrCorrupt
		}
		if b.Positions, rest, ok = differences[int64](rest, h.Records); !ok {
			return Block{}, ErrCorrupt
		}
		if h.Noted {
			if b.Noted, rest, ok = differences[int64](rest, h.Records); !ok {
				return Block{}, ErrCorrupt
			}
		}
	}
	b.Data = rest
	if err := b.check(); err != nil {
		return Block{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return b, nil
}

// check finds lists that do not fit together.
func (b *Block) check() error {
	if len(b.Positions) != len(b.Ends) || len(b.Noted) != len(b.Ends) && len(b.Noted) != 0 {
		return fmt.Errorf("it has %d ends, %d positions and %d times", len(b.Ends), len(b.Positions), len(b.Noted))
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

// Identity is the binary form of a file's identity, which Block.Source carries
// as 32 hex digits.
type Identity [16]byte

// ParseIdentity reads 32 hex digits.
func ParseIdentity(source string) (Identity, error) {
	b, err := hex.DecodeString(source)
	if err != nil || len(b) != len(Identity{}) {
		return Identity{}, fmt.Errorf("source identity %q is not 32 hex digits", source)
	}
	return Identity(b), nil
}

// namespace is the UUID under which record ids are named; it is drawn once and
// never changes: 7c0b8a54-3d0e-4f0a-9b57-0f6b1d2a8c11.
var namespace = [16]byte{0x7c, 0x0b, 0x8a, 0x54, 0x3d, 0x0e, 0x4f, 0x0a, 0x9b, 0x57, 0x0f, 0x6b, 0x1d, 0x2a, 0x8c, 0x11}

// EventID is the UUID version 5 (RFC 9562) of a record's origin: the name is
// the identity's 16 bytes followed by the position as 8 bytes, big endian.
func EventID(source Identity, position int64) [16]byte {
	var name [40]byte
	copy(name[:16], namespace[:])
	copy(name[16:32], source[:])
	binary.BigEndian.PutUint64(name[32:], uint64(position))
	sum := sha1.Sum(name[:]) //nolint:gosec // see the import
	id := [16]byte(sum[:16])
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	return id
}
