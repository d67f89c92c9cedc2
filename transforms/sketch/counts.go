package sketch

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"millrace/transforms/internal/wire"
)

// Counts counts keys exactly, for the top of them: [Largest] of All. It takes memory
// for every key; where keys explode, [Heavy] takes as much as it is given. The zero
// value is empty.
type Counts struct {
	keys map[string]int64
}

// Add counts a key n times; n is above 0.
func (c *Counts) Add(key []byte, n int64) {
	if _, known := c.keys[string(key)]; known {
		c.keys[string(key)] += n // looks the key up without making a string of it
		return
	}
	if c.keys == nil {
		c.keys = map[string]int64{}
	}
	c.keys[string(key)] = n
}

// Merge counts what o counted.
func (c *Counts) Merge(o *Counts) {
	for key, n := range o.keys {
		if c.keys == nil {
			c.keys = map[string]int64{}
		}
		c.keys[key] += n
	}
}

// Len is the number of keys.
func (c *Counts) Len() int { return len(c.keys) }

// Largest returns the n greatest counts in descending order, equal ones by key.
func (c *Counts) Largest(n int) []Counted { return Largest(maps.All(c.keys), n) }

// Reset empties it.
func (c *Counts) Reset() { clear(c.keys) }

// The encoded form is a version, the number of keys and these in order, each with
// how many bytes it begins with as the one before, the bytes after them, and its count.
const countsVersion = 1

// AppendEncoded writes what DecodeCounts reads.
func (c *Counts) AppendEncoded(dst []byte) []byte {
	dst = append(dst, countsVersion)
	dst = binary.AppendUvarint(dst, uint64(len(c.keys)))
	previous := ""
	for _, key := range slices.Sorted(maps.Keys(c.keys)) {
		dst = appendKey(dst, previous, key)
		dst = binary.AppendUvarint(dst, uint64(c.keys[key]))
		previous = key
	}
	return dst
}

// DecodeCounts reads what AppendEncoded wrote.
func DecodeCounts(b []byte) (*Counts, error) {
	in := wire.NewReader(b)
	c := &Counts{keys: map[string]int64{}}
	if v := in.Byte(); v != countsVersion {
		in.Fail("counts of version %d", v)
	}
	var key []byte
	for i := range in.Count(3) {
		before := string(key)
		key = readKey(in, key)
		n := int64(in.Limited(maxCount))
		if in.Err() == nil && (n == 0 || i > 0 && string(key) <= before) {
			in.Fail("keys are not in order, or one has no count")
		}
		if in.Err() != nil {
			break
		}
		c.keys[string(key)] = n
	}
	if err := in.Close(); err != nil {
		return nil, fmt.Errorf("reading counts: %w", err)
	}
	return c, nil
}

// appendKey writes a key after the one before it.
func appendKey(dst []byte, previous, key string) []byte {
	shared := 0
	for shared < min(len(previous), len(key)) && previous[shared] == key[shared] {
		shared++
	}
	dst = binary.AppendUvarint(dst, uint64(shared))
	return wire.AppendText(dst, key[shared:])
}

// readKey reads what appendKey wrote, into the memory of the key before.
func readKey(in *wire.Reader, previous []byte) []byte {
	shared := in.Limited(uint64(len(previous)))
	return append(previous[:shared], in.Text()...)
}
