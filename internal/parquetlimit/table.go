package parquetlimit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// maxTablePage bounds the bytes of a page of a table; most writers end theirs at one
// mebibyte.
const maxTablePage = 64 << 20

// tableRun is how many values the last run of a page fills up at most; DuckDB's does 32.
const tableRun = 256

// plainDictionary is how writers before version 2 of the format call Plain, of a
// dictionary, and RLEDictionary, of a page.
const plainDictionary format.Encoding = 2

// OpenTable opens a flat table of size bytes that another program wrote. It takes what
// writers make unless told otherwise: pages of both versions; plain, by dictionary, as
// runs or as differences; packed with Snappy, gzip, Zstandard or not at all. A page is
// unpacked once before the library does it, so that what it says of itself is true: use
// it for tables that fit in memory.
func OpenTable(r io.ReaderAt, size int64) (file *parquet.File, err error) {
	defer orError(&err)
	return open(r, size, true, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
}

// Values gives the values of a table, a row group after the other and in it a column
// after the other: in the order of the file, as other orders are refused. A value is
// valid until the next one.
func Values(file *parquet.File, each func(column int, v parquet.Value) error) (err error) {
	defer orError(&err)
	for _, group := range file.RowGroups() {
		for i, chunk := range group.ColumnChunks() {
			if err := valuesOf(chunk, func(v parquet.Value) error { return each(i, v) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// orError makes an error of a panic, which is the library's answer to some damage.
func orError(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the file is damaged: %v", p)
	}
}

func valuesOf(chunk parquet.ColumnChunk, each func(parquet.Value) error) error {
	pages := chunk.Pages()
	defer pages.Close()
	buffer := make([]parquet.Value, 256)
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		err = valuesIn(page, buffer, each)
		parquet.Release(page)
		if err != nil {
			return err
		}
	}
}

func valuesIn(page parquet.Page, buffer []parquet.Value, each func(parquet.Value) error) error {
	for values := page.Values(); ; {
		n, err := values.ReadValues(buffer)
		for _, v := range buffer[:n] {
			if err := each(v); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

var (
	tableCodecs    = []format.CompressionCodec{format.Uncompressed, format.Snappy, format.Gzip, format.Zstd}
	tableEncodings = []format.Encoding{
		format.Plain, plainDictionary, format.RLEDictionary, format.RLE, format.DeltaBinaryPacked, format.DeltaLengthByteArray, format.ByteStreamSplit,
	}
)

// checkTable finds what is not read, or not believed, in a page of a table's column.
func (p page) checkTable(c *chunk) error {
	plain := p.encoding == format.Plain || p.encoding == plainDictionary
	switch {
	case p.kind != format.DataPage && p.kind != format.DataPageV2 && p.kind != format.DictionaryPage:
		return refused("a page of kind %s", p.kind)
	case !p.told():
		return refused("a page of kind %s with the header of another", p.kind)
	case !slices.Contains(tableEncodings, p.encoding):
		return refused("a page with the encoding %s", p.encoding)
	case p.kind == format.DictionaryPage && !plain:
		return refused("a dictionary with the encoding %s", p.encoding)
	case p.kind == format.DataPage && c.null && p.levels != format.RLE:
		return refused("levels with the encoding %s", p.levels)
	case p.values > maxValues:
		return refused("a page of %d values", p.values)
	case p.unpacked > maxTablePage:
		return refused("a page of %d bytes unpacked", p.unpacked)
	case c.codec == format.Uncompressed && p.compressed != p.unpacked:
		return refused("a page of %d bytes that says %d", p.compressed, p.unpacked)
	case p.repeats != 0 || p.nulls > min(p.compressed, p.unpacked) || !c.null && p.nulls != 0:
		return refused("levels of %d and %d bytes in a page of %d", p.repeats, p.nulls, p.compressed)
	}
	return nil
}

// checkTableBody looks at the bytes of a page: what they unpack to, and how many values
// its runs and differences have.
func (p page) checkTableBody(c *chunk, body []byte) error {
	levels, codec := []byte(nil), c.codec
	if p.kind == format.DataPageV2 {
		levels, body = body[:p.nulls], body[p.nulls:] // never packed
		if p.asIs {
			codec = format.Uncompressed
		}
	}
	body, err := unpackTable(codec, body, p.unpacked-len(levels))
	if err != nil {
		return refused("a page of %d bytes unpacked: %v", p.unpacked, err)
	}
	if p.kind == format.DictionaryPage {
		return nil
	}
	if c.null {
		if p.kind == format.DataPage {
			if levels, body, err = split(body); err != nil {
				return err
			}
		}
		if err := checkRunsUpTo(levels, 1, p.values, tableRun); err != nil {
			return err
		}
	}
	return checkValues(p.encoding, body, p.values)
}

// split takes the levels off a page of version 1.
func split(body []byte) (levels, rest []byte, err error) {
	if len(body) < 4 {
		return nil, nil, refused("a page has no levels")
	}
	n := binary.LittleEndian.Uint32(body)
	if uint64(n) > uint64(len(body)-4) {
		return nil, nil, refused("levels of %d bytes in a page of %d", n, len(body))
	}
	return body[4 : 4+n], body[4+n:], nil
}

// checkValues makes sure that an encoding does not tell of more values than there are.
func checkValues(encoding format.Encoding, body []byte, values int) error {
	switch {
	case encoding == format.RLE: // of truths; its length comes first
		if len(body) < 4 {
			return nil // the library finds it
		}
		return checkRunsUpTo(body[4:], 1, values, tableRun)
	case encoding == plainDictionary || encoding == format.RLEDictionary:
		if len(body) == 0 {
			return nil
		}
		return checkRunsUpTo(body[1:], int(body[0]), values, tableRun)
	case encoding == format.DeltaBinaryPacked || encoding == format.DeltaLengthByteArray:
		for range 2 { // the sizes of blocks, which the library bounds
			_, n := binary.Uvarint(body)
			if n <= 0 {
				return nil // the library finds it
			}
			body = body[n:]
		}
		if total, n := binary.Uvarint(body); n > 0 && total > uint64(values) {
			return refused("%d differences in a page of %d values", total, values)
		}
	}
	return nil
}

var errSize = errors.New("it has another size")

// unpackTable unpacks what has size bytes then, or is refused.
func unpackTable(codec format.CompressionCodec, in []byte, size int) (out []byte, err error) {
	switch codec {
	case format.Snappy:
		// The densest that it can write are 64 bytes for 3.
		if n, err := snappy.DecodedLen(in); err != nil || n != size || n > 32*len(in) {
			return nil, errors.Join(err, errSize)
		}
		out, err = snappy.Decode(nil, in)
	case format.Gzip:
		out, err = gunzip(in, size)
	case format.Zstd:
		d, err := tableDecoder()
		if err != nil {
			return nil, err
		}
		if out, err = d.DecodeAll(in, nil); err != nil {
			return nil, err
		}
	default:
		out = in
	}
	if err == nil && len(out) != size {
		err = errSize
	}
	return out, err
}

func gunzip(in []byte, size int) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(in))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, int64(size)+1))
}
