package kinesisio

import (
	"cmp"
	"crypto/md5" //nolint:gosec // the service's own hash of partition keys
	"encoding/binary"
	"math/bits"
	"strconv"
)

// hashKey is a place on the line of hashes that shards divide among them: a
// number of 128 bits, zero first.
type hashKey struct{ high, low uint64 }

// hashOf is where the service places a partition key.
func hashOf(partitionKey string) hashKey {
	sum := md5.Sum([]byte(partitionKey)) //nolint:gosec // see above
	return hashKey{binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:])}
}

// parseHashKey reads a hash key as the API writes it: decimal, without sign and
// without zeros in front.
func parseHashKey(s string) (h hashKey, ok bool) {
	if s == "" || len(s) > 39 || s[0] == '0' && len(s) > 1 {
		return h, false
	}
	for i := range len(s) {
		digit := uint64(s[i] - '0')
		if digit > 9 {
			return h, false
		}
		carry, low := bits.Mul64(h.low, 10)
		over, high := bits.Mul64(h.high, 10)
		var c uint64
		low, c = bits.Add64(low, digit, 0)
		high, c = bits.Add64(high, carry, c)
		if over != 0 || c != 0 {
			return h, false
		}
		h = hashKey{high, low}
	}
	return h, true
}

// String is the number in decimal.
func (h hashKey) String() string {
	const tail = 1e19 // the greatest power of ten in 64 bits
	if h.high == 0 {
		return strconv.FormatUint(h.low, 10)
	}
	high, low := h.high/tail, uint64(0)
	low, rest := bits.Div64(h.high%tail, h.low, tail)
	digits := strconv.FormatUint(rest, 10)
	digits = "0000000000000000000"[len(digits):] + digits
	return hashKey{high, low}.String() + digits
}

func (h hashKey) compare(o hashKey) int {
	return cmp.Or(cmp.Compare(h.high, o.high), cmp.Compare(h.low, o.low))
}

// hashRange is the part of the line that a shard owns, both ends included.
type hashRange struct{ first, last hashKey }

func (r hashRange) contains(h hashKey) bool {
	return r.first.compare(h) <= 0 && h.compare(r.last) <= 0
}
