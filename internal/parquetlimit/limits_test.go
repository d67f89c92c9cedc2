package parquetlimit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"millrace/internal/mutate"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

type row struct {
	Name  string   `parquet:"name,dict"`
	Maybe *string  `parquet:"maybe,optional,dict"`
	At    int64    `parquet:"at,plain"`
	Count *int32   `parquet:"count,optional,plain"`
	Yes   bool     `parquet:"yes"`
	Text  string   `parquet:"text,plain"`
	ID    [16]byte `parquet:"id,uuid"`
}

func rows(n int) []row {
	list := make([]row, n)
	for i := range list {
		r := &list[i]
		r.Name, r.At, r.Yes, r.Text = fmt.Sprint("name", i%7), int64(i), i%3 == 0, strings.Repeat("x", i%50)
		r.ID[0] = byte(i)
		if i%4 > 0 {
			text, count := fmt.Sprint(i%3), int32(i)
			r.Maybe, r.Count = &text, &count
		}
	}
	return list
}

func write(tb testing.TB, codec compress.Codec, n int) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b, parquet.Compression(codec), parquet.DataPageVersion(1), parquet.PageBufferSize(600), parquet.MaxRowsPerRowGroup(150))
	if _, err := w.Write(rows(n)); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// readAll reads all values of a file; a panic of the library is an error.
func readAll(data []byte) (columns map[int][]string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	file, err := Open(bytes.NewReader(data), int64(len(data)), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(300))
	if err != nil {
		return nil, err
	}
	columns = map[int][]string{}
	for _, group := range file.RowGroups() {
		for i, chunk := range group.ColumnChunks() {
			if err := readChunk(chunk, func(v parquet.Value) { columns[i] = append(columns[i], v.String()) }); err != nil {
				return nil, err
			}
		}
	}
	return columns, nil
}

func readChunk(chunk parquet.ColumnChunk, each func(parquet.Value)) error {
	pages := chunk.Pages()
	defer pages.Close()
	buf := make([]parquet.Value, 100)
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for values := page.Values(); err == nil; {
			var n int
			n, err = values.ReadValues(buf)
			for _, v := range buf[:n] {
				each(v)
			}
		}
		parquet.Release(page)
		if !errors.Is(err, io.EOF) {
			return err
		}
	}
}

func TestFilesWithinTheLimitsAreReadAsBefore(t *testing.T) {
	for name, codec := range map[string]compress.Codec{"packed": &parquet.Zstd, "plain": &parquet.Uncompressed} {
		for _, n := range []int{0, 1, 400} {
			got, err := readAll(write(t, codec, n))
			if err != nil {
				t.Fatalf("%s, %d rows: %v", name, n, err)
			}
			var want []string
			for _, r := range rows(n) {
				want = append(want, r.Text)
			}
			if diff := cmp.Diff(want, got[5]); diff != "" {
				t.Errorf("%s, %d rows (-written +read):\n%s", name, n, diff)
			}
			if len(got[0]) != n || len(got[1]) != n || len(got[4]) != n {
				t.Errorf("%s: %d, %d and %d values of %d", name, len(got[0]), len(got[1]), len(got[4]), n)
			}
		}
	}
}

// withFooter is a file of which only the footer matters.
func withFooter(footer []byte, says int) []byte {
	data := append([]byte("PAR1"), footer...)
	data = binary.LittleEndian.AppendUint32(data, uint32(says))
	return append(data, "PAR1"...)
}

// varint is a number as Thrift's compact protocol has it.
func varint(v int64) string { return string(binary.AppendVarint(nil, v)) }

func uvarint(v uint64) string { return string(binary.AppendUvarint(nil, v)) }

// TestFilesThatLieCostLittle: what the library would take gigabytes for is refused at
// the cost of the file itself and a mebibyte.
func TestFilesThatLieCostLittle(t *testing.T) {
	deep := strings.Repeat("\x1c", 1_000_000) // a structure in a structure
	for name, data := range map[string][]byte{
		"a footer of 2 GiB":                   withFooter(nil, math.MaxInt32),
		"a footer longer than the file":       withFooter(make([]byte, 10), 11),
		"2^31 row groups":                     withFooter([]byte("\x15\x02\x39\xfc"+uvarint(math.MaxInt32)), 3+5+1),
		"a list of lists of 2^31":             withFooter([]byte("\x19\xf9"+uvarint(1<<20)+strings.Repeat("\xf9"+uvarint(1<<20), 10)), 2+3+40),
		"a million structures in one another": withFooter([]byte(deep), len(deep)),
		"a text of 2 GiB":                     withFooter([]byte("\x18"+uvarint(math.MaxInt32)), 6),
		"nothing":                             {},
		"only magic":                          []byte("PAR1PAR1"),
	} {
		if _, cost, err := costOf(data, readAll); err == nil || cost > uint64(4*len(data))+1<<20 {
			t.Errorf("%s: %d bytes of memory for %d, %v", name, cost, len(data), err)
		}
	}
}

