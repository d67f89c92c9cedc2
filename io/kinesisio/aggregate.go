package kinesisio

import (
	"crypto/md5" //nolint:gosec // the digest that the format prescribes
	"encoding/binary"
	"math/bits"
)

// aggregateMagic begins an aggregated record. A protobuf message follows,
//
//	AggregatedRecord { 1: repeated string partition keys
//	                   2: repeated string explicit hash keys
//	                   3: repeated Record { 1: index of a partition key
//	                                        2: index of an explicit hash key, if it has one
//	                                        3: bytes data } }
//
// and the MD5 digest of the message.
const aggregateMagic = "\xf3\x89\x9a\xc2"

// aggregate packs user records into one record in the format of the Kinesis
// Producer Library, which consumers take apart again. Its zero value is empty.
type aggregate struct {
	keys, hashKeys stringTable
	records        []byte // encoded, with their tags
	count          int
}

// stringTable numbers strings in order of first appearance.
type stringTable struct {
	encoded []byte
	index   map[string]uint64
	last    string // looked up, with its number: runs of one key are common
	lastAt  uint64
}

// number gives the number of s, and how many bytes entering it under that number
// would take: 0 if it is there.
func (t *stringTable) number(s string) (n uint64, cost int) {
	if len(t.index) > 0 && s == t.last {
		return t.lastAt, 0
	}
	n, ok := t.index[s]
	if !ok {
		return uint64(len(t.index)), fieldSize(len(s))
	}
	return n, 0
}

func (t *stringTable) enter(s string, n uint64, tag byte) {
	if n == uint64(len(t.index)) {
		if t.index == nil {
			t.index = map[string]uint64{}
		}
		t.index[s] = n
		t.encoded = append(appendLength(t.encoded, tag, len(s)), s...)
	}
	t.last, t.lastAt = s, n
}

func (t *stringTable) reset() {
	clear(t.index)
	t.encoded, t.last = t.encoded[:0], ""
}

// Tags of the message's fields: number and wire type.
const (
	tagKey, tagHashKey, tagRecord         = 1<<3 | 2, 2<<3 | 2, 3<<3 | 2
	tagKeyIndex, tagHashKeyIndex, tagData = 1 << 3, 2 << 3, 3<<3 | 2
)

// add packs one more record, unless the whole would then be longer than limit
// bytes. The first record is always taken.
func (a *aggregate) add(key, explicitHashKey string, data []byte, limit int) bool {
	k, cost := a.keys.number(key)
	body := 1 + varintSize(k) + fieldSize(len(data))
	h := uint64(0)
	if explicitHashKey != "" {
		var more int
		h, more = a.hashKeys.number(explicitHashKey)
		cost += more
		body += 1 + varintSize(h)
	}
	if a.count > 0 && a.size()+cost+fieldSize(body) > limit {
		return false
	}
	a.keys.enter(key, k, tagKey)
	b := appendLength(a.records, tagRecord, body)
	b = binary.AppendUvarint(append(b, tagKeyIndex), k)
	if explicitHashKey != "" {
		a.hashKeys.enter(explicitHashKey, h, tagHashKey)
		b = binary.AppendUvarint(append(b, tagHashKeyIndex), h)
	}
	a.records = append(appendLength(b, tagData, len(data)), data...)
	a.count++
	return true
}

// size is the length of the finished record.
func (a *aggregate) size() int {
	return len(aggregateMagic) + len(a.keys.encoded) + len(a.hashKeys.encoded) + len(a.records) + md5.Size
}

// appendTo appends the finished record.
func (a *aggregate) appendTo(dst []byte) []byte {
	dst = append(dst, aggregateMagic...)
	from := len(dst)
	dst = append(dst, a.keys.encoded...)
	dst = append(dst, a.hashKeys.encoded...)
	dst = append(dst, a.records...)
	sum := md5.Sum(dst[from:]) //nolint:gosec // see above
	return append(dst, sum[:]...)
}

// reset empties the aggregate and keeps its memory.
func (a *aggregate) reset() {
	a.keys.reset()
	a.hashKeys.reset()
	a.records, a.count = a.records[:0], 0
}

// aggregateOverhead bounds what packing adds to one record's key and data: two
// tags and lengths of up to four bytes around it, two indices, and the entry of
// an explicit hash key.
const aggregateOverhead = 2*5 + 2*6 + 5 + 2 + 39

func appendLength(dst []byte, tag byte, n int) []byte {
	return binary.AppendUvarint(append(dst, tag), uint64(n))
}

// fieldSize is what a field of n bytes takes with its tag and length.
func fieldSize(n int) int { return 1 + varintSize(uint64(n)) + n }

func varintSize(n uint64) int { return (bits.Len64(n|1) + 6) / 7 }
