package lakeio

import (
	"github.com/cespare/xxhash/v2"

	"millrace/schemas/table"
)

// digest identifies a set of rows, whatever their order and however they are cut:
// the digests of two sets add up to that of both. Two sets that ought to be equal
// and are not differ in it, but for one case in 2^64.
func digest(b *table.Batch, rows []uint32) (sum uint64) {
	hashes := make([]uint64, len(rows))
	for col, c := range b.Schema().Columns {
		var code func(row uint32) uint64
		switch c.Kind {
		case table.String, table.Bytes:
			code = textHashes(b, col)
		case table.UUID:
			code = func(row uint32) uint64 { return xxhash.Sum64(b.UUIDBytes(col, int(row))) }
		default:
			code = func(row uint32) uint64 { return uint64(b.Int(col, int(row))) } //nolint:gosec // its bits
		}
		for i, row := range rows {
			if b.Null(col, int(row)) {
				hashes[i] = mix(hashes[i] + 1) // a value is shifted
				continue
			}
			hashes[i] = mix(hashes[i]<<1 ^ hashes[i]>>63 ^ mix(code(row)))
		}
	}
	for _, h := range hashes {
		sum += mix(h)
	}
	return sum
}

// textHashes hashes each distinct text of a column once.
func textHashes(b *table.Batch, col int) func(row uint32) uint64 {
	codes, distinct := b.Codes(col)
	known := make([]uint64, distinct)
	for code := range known {
		known[code] = xxhash.Sum64(b.DictValue(col, uint32(code)))
	}
	return func(row uint32) uint64 { return known[codes[row]] }
}

// mix spreads a number over all bits (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
