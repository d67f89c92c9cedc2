package record

import (
	"crypto/sha1" //nolint:gosec // UUID version 5 is defined with SHA-1; nothing rests on its strength
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// Identity is the binary form of the identity of a file or shard, which
// Block.Source carries as 32 hex digits.
type Identity [16]byte

// String is the identity as Block.Source carries it.
func (id Identity) String() string { return hex.EncodeToString(id[:]) }

// ParseIdentity reads 32 hex digits.
func ParseIdentity(source string) (Identity, error) {
	b, err := hex.DecodeString(source)
	if err != nil || len(b) != len(Identity{}) {
		return Identity{}, fmt.Errorf("source identity %q is not 32 hex digits", source)
	}
	return Identity(b), nil
}

// ShardIdentity identifies a shard of a Kinesis stream, named by its ARN: the
// first 16 bytes of SHA-256 over "kinesis", 0, the ARN, 0, the shard's id.
func ShardIdentity(streamARN, shardID string) Identity {
	sum := sha256.Sum256([]byte("kinesis\x00" + streamARN + "\x00" + shardID))
	return Identity(sum[:16])
}

// namespace is the UUID under which record ids are named; it is drawn once and
// never changes: 7c0b8a54-3d0e-4f0a-9b57-0f6b1d2a8c11.
var namespace = [16]byte{0x7c, 0x0b, 0x8a, 0x54, 0x3d, 0x0e, 0x4f, 0x0a, 0x9b, 0x57, 0x0f, 0x6b, 0x1d, 0x2a, 0x8c, 0x11}

// EventID is the UUID version 5 (RFC 9562) of a record's origin: the name is
// the identity's 16 bytes, the sequence number of the stream record as its text,
// empty for a file, and the position as 8 bytes, big endian.
func EventID(source Identity, sequence string, position int64) [16]byte {
	var buf [128]byte // a longer sequence number costs an allocation
	name := append(buf[:0], namespace[:]...)
	name = append(name, source[:]...)
	name = append(name, sequence...)
	name = binary.BigEndian.AppendUint64(name, uint64(position))
	sum := sha1.Sum(name) //nolint:gosec // see the import
	id := [16]byte(sum[:16])
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	return id
}