func costOf(data []byte, read func([]byte) (map[int][]string, error)) (columns map[int][]string, cost uint64, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	columns, err = read(data)
	runtime.ReadMemStats(&after)
	return columns, after.TotalAlloc - before.TotalAlloc, err
}

// header is that of a data page, or with kind 2 of a dictionary.
func header(kind, unpacked, compressed, values, encoding int64) string {
	h := "\x15" + varint(kind) + "\x15" + varint(unpacked) + "\x15" + varint(compressed)
	if kind == 2 {
		h += "\x4c\x15" + varint(values) + "\x15" + varint(encoding) + "\x00"
	} else {
		h += "\x2c\x15" + varint(values) + "\x15" + varint(encoding) + "\x15" + varint(3) + "\x15" + varint(3) + "\x00"
	}
	return h + "\x00"
}

// TestPagesThatLieAreRefused: each passes by as the bytes of a column do, and never
// gets to the library.
func TestPagesThatLieAreRefused(t *testing.T) {
	encoder, err := zstd.NewWriter(nil, zstd.WithZeroFrames(true), zstd.WithEncoderCRC(false))
	if err != nil {
		t.Fatal(err)
	}
	pack := func(s string) string { return string(encoder.EncodeAll([]byte(s), nil)) }
	bomb := pack(strings.Repeat("\x00", 100<<20))
	page := func(c *chunk, kind, values, encoding int64, body string) string {
		unpacked := len(body)
		if c.codec != 0 {
			unpacked, body = len(body), pack(body)
		}
		return header(kind, int64(unpacked), int64(len(body)), values, encoding) + body
	}
	plain, packed, null := &chunk{}, &chunk{codec: 6}, &chunk{null: true}
	endless := uvarint(math.MaxUint32<<1) + "\x00"
	for name, test := range map[string]struct {
		like *chunk
		data string
		ok   bool
	}{
		"a page":                        {plain, page(plain, 0, 2, 0, "12345678"), true},
		"a packed page":                 {packed, page(packed, 0, 2, 0, "12345678"), true},
		"runs":                          {plain, page(plain, 0, 12, 8, "\x01\x18\x00"), true},
		"packed runs":                   {packed, page(packed, 0, 12, 8, "\x01\x18\x00"), true},
		"nulls":                         {null, page(null, 0, 3, 0, "\x02\x00\x00\x00\x06\x00"), true},
		"a page of 2 GiB":               {plain, header(0, math.MaxInt32, math.MaxInt32, 2, 0), false},
		"a page longer than its column": {plain, header(0, 500, 500, 2, 0), false},
		"a page that unpacks to 2 GiB":  {packed, header(0, math.MaxInt32, 10, 2, 0) + "0123456789", false},
		"a page that unpacks to more":   {packed, header(0, 8, int64(len(bomb)), 2, 0) + bomb, false},
		"two frames":                    {packed, header(0, 8, int64(2*len(pack("12345678"))), 2, 0) + pack("12345678") + pack("12345678"), false},
		"2^31 values":                   {plain, header(0, 8, 8, math.MaxInt32, 0) + "12345678", false},
		"less than no values":           {plain, header(0, 8, 8, -1, 0) + "12345678", false},
		"a run of 2^32 values":          {plain, page(plain, 0, 2, 8, "\x00"+endless), false},
		"a packed run of 2^32 values":   {packed, page(packed, 0, 2, 8, "\x00"+endless), false},
		"many runs":                     {plain, page(plain, 0, 2, 8, "\x00"+strings.Repeat("\x12\x10", 1000)), false},
		"values of 33 bits":             {plain, page(plain, 0, 2, 8, "\x21\x18\x00\x00\x00\x00\x00"), false},
		"2^32 nulls":                    {null, page(null, 0, 2, 0, string(binary.LittleEndian.AppendUint32(nil, uint32(len(endless))))+endless), false},
		"levels longer than their page": {null, page(null, 0, 2, 0, "\xff\xff\xff\xff\x00"), false},
		"deltas":                        {plain, page(plain, 0, 2, 5, "12345678"), false},
		"a page of version 2":           {plain, header(3, 8, 8, 2, 0) + "12345678", false},
		"a dictionary of runs":          {plain, page(plain, 2, 2, 8, "\x00"+endless), false},
		"a header without end":          {plain, strings.Repeat("\x15\x00", maxHeader), false},
		"a header of structures":        {plain, strings.Repeat("\x1c", 1000), false},
		"a text of 2 GiB in the header": {plain, "\x18" + uvarint(1<<40), false},
		"a header of two kinds":         {plain, strings.TrimSuffix(header(0, 8, 8, 1<<28, 0), "\x00") + "\x2c\x15" + varint(2) + "\x15" + varint(0) + "\x00\x00" + "12345678", false},
		"a header of another kind":      {plain, "\x15" + varint(0) + header(2, 8, 8, 2, 0)[2:] + "12345678", false},
		"a field that passes for kind":  {plain, strings.TrimSuffix(header(0, 8, 8, 2, 0), "\x00") + "\x05" + varint(1<<16+1) + varint(0) + "\x00" + "12345678", false},
		"a list of 2^31 in the header":  {plain, "\x15\x00\x15\x10\x19\xf5" + uvarint(math.MaxInt32) + strings.Repeat("\x00", 1000), false},
	} {
		for _, step := range []int{1, 7, 1 << 20} {
			c := &chunk{codec: test.like.codec, null: test.like.null, end: int64(len(test.data))}
			g := &guard{r: strings.NewReader(test.data), chunks: []*chunk{c}}
			var err error
			if step < 1<<20 && len(test.data) > 10_000 {
				continue // every piece is looked at with what came before
			}
			for at := 0; at < len(test.data) && err == nil; at += step {
				_, err = g.ReadAt(make([]byte, step), int64(at))
				if errors.Is(err, io.EOF) {
					err = nil
				}
			}
			if (err == nil) != test.ok || err != nil && !errors.Is(err, ErrRefused) {
				t.Errorf("%s, %d bytes at a time: %v", name, step, err)
			}
			if cap(c.body) > 2*len(test.data)+1<<10 || cap(c.pending) > 2*len(test.data) {
				t.Errorf("%s: %d and %d bytes are held of %d", name, cap(c.body), cap(c.pending), len(test.data))
			}
		}
	}
}

