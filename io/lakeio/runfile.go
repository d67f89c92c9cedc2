package lakeio

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/s2"

	"millrace/schemas/table"
)

// A run's file is a sequence of frames: the length of the content (4 bytes,
// little endian), its xxHash64 (8 bytes), then the content, an S2-compressed
// batch of at most frameRows. How many rows there are in all is known from the
// Run, so that neither damage nor a missing end goes unnoticed.
const (
	frameRows  = 8 << 10
	frameHead  = 4 + 8
	frameBytes = 1 << 30 // before compression
)

var errDamaged = errors.New("it is damaged")

func writeFrames(out io.Writer, b *table.Batch, rows []uint32, frameRows int) (err error) {
	w := bufio.NewWriterSize(out, 256<<10)
	frame := table.NewBatch(b.Schema())
	var raw, packed []byte
	for from := 0; from < len(rows); from += frameRows {
		frame.Reset()
		frame.Gather(b, rows[from:min(from+frameRows, len(rows))])
		if raw, err = frame.AppendBinary(raw[:0]); err != nil {
			return err
		}
		if len(raw) > frameBytes {
			return fmt.Errorf("%d rows take %d bytes, more than %d", frame.Len(), len(raw), frameBytes)
		}
		packed = pack(packed, raw)
		var head [frameHead]byte
		binary.LittleEndian.PutUint32(head[:], uint32(len(packed))) //nolint:gosec // about frameBytes at most
		binary.LittleEndian.PutUint64(head[4:], xxhash.Sum64(packed))
		if _, err = w.Write(head[:]); err == nil {
			_, err = w.Write(packed)
		}
		if err != nil {
			return err
		}
	}
	return w.Flush()
}

// pack compresses an encoded batch into the memory of buf, if that is enough.
func pack(buf, raw []byte) []byte { return s2.Encode(buf[:cap(buf)], raw) }

// unpack reverses pack. The batch does not refer to buf, which it returns, grown.
func unpack(buf, packed []byte) (*table.Batch, []byte, error) {
	if n, err := s2.DecodedLen(packed); err != nil || n > frameBytes {
		return nil, buf, errDamaged
	}
	raw, err := s2.Decode(buf[:cap(buf)], packed)
	if err != nil {
		return nil, buf, fmt.Errorf("%w: %w", errDamaged, err)
	}
	b, err := table.Decode(raw)
	return b, raw, err
}

// runSource is a run and where its frames are.
type runSource struct {
	Run
	frames func() (r io.ReadCloser, size int64, err error)
}

// open opens a run that is a file of its own.
func (r Run) open() (io.ReadCloser, int64, error) {
	f, err := os.Open(r.Path)
	if err != nil {
		return nil, 0, err
	}
	st, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, st.Size(), nil
}

// runReader reads the frames of a run. They are open only between the first
// frame and the last.
type runReader struct {
	runSource
	schema *table.Schema
	rows   int // read so far
	left   int64
	f      io.Closer
	r      *bufio.Reader
	packed []byte
	raw    []byte
}

// next returns the next frame, nil at the end.
func (r *runReader) next() (*table.Batch, error) {
	b, err := r.frame()
	if err != nil {
		return nil, fmt.Errorf("reading spilled rows from %s: %w", filepath.Base(r.Path), err)
	}
	return b, nil
}

func (r *runReader) frame() (*table.Batch, error) {
	if r.f == nil {
		f, size, err := r.frames()
		if err != nil {
			return nil, err
		}
		r.f, r.r, r.left = f, bufio.NewReaderSize(f, 64<<10), size
	}
	var head [frameHead]byte
	if _, err := io.ReadFull(r.r, head[:]); err == io.EOF {
		if r.rows != r.Rows {
			return nil, fmt.Errorf("%w: it ends after %d of %d rows", errDamaged, r.rows, r.Rows)
		}
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	n := int64(binary.LittleEndian.Uint32(head[:]))
	if r.left -= frameHead; n > r.left {
		return nil, fmt.Errorf("%w: a frame of %d bytes where %d are left", errDamaged, n, r.left)
	}
	r.left -= n
	if int(n) > cap(r.packed) {
		r.packed = make([]byte, n)
	}
	packed := r.packed[:n]
	if _, err := io.ReadFull(r.r, packed); err != nil {
		return nil, err
	}
	if xxhash.Sum64(packed) != binary.LittleEndian.Uint64(head[4:]) {
		return nil, fmt.Errorf("%w: the checksum of a frame does not match", errDamaged)
	}
	b, raw, err := unpack(r.raw, packed)
	if err != nil {
		return nil, err
	}
	r.raw = raw
	if b.Schema() != r.schema {
		return nil, fmt.Errorf("it holds rows of %s, not of %s", b.Schema().ID(), r.schema.ID())
	}
	if r.rows += b.Len(); b.Len() == 0 || r.rows > r.Rows {
		return nil, fmt.Errorf("%w: it holds %d rows or more, not %d", errDamaged, r.rows, r.Rows)
	}
	return b, nil
}

func (r *runReader) close() {
	if r.f != nil {
		_ = r.f.Close()
		r.f, r.r, r.packed, r.raw = nil, nil, nil, nil
	}
}
