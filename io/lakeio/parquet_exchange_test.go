package lakeio

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/schemas/table"
)

func TestFilesForOthersAreReadByOthers(t *testing.T) {
	type row struct {
		At   table.Millis  `col:"at,sort1,day" doc:"a time"`
		End  *table.Millis `col:"end,null" doc:"a time"`
		On   table.Day     `col:"on" doc:"a day"`
		Name *string       `col:"name,null" mask:"none" doc:"a text"`
		N    int64         `col:"n" doc:"a number"`
		Ok   bool          `col:"ok" doc:"a truth"`
	}
	schema := table.MustOf[row]("lakeio.exchange", 1)
	b := table.NewBatch(schema)
	name, end := "naïve", table.Millis(1_741_003_200_007)
	for _, r := range []row{{At: -1, On: -1, Name: &name, N: 7, Ok: true}, {At: 1_741_003_200_123, End: &end, On: 20150}, {At: -62_135_596_800_000, N: -1}} {
		b.Append(r)
	}
	var first, second bytes.Buffer
	for _, out := range []*bytes.Buffer{&first, &second} {
		if err := WriteParquet(out, b); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("equal rows give other bytes")
	}
	path := filepath.Join(t.TempDir(), "rows.parquet")
	if err := os.WriteFile(path, first.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"0001-01-01T00:00:00.000", "NULL", "1970-01-01", "NULL", "-1", "false"},
		{"1969-12-31T23:59:59.999", "NULL", "1969-12-31", "naïve", "7", "true"},
		{"2025-03-03T12:00:00.123", "2025-03-03T12:00:00.007", "2025-03-03", "NULL", "0", "false"},
	}
	if d := cmp.Diff(want, testenv.DuckDB(t, "SELECT * FROM read_parquet('"+path+"') ORDER BY \"at\"")); d != "" {
		t.Errorf("as DuckDB reads it (-want +got):\n%s", d)
	}
	metadata := testenv.DuckDB(t, "SELECT DISTINCT compression FROM parquet_metadata('"+path+"')")
	if d := cmp.Diff([][]string{{"SNAPPY"}}, metadata); d != "" {
		t.Error(d)
	}
}
