package record

import (
	"crypto/sha1" //nolint:gosec // UUID version 5 is defined with SHA-1; nothing rests on its strength
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// Encode is the binary form of a block: the length of its JSON head, the head,
// then the data as it is.
func Encode(b Block) ([]byte, error) {
	data := b.Data
	b.Data = nil
	head, err := json.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("encoding a block of %s: %w", b.Name, err)
	}
	out := make([]byte, 0, len(head)+len(data)+binary.MaxVarintLen64)
	out = binary.AppendUvarint(out, uint64(len(head)))
	out = append(out, head...)
	return append(out, data...), nil
}

// ErrCorrupt is returned for bytes that Encode did not write.
var ErrCorrupt = errors.New("not an encoded block")

// Decode reverses Encode. The block's data is a view of its input.
func Decode(encoded []byte) (Block, error) {
	var b Block
	n, k := binary.Uvarint(encoded)
	if k <= 0 || n > uint64(len(encoded)-k) {
		return b, ErrCorrupt
	}
	head := encoded[k : k+int(n)]
	if err := json.Unmarshal(head, &b); err != nil {
		return b, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	b.Data = encoded[k+int(n):]
	return b, nil
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
