package kinesisio

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"millrace/internal/mutate"

	"github.com/google/go-cmp/cmp"
)

func TestAggregatedRecordsAreTakenApartAsInTheVectors(t *testing.T) {
	for _, v := range kplVectors(t) {
		t.Run(v.ID, func(t *testing.T) {
			users, ok := deaggregate(v.Data, wholeRange)
			if ok != (v.Kind == "aggregated") || len(users) != len(v.User) {
				t.Fatalf("%d user records, aggregated %v", len(users), ok)
			}
			for i, user := range users {
				if !bytes.Equal(user, v.User[i].Data) {
					t.Errorf("user record %d is %q", i, user)
				}
			}
		})
	}
}

// message wraps a protobuf message as an aggregated record.
func message(t *testing.T, parts ...string) []byte {
	t.Helper()
	return sealAggregate([]byte(strings.Join(parts, "")))
}

func TestWhatDoesNotParseIsPlain(t *testing.T) {
	key, user := "\x0a\x01k", "\x1a\x05\x08\x00\x1a\x01x"
	for name, test := range map[string]struct {
		data []byte
		want []string // nil is plain
	}{
		"a record":                     {message(t, key, user), []string{"x"}},
		"keys behind records":          {message(t, user, key), []string{"x"}},
		"no records":                   {message(t, key), []string{}},
		"nothing":                      {message(t), []string{}},
		"unknown fields":               {message(t, "\x20\x05", key, "\x2d1234", "\x311234abcd", "\x1a\x09\x08\x00\x1a\x01x\x2a\x02ab"), []string{"x"}},
		"a table in another encoding":  {message(t, "\x08\x05", key, user), []string{"x"}},
		"a key that is not there":      {message(t, user), nil},
		"a hash key that is not there": {message(t, key, "\x1a\x07\x08\x00\x10\x00\x1a\x01x"), nil},
		"no key":                       {message(t, key, "\x1a\x03\x1a\x01x"), nil},
		"no data":                      {message(t, key, "\x1a\x02\x08\x00"), nil},
		"torn":                         {message(t, key, "\x1a\x06\x08\x00\x1a\x01x"), nil},
		"a group":                      {message(t, key, user, "\x23\x24"), nil},
		"field zero":                   {message(t, key, user, "\x00\x01"), nil},
		"an endless number":            {message(t, key, user, strings.Repeat("\xff", 11)), nil},
		"without a digest":             {[]byte(aggregateMagic), nil},
		"another magic":                {append([]byte("\xf3\x89\x9a\xc3"), message(t, key, user)[4:]...), nil},
		"one byte more":                {append(message(t, key, user), 0), nil},
	} {
		users, ok := deaggregate(test.data, wholeRange)
		var got []string
		if ok {
			got = []string{}
		}
		for _, u := range users {
			got = append(got, string(u))
		}
		if !cmp.Equal(test.want, got) {
			t.Errorf("%s: %q, not %q", name, got, test.want)
		}
	}
}

func TestUserRecordsOutsideTheShardDropTheRecord(t *testing.T) {
	shard := hashRange{hashKey{0, 10}, hashKey{0, 20}}
	for hash, inside := range map[uint64]bool{9: false, 10: true, 20: true, 21: false} {
		users, ok := deaggregate(aggregateOf(hashKey{0, hash}, "a", "b"), shard)
		if !ok || (len(users) == 2) != inside {
			t.Errorf("hash %d: %d user records, aggregated %v", hash, len(users), ok)
		}
	}
	// By the hash of the partition key, where no other is given.
	data := message(t, "\x0a\x01k", "\x1a\x05\x08\x00\x1a\x01x")
	for _, test := range []struct {
		shard hashRange
		want  int
	}{{hashRange{hashOf("k"), hashOf("k")}, 1}, {hashRange{hashKey{}, hashKey{0, 5}}, 0}} {
		if users, ok := deaggregate(data, test.shard); !ok || len(users) != test.want {
			t.Errorf("in %v: %d user records, aggregated %v", test.shard, len(users), ok)
		}
	}
}

func FuzzDeaggregate(tf *testing.F) {
	f := mutate.Of(tf)
	for _, text := range []string{
		"84mawgoEcGstYQoEcGstYhIFMTIzNDUaDQgAEAAaB3sibiI6MX0aCwgBGgd7Im4iOjJ9GgQIABoAcre1vosmqb7vpNML/p0bkA==", "84ma", "eyJhIjoxfQ==",
	} {
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, uint64(0))
		if len(data) > 20 {
			f.Add(data[4:len(data)-16], uint64(1))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, low uint64) {
		shard := hashRange{hashKey{low, 0}, wholeRange.last}
		for _, record := range [][]byte{data, sealAggregate(data)} {
			users, ok := deaggregate(record, shard)
			size := 0
			for _, user := range users {
				size += len(user)
			}
			if !ok && users != nil || size > len(record) {
				t.Fatalf("%d bytes of %d, aggregated %v", size, len(record), ok)
			}
			again, _ := deaggregate(bytes.Clone(record), shard)
			if !cmp.Equal(users, again) {
				t.Fatal("it is taken apart in two ways")
			}
			// Its lines are all there, and the same when some were given before.
			cut := framer{framing: framing{eventTime: testTime, hashes: shard, block: 64, maxLine: 16}}
			cut.add(part{sequence: "1"}, record, 0)
			lines := 0
			for _, c := range cut.chunks {
				if len(c.parts) == 0 || c.parts[len(c.parts)-1].lines != len(c.ends) || c.oversize > 0 && len(c.ends) != 1 {
					t.Fatalf("a chunk of %d lines has the parts %+v", len(c.ends), c.parts)
				}
				lines += len(c.ends)
			}
			for skip := range min(lines, 10) {
				rest := framer{framing: cut.framing}
				rest.add(part{sequence: "1"}, record, skip)
				left := 0
				for _, c := range rest.chunks {
					left += len(c.ends)
				}
				if left != lines-skip {
					t.Fatalf("%d lines of %d are left without %d", left, lines, skip)
				}
			}
		}
	})
}
