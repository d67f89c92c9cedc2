// Package parquetlimit opens Parquet files that lie where others can write, too. The
// library believes what a file says of itself: a list of 2^31 row groups, a page of
// 2 GiB or a run of 2^31 values costs a few bytes in a file and gigabytes of memory,
// and so ends the process. Here a file is looked at before the library sees it:
//
//   - the footer when it is opened: its length, and that its lists have no more items
//     than bytes,
//   - each page as it is read, before it is decoded: that it is no longer than its
//     column, unpacks to what it says, and holds as many values as it says.
//
// Open refuses files that have more than this program writes: pages of version 2,
// nested columns, other codecs and encodings. Decoding a page that passes takes at
// most maxPage bytes and ten for each of maxValues, and a footer 512 bytes for each
// of maxItems; both only as long as the file has bytes to show for it. OpenTable is for
// flat tables of other programs.
package parquetlimit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

// ErrRefused is in every error about a file that is beyond a limit.
var ErrRefused = errors.New("the file is beyond what is read")

func refused(format string, a ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, a...))
}

const (
	// maxFooter is for some ten thousand row groups.
	maxFooter = 64 << 20
	// maxItems bounds the items of all lists of a footer; a row group of ten columns
	// has a hundred.
	maxItems = 1 << 20
	// maxPage bounds the bytes of a page, as it is decoded: four thousand lines lie in
	// one, of 128 KiB each if need be.
	maxPage = 512 << 20
	// maxValues bounds the values of a page; a row group has 131,072 rows.
	maxValues = 1 << 20
)

// Open opens a file of size bytes, as parquet.OpenFile does.
func Open(r io.ReaderAt, size int64, options ...parquet.FileOption) (*parquet.File, error) {
	return open(r, size, false, options...)
}

func open(r io.ReaderAt, size int64, table bool, options ...parquet.FileOption) (*parquet.File, error) {
	if err := checkFooter(r, size); err != nil {
		return nil, err
	}
	g := &guard{r: r, table: table}
	file, err := parquet.OpenFile(g, size, options...)
	if err != nil {
		return nil, err
	}
	return file, g.watch(file)
}

// checkFooter looks at the structure of the footer.
func checkFooter(r io.ReaderAt, size int64) error {
	const magic, tail = 4, 8
	if size < magic+tail {
		return refused("it has %d bytes", size)
	}
	var end [tail]byte
	if err := readFull(r, end[:], size-tail); err != nil {
		return err
	}
	n := int64(binary.LittleEndian.Uint32(end[:]))
	if n > maxFooter || n > size-magic-tail {
		return refused("a footer of %d bytes in a file of %d", n, size)
	}
	footer := make([]byte, n)
	if err := readFull(r, footer, size-tail-n); err != nil {
		return err
	}
	w := walker{in: footer}
	if err := w.structure(0, nil); err != nil {
		return refused("the footer: %v", err)
	}
	return nil
}

func readFull(r io.ReaderAt, p []byte, at int64) error {
	n, err := r.ReadAt(p, at)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}
