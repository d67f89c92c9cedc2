package transforms

import (
	"fmt"

	"github.com/klauspost/compress/s2"
)

// pack shrinks a blob before it crosses a shuffle; runners hold those in memory.
func pack(blob []byte) []byte { return s2.EncodeBetter(nil, blob) }

func unpack(packed []byte) ([]byte, error) {
	blob, err := s2.Decode(nil, packed)
	if err != nil {
		return nil, fmt.Errorf("unpacking %d bytes from a shuffle: %w", len(packed), err)
	}
	return blob, nil
}
