package transforms

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/klauspost/compress/s2"
)

// packer makes the blobs that cross a shuffle small. A runner in this process
// holds those in memory, several times over; so where a run has a folder for
// them, a blob is written there and only its place crosses.
//
// A packed blob begins with one byte: how it is stored.
type packer struct {
	dir  string // empty: blobs cross themselves
	file *os.File
	size int64

	scratch []byte
}

const (
	packedHere = 'h' // the compressed blob follows
	packedFile = 'f' // offset and length (uvarints) and the path of the file follow
)

func (p *packer) pack(blob []byte) ([]byte, error) {
	if p.dir == "" {
		return append([]byte{packedHere}, s2.EncodeBetter(nil, blob)...), nil
	}
	packed := s2.Encode(p.scratch[:cap(p.scratch)], blob) // half the time, for files that soon go
	p.scratch = packed
	if p.file == nil {
		f, err := os.CreateTemp(p.dir, "shuffle-*.blobs")
		if err != nil {
			return nil, fmt.Errorf("spilling aggregates: %w", err)
		}
		p.file, p.size = f, 0
	}
	if _, err := p.file.Write(packed); err != nil {
		return nil, fmt.Errorf("spilling aggregates: %w", err)
	}
	place := binary.AppendUvarint([]byte{packedFile}, uint64(p.size))
	place = binary.AppendUvarint(place, uint64(len(packed)))
	p.size += int64(len(packed))
	return append(place, p.file.Name()...), nil
}

// forget frees memory.
func (p *packer) forget() { p.scratch = nil }

// close lets go of the file, which stays for those that unpack.
func (p *packer) close() {
	if p.file != nil {
		_ = p.file.Close() // all of it was written; reading it tells of the rest
		p.file = nil
	}
}

var errPacked = errors.New("not a packed blob")

func unpack(b []byte) ([]byte, error) { return (&unpacker{}).unpack(b) }

// unpacker unpacks one blob after another into the same memory: what it gives holds until the next.
type unpacker struct{ packed, blob []byte }

func (u *unpacker) unpack(b []byte) ([]byte, error) {
	if len(b) == 0 {
		return nil, errPacked
	}
	packed := b[1:]
	switch b[0] {
	case packedHere:
	case packedFile:
		var err error
		if packed, err = readPlace(u.packed, packed); err != nil {
			return nil, err
		}
		u.packed = packed
	default:
		return nil, fmt.Errorf("%w: it is stored in the way %q, which this program does not know; of a savepoint: resume with the version of the program that wrote it", errPacked, b[0])
	}
	blob, err := s2.Decode(u.blob[:cap(u.blob)], packed)
	if err != nil {
		return nil, fmt.Errorf("unpacking %d bytes from a shuffle: %w", len(packed), err)
	}
	u.blob = blob
	return blob, nil
}

// readPlace reads what is at a place, into the memory of into if it has room.
func readPlace(into, place []byte) ([]byte, error) {
	offset, n := binary.Uvarint(place)
	if n <= 0 {
		return nil, errPacked
	}
	length, m := binary.Uvarint(place[n:])
	if m <= 0 {
		return nil, errPacked
	}
	f, err := os.Open(string(place[n+m:]))
	if err != nil {
		return nil, fmt.Errorf("reading spilled aggregates: %w", err)
	}
	defer f.Close()
	packed := slices.Grow(into[:0], int(length))[:length]
	if _, err := f.ReadAt(packed, int64(offset)); err != nil {
		return nil, fmt.Errorf("reading spilled aggregates from %s: %w", f.Name(), err)
	}
	return packed, nil
}
