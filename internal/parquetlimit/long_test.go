package parquetlimit

import (
	"bytes"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// TestLongValuesAreRead is about headers that hold the least and the largest value
// of their page: in a raw archive these are records of megabytes.
func TestLongValuesAreRead(t *testing.T) {
	type row struct {
		Payload []byte `parquet:"payload,plain,zstd"`
	}
	long := []row{{[]byte(strings.Repeat("a", 1<<20))}, {[]byte("b")}, {[]byte(strings.Repeat("z", 10<<20))}}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b, parquet.DataPageVersion(1), parquet.DataPageStatistics(true))
	if _, err := w.Write(long); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	columns, err := readAll(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(columns[0]); n != len(long) {
		t.Errorf("%d values, want %d", n, len(long))
	}
}
