// Package columns reads some columns of Parquet files, as the lake holds them.
package columns

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"

	"millrace/internal/parquetlimit"
)

// batchRows is how many rows of each column are in memory at a time.
const batchRows = 4096

// readBytes is how much of a column is fetched at once: large enough that a
// distant store is asked seldom.
const readBytes = 256 << 10

// Batch holds the values of the columns that a scan asked for, in that order:
// batch[c][r]. The bytes of a value live until the next batch.
type Batch [][]parquet.Value

// Rows is how many rows it has.
func (b Batch) Rows() int { return len(b[0]) }

// A File is read at random, from several places in turn.
type File interface {
	io.ReaderAt
	Size() int64 // bytes
}

// Names lists the columns of a file.
func Names(in File) (names []string, err error) {
	defer recoverDamage(&err)
	file, err := open(in)
	if err != nil {
		return nil, err
	}
	for _, path := range file.Schema().Columns() {
		names = append(names, strings.Join(path, "."))
	}
	return names, nil
}

func open(in File) (*parquet.File, error) {
	return parquetlimit.Open(in, in.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(readBytes))
}

// recoverDamage makes an error of the library's panic: it trusts what a file says of
// itself.
func recoverDamage(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the Parquet file is damaged: %v", p)
	}
}

// ErrNoColumn is returned for a file without a column that was asked for.
var ErrNoColumn = errors.New("no column")

// Scan reads the named columns of a file, and no others, some thousand rows at a
// time. A damaged file is an error.
func Scan(ctx context.Context, in File, names []string, each func(Batch) error) (err error) {
	defer recoverDamage(&err)
	file, err := open(in)
	if err != nil {
		return err
	}
	at := make([]int, len(names))
	for i, name := range names {
		leaf, ok := file.Schema().Lookup(name)
		if !ok {
			return fmt.Errorf("%w %q: was the lake written by another version?", ErrNoColumn, name)
		}
		at[i] = leaf.ColumnIndex
	}
	for _, group := range file.RowGroups() {
		if err := scanGroup(ctx, group, at, each); err != nil {
			return err
		}
	}
	return nil
}

func scanGroup(ctx context.Context, group parquet.RowGroup, at []int, each func(Batch) error) error {
	chunks := group.ColumnChunks()
	readers := make([]columnReader, len(at))
	for i, c := range at {
		readers[i] = columnReader{pages: chunks[c].Pages(), buf: make([]parquet.Value, batchRows)}
		defer readers[i].close()
	}
	b := make(Batch, len(at))
	for left := group.NumRows(); left > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(left, batchRows)
		for i := range readers {
			values, err := readers[i].read(int(n))
			if err != nil {
				return err
			}
			b[i] = values
		}
		if err := each(b); err != nil {
			return err
		}
		left -= n
	}
	return nil
}

// A columnReader reads values across page borders. Pages that it is done with
// stay alive until the next read, because values point into them.
type columnReader struct {
	pages  parquet.Pages
	buf    []parquet.Value
	page   parquet.Page
	values parquet.ValueReader
	spent  []parquet.Page
}

func (r *columnReader) read(n int) ([]parquet.Value, error) {
	r.release()
	for have := 0; have < n; {
		if r.values == nil {
			page, err := r.pages.ReadPage()
			if errors.Is(err, io.EOF) {
				return nil, io.ErrUnexpectedEOF
			}
			if err != nil {
				return nil, err
			}
			r.page, r.values = page, page.Values()
		}
		got, err := r.values.ReadValues(r.buf[have:n])
		have += got
		if errors.Is(err, io.EOF) || (err == nil && got == 0) {
			r.spent = append(r.spent, r.page)
			r.page, r.values = nil, nil
		} else if err != nil {
			return nil, err
		}
	}
	return r.buf[:n], nil
}

func (r *columnReader) release() {
	for _, p := range r.spent {
		parquet.Release(p)
	}
	r.spent = r.spent[:0]
}

func (r *columnReader) close() {
	r.release()
	if r.page != nil {
		parquet.Release(r.page)
	}
	_ = r.pages.Close() // reading is over, whatever it says
}

// Text is the bytes of a string value, nil when it is null.
func Text(v parquet.Value) []byte {
	if v.IsNull() {
		return nil
	}
	return v.ByteArray()
}

// Number is an integer, time or day, whatever its width in the file.
func Number(v parquet.Value) int64 {
	if v.Kind() == parquet.Int32 {
		return int64(v.Int32())
	}
	return v.Int64()
}
