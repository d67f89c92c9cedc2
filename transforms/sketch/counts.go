package sketch

import (
	"encoding/binary"
	"fmt"
	"iter"
	"slices"

	"millrace/transforms/internal/wire"
)

// Counts counts keys exactly, for the top of them: [Largest] of All. It takes memory
// for every key; where keys explode, [Heavy] takes as much as it is given. The zero
// value is empty.
type Counts struct {
	index  map[string]int32
	keys   []string
	counts []int64
}

// Add counts a key n times; n is above 0.
func (c *Counts) Add(key []byte, n int64) {
	if i, known := c.index[string(key)]; known {
		c.counts[i] += n
		return
	}
	c.put(string(key), n)
}

func (c *Counts) put(key string, n int64) {
	if c.index == nil {
		c.index = map[string]int32{}
	}
	c.index[key] = int32(len(c.keys))
	c.keys, c.counts = append(c.keys, key), append(c.counts, n)
}

// Merge counts what o counted.
func (c *Counts) Merge(o *Counts) {
	for i, key := range o.keys {
		if k, known := c.index[key]; known {
			c.counts[k] += o.counts[i]
		} else {
			c.put(key, o.counts[i])
		}
	}
}

// Len is the number of keys.
func (c *Counts) Len() int { return len(c.keys) }

// Largest returns the n greatest counts in descending order, equal ones by key.
func (c *Counts) Largest(n int) []Counted { return Largest(c.All(), n) }

// All gives the keys and their counts, in the order in which the keys came first.
func (c *Counts) All() iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for i, key := range c.keys {
			if !yield(key, c.counts[i]) {
				return
			}
		}
	}
}

// Reset empties it.
func (c *Counts) Reset() {
	clear(c.index)
	clear(c.keys)
	c.keys, c.counts = c.keys[:0], c.counts[:0]
}

// The encoded form is a version, the number of keys and these in order, each with
// how many bytes it begins with as the one before, the bytes after them, and its count.
const countsVersion = 1

// AppendEncoded writes what DecodeCounts reads.
func (c *Counts) AppendEncoded(dst []byte) []byte {
	dst = append(dst, countsVersion)
	dst = binary.AppendUvarint(dst, uint64(len(c.keys)))
	previous := ""
	for _, key := range slices.Sorted(slices.Values(c.keys)) {
		dst = appendKey(dst, previous, key)
		dst = binary.AppendUvarint(dst, uint64(c.counts[c.index[key]]))
		previous = key
	}
	return dst
}

// DecodeCounts reads what AppendEncoded wrote.
func DecodeCounts(b []byte) (*Counts, error) {
	in := wire.NewReader(b)
	c := &Counts{}
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
		c.put(string(key), n)
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
