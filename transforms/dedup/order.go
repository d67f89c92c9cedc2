package dedup

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
)

// ID stands for a producer's id: 84 bits of its hash, in the upper ones of Low 20.
type ID struct {
	High uint64
	Low  uint32 // less than 2^20
}

const lowBits = 20

// IDOf hashes a producer's id: the first 84 bits of SHA-256.
func IDOf(id []byte) ID {
	sum := sha256.Sum256(id)
	return ID{
		High: max(1, binary.BigEndian.Uint64(sum[:8])), // 0 is an empty place of the table
		Low:  binary.BigEndian.Uint32(sum[8:12]) >> (32 - lowBits),
	}
}

// Shard is the shard of the id, of so many.
func (i ID) Shard(shards int) int { return int(i.Low) % shards }

// Order is the place of an event among those with its id.
type Order struct {
	Time int64  // event time, Unix milliseconds
	Tie  uint64 // among equal times, as TieOf makes it
}

// Compare orders by time, then by tie.
func (o Order) Compare(p Order) int {
	return cmp.Or(cmp.Compare(o.Time, p.Time), cmp.Compare(o.Tie, p.Tie))
}

// TieOf orders events of the same time by their arrival (Unix milliseconds, 0 in a
// file) and, within a millisecond, by the first 22 bits of their event ids: a copy
// that came later is greater. Two copies that agree in all of it are taken for one event
// read twice, and both are kept: of pairs of copies that arrive in one
// millisecond, 1 in 4,000,000.
func TieOf(arrival int64, eventID [16]byte) uint64 {
	const idBits = 22
	return uint64(max(arrival, 0))<<idBits | uint64(binary.BigEndian.Uint32(eventID[:4])>>(32-idBits))
}
