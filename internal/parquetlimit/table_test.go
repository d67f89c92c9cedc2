package parquetlimit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"millrace/internal/mutate"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/format"
)

// readTable reads all values of a table, column by column.
func readTable(data []byte) (columns map[int][]string, err error) {
	file, err := OpenTable(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	columns = map[int][]string{}
	err = Values(file, func(column int, v parquet.Value) error {
		columns[column] = append(columns[column], v.String())
		return nil
	})
	return columns, err
}

// The files are pyarrow's and DuckDB's: the same 300 rows in the forms they write.
func TestTablesOfOtherProgramsAreRead(t *testing.T) {
	files, err := filepath.Glob("testdata/tables/*.parquet")
	if err != nil || len(files) < 7 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	want := map[int][]string{}
	for i := range 300 {
		group, live := fmt.Sprint("g", i%7), fmt.Sprint(i%2 == 0)
		if i%5 == 0 {
			group = "<null>"
		}
		if i%11 == 0 {
			live = "<null>"
		}
		for column, text := range []string{fmt.Sprint("code-", i), group, fmt.Sprint(i * 3), fmt.Sprint(float64(i) / 8), live} {
			want[column] = append(want[column], text)
		}
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := readTable(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// tableOf writes rows as a program does that says nothing of their encoding.
func tableOf(tb testing.TB, codec compress.Codec, version, n int) []byte {
	tb.Helper()
	type row struct {
		Name  string  `parquet:"name"`
		Maybe *string `parquet:"maybe,optional,dict"`
		At    int64   `parquet:"at,delta"`
		Yes   bool    `parquet:"yes"`
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b, parquet.Compression(codec), parquet.DataPageVersion(version), parquet.PageBufferSize(600))
	for i := range n {
		r := row{Name: strings.Repeat("x", i%50), At: int64(i) * 7, Yes: i%3 == 0}
		if i%4 > 0 {
			text := fmt.Sprint(i % 3)
			r.Maybe = &text
		}
		if _, err := w.Write([]row{r}); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func TestTablesOfEachVersionAndCodecAreRead(t *testing.T) {
	want, err := readTable(tableOf(t, &parquet.Uncompressed, 1, 400))
	if err != nil || len(want[0]) != 400 || want[2][399] != fmt.Sprint(399*7) {
		t.Fatalf("%d rows, %v", len(want[0]), err)
	}
	for _, codec := range []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Gzip, &parquet.Zstd} {
		for version := 1; version <= 2; version++ {
			got, err := readTable(tableOf(t, codec, version, 400))
			if err != nil {
				t.Errorf("%s, version %d: %v", codec, version, err)
			} else if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, version %d (-want +got):\n%s", codec, version, diff)
			}
		}
	}
}

// header2 is the header of a page of version 2.
func header2(unpacked, compressed, values, encoding, nulls int64, packed bool) string {
	truth := "\x12"
	if packed {
		truth = "\x11"
	}
	return "\x15" + varint(3) + "\x15" + varint(unpacked) + "\x15" + varint(compressed) +
		"\x5c\x15" + varint(values) + "\x15" + varint(0) + "\x15" + varint(values) + "\x15" + varint(encoding) + "\x15" + varint(nulls) + "\x15" + varint(0) + truth + "\x00\x00"
}

func TestPagesOfTablesThatLieAreRefused(t *testing.T) {
	endless := "\x00" + uvarint(math.MaxUint32<<1) + "\x00"
	small := string(snappy.Encode(nil, []byte("12345678")))
	zipped, err := parquet.Gzip.Encode(nil, make([]byte, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	packed, err := parquet.Zstd.Encode(nil, make([]byte, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	size := func(body string) int64 { return int64(len(body)) }
	differences := uvarint(128) + uvarint(4) + uvarint(1<<30) + varint(0)
	for name, test := range map[string]struct {
		like *chunk
		data string
		ok   bool
	}{
		"a page":                         {&chunk{codec: format.Snappy}, header(0, 8, size(small), 2, 0) + small, true},
		"a page of version 2":            {&chunk{codec: format.Snappy}, header2(8, size(small), 2, 0, 0, true) + small, true},
		"one that is not packed":         {&chunk{codec: format.Snappy}, header2(8, 8, 2, 0, 0, false) + "12345678", true},
		"nulls of version 2":             {&chunk{null: true}, header2(2, 2, 3, 0, 2, false) + "\x06\x00", true},
		"a page of 65 MiB":               {&chunk{codec: format.Gzip}, header(0, 65<<20, 10, 2, 0) + "0123456789", false},
		"snappy that says 60 MiB":        {&chunk{codec: format.Snappy}, header(0, 60<<20, 6, 2, 0) + uvarint(60<<20) + "\x00\x00", false},
		"snappy of another size":         {&chunk{codec: format.Snappy}, header(0, 9, size(small), 2, 0) + small, false},
		"gzip of more":                   {&chunk{codec: format.Gzip}, header(0, 8, int64(len(zipped)), 2, 0) + string(zipped), false},
		"Zstandard of more":              {&chunk{codec: format.Zstd}, header(0, 8, int64(len(packed)), 2, 0) + string(packed), false},
		"brotli":                         {&chunk{codec: format.Brotli}, header(0, 8, 8, 2, 0) + "12345678", false},
		"a run of 2^32 values":           {&chunk{}, header(0, size(endless), size(endless), 2, 8) + endless, false},
		"such a run of version 2":        {&chunk{}, header2(size(endless), size(endless), 2, 8, 0, false) + endless, false},
		"2^32 nulls of version 2":        {&chunk{null: true}, header2(size(endless), size(endless), 2, 0, size(endless), false) + endless, false},
		"levels longer than their page":  {&chunk{null: true}, header2(2, 2, 3, 0, 3, false) + "\x06\x00", false},
		"nulls of a column without":      {&chunk{}, header2(2, 2, 3, 0, 2, false) + "\x06\x00", false},
		"2^30 differences":               {&chunk{}, header(0, size(differences), size(differences), 2, 5) + differences, false},
		"2^30 lengths":                   {&chunk{}, header(0, size(differences), size(differences), 2, 6) + differences, false},
		"differences of texts":           {&chunk{}, header(0, size(differences), size(differences), 2, 7) + differences, false},
		"2^31 values":                    {&chunk{}, header(0, 8, 8, math.MaxInt32, 0) + "12345678", false},
		"an index":                       {&chunk{}, header(1, 8, 8, 2, 0) + "12345678", false},
		"version 2 with a header of two": {&chunk{}, strings.TrimSuffix(header2(8, 8, 1<<28, 0, 0, false), "\x00") + "\x0c" + varint(5) + "\x15" + varint(2) + "\x00\x00" + "12345678", false},
	} {
		c := test.like
		c.table, c.end = true, int64(len(test.data))
		g := &guard{r: strings.NewReader(test.data), chunks: []*chunk{c}, table: true}
		_, err := g.ReadAt(make([]byte, len(test.data)), 0)
		if errors.Is(err, io.EOF) {
			err = nil
		}
		if c.codec == format.Brotli { // which is refused with its column
			if slices.Contains(tableCodecs, c.codec) {
				t.Errorf("%s is taken", name)
			}
			continue
		}
		if (err == nil) != test.ok || err != nil && !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzTable reads any bytes as a table: it gives values or an error, and no more memory
// than such a file can ask for.
func FuzzTable(tf *testing.F) {
	f := mutate.Of(tf)
	for _, codec := range []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Gzip, &parquet.Zstd} {
		for version := 1; version <= 2; version++ {
			f.Add(tableOf(f, codec, version, 3))
		}
	}
	f.Add(binary.LittleEndian.AppendUint32([]byte("PAR1"), 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		columns, cost, err := costOf(data, readTable)
		if cost > uint64(1000*len(data))+256<<20 {
			t.Fatalf("%d bytes took %d of memory: %v", len(data), cost, err)
		}
		for i, values := range columns {
			if len(values) > 1000*len(data) {
				t.Fatalf("column %d has %d values in %d bytes", i, len(values), len(data))
			}
		}
	})
}
