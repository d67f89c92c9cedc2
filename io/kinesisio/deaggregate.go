package kinesisio

import (
	"crypto/md5" //nolint:gosec // the digest that the format prescribes
	"encoding/binary"
	"math"
)

// deaggregate takes a record apart that the Kinesis Producer Library, or one
// like it, put together (see aggregateMagic), and gives the data of its user
// records as views. It is not ok for any other record: without the magic, with
// another digest, or with a message that does not parse. Such a record is plain.
//
// When a user record lies outside the shard's range of hash keys, none is given:
// the shard was split or merged while the record was on its way, and the producer
// puts all its user records once more. The Kinesis Client Library does the same.
func deaggregate(data []byte, shard hashRange) (users [][]byte, ok bool) {
	if len(data) < len(aggregateMagic)+md5.Size || string(data[:len(aggregateMagic)]) != aggregateMagic {
		return nil, false
	}
	message, digest := data[len(aggregateMagic):len(data)-md5.Size], data[len(data)-md5.Size:]
	if md5.Sum(message) != [md5.Size]byte(digest) { //nolint:gosec // see the import
		return nil, false
	}
	var m aggregated
	if !m.parse(message) {
		return nil, false
	}
	inside := true
	users = make([][]byte, len(m.records))
	for i, encoded := range m.records {
		user, fine := parseUser(encoded)
		if !fine || user.key >= uint64(len(m.keys)) || user.hashed && user.hashKey >= uint64(len(m.hashKeys)) {
			return nil, false
		}
		users[i] = user.data
		if !inside || shard == wholeRange {
			continue
		}
		var hash hashKey
		if user.hashed {
			if hash, fine = parseHashKey(string(m.hashKeys[user.hashKey])); !fine {
				return nil, false
			}
		} else {
			hash = m.hash(user.key)
		}
		inside = shard.contains(hash)
	}
	if !inside {
		return nil, true
	}
	return users, true
}

// wholeRange is that of a shard that is alone.
var wholeRange = hashRange{last: hashKey{math.MaxUint64, math.MaxUint64}}

// aggregated is an AggregatedRecord, its records still encoded.
type aggregated struct {
	keys, hashKeys, records [][]byte
	hashes                  []hashKey // of keys, as far as computed
	hashed                  []bool
}

func (m *aggregated) parse(in []byte) bool {
	for len(in) > 0 {
		number, f, rest, ok := field(in)
		if !ok {
			return false
		}
		if in = rest; f.bytes == nil {
			continue // of a kind that no known field has: unknown
		}
		switch number {
		case 1:
			m.keys = append(m.keys, f.bytes)
		case 2:
			m.hashKeys = append(m.hashKeys, f.bytes)
		case 3:
			m.records = append(m.records, f.bytes)
		}
	}
	return true
}

// hash is that of a partition key, which many records may share.
func (m *aggregated) hash(key uint64) hashKey {
	if m.hashes == nil {
		m.hashes, m.hashed = make([]hashKey, len(m.keys)), make([]bool, len(m.keys))
	}
	if !m.hashed[key] {
		m.hashes[key], m.hashed[key] = hashOf(string(m.keys[key])), true
	}
	return m.hashes[key]
}

// user is a Record of the message.
type user struct {
	key     uint64 // index of the partition key
	hashKey uint64 // index of the explicit hash key, if hashed
	hashed  bool
	data    []byte
}

// parseUser reads a Record; index and data are required.
func parseUser(in []byte) (u user, ok bool) {
	hasKey := false
	for len(in) > 0 {
		number, f, rest, fine := field(in)
		if !fine {
			return u, false
		}
		in = rest
		switch {
		case number == 1 && f.kind == varintKind:
			u.key, hasKey = f.number, true
		case number == 2 && f.kind == varintKind:
			u.hashKey, u.hashed = f.number, true
		case number == 3 && f.kind == bytesKind:
			u.data = f.bytes
		}
	}
	return u, hasKey && u.data != nil
}

// Kinds of encoding of a protobuf field.
const (
	varintKind = 0
	fixed64    = 1
	bytesKind  = 2
	fixed32    = 5
)

type fieldValue struct {
	kind   uint64
	number uint64 // of varintKind
	bytes  []byte // of bytesKind; not nil then
}

// field reads a protobuf field.
func field(in []byte) (number uint64, f fieldValue, rest []byte, ok bool) {
	tag, k := binary.Uvarint(in)
	if k <= 0 || tag>>3 == 0 || tag > math.MaxUint32 {
		return 0, f, nil, false
	}
	in = in[k:]
	f.kind = tag & 7
	skip := 0
	switch f.kind {
	case varintKind, bytesKind:
		n, k := binary.Uvarint(in)
		if k <= 0 {
			return 0, f, nil, false
		}
		in = in[k:]
		if f.kind == varintKind {
			f.number = n
			break
		}
		if n > uint64(len(in)) {
			return 0, f, nil, false
		}
		f.bytes, skip = in[:n:n], int(n)
	case fixed64:
		skip = 8
	case fixed32:
		skip = 4
	default: // groups, which the format never had
		return 0, f, nil, false
	}
	if skip > len(in) {
		return 0, f, nil, false
	}
	return tag >> 3, f, in[skip:], true
}