// FuzzOpen reads any bytes as a file: it gives values or an error, and no more memory
// than such a file can ask for.
func FuzzOpen(tf *testing.F) {
	f := mutate.Of(tf)
	for _, codec := range []compress.Codec{&parquet.Zstd, &parquet.Uncompressed} {
		f.Add(write(f, codec, 3))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		columns, cost, err := costOf(data, readAll)
		if cost > uint64(1000*len(data))+64<<20 {
			t.Fatalf("%d bytes took %d of memory: %v", len(data), cost, err)
		}
		if err != nil {
			return
		}
		again, err := readAll(slices.Clone(data))
		if err != nil || !cmp.Equal(columns, again) {
			t.Fatalf("it is read in two ways, %v", err)
		}
	})
}

// FuzzPages lets any bytes pass as the pages of a column, in pieces of any length:
// where they were cut does not matter.
func FuzzPages(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte(header(0, 8, 8, 2, 0)+"12345678"), uint8(0), uint8(3))
	f.Add([]byte(header(0, 3, 3, 12, 8)+"\x01\x18\x00"), uint8(1), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, kind, step uint8) {
		passes := func(step int) bool {
			c := &chunk{null: kind&1 != 0, end: int64(len(data))}
			if kind&2 != 0 {
				c.codec = 6
			}
			for at := 0; at < len(data); at += step {
				if err := c.look(data[at:min(at+step, len(data))], int64(at)); err != nil {
					if !errors.Is(err, ErrRefused) {
						t.Fatal(err)
					}
					return false
				}
			}
			return true
		}
		if whole, pieces := passes(len(data)+1), passes(int(step)+1); whole != pieces {
			t.Fatalf("%v as a whole, %v in pieces of %d", whole, pieces, int(step)+1)
		}
	})
}
