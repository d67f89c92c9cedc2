package table_test

import (
	"bufio"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/table"
)

// kept is what the rows of testdata/rows_v2.txt hold. Its columns never change.
type kept struct {
	Time  table.Millis `col:"time,sort1,day" doc:"d"`
	Name  string       `col:"name,sort2" mask:"none" doc:"d"`
	ID    table.ID     `col:"id" doc:"d"`
	Flag  bool         `col:"flag" doc:"d"`
	Small int32        `col:"small" doc:"d"`
	Big   int64        `col:"big" doc:"d"`
	Ratio float64      `col:"ratio" doc:"d"`
	Date  table.Day    `col:"date" doc:"d"`
	Blob  []byte       `col:"blob,plain" mask:"sealed" doc:"d"`
	Note  *string      `col:"note,null" mask:"none" doc:"d"`
	N     *int64       `col:"n,null" doc:"d"`
}

var keptSchema = table.MustOf[kept]("test.kept", 1)

func keptRows() []kept {
	note, n := "n", int64(-5)
	return []kept{
		{Time: 1772359200000, Name: "a", ID: table.ID{1, 2, 15: 16}, Flag: true, Small: -1, Big: 1 << 40, Ratio: 0.5, Date: 20513, Blob: []byte{0, 255}, Note: &note, N: &n},
		{Time: 1772359200500, Name: "b", Small: 7, Big: -1 << 40, Ratio: -2, Date: 20512},
		{Time: 1772359100000, Name: "a", ID: table.ID{15: 1}, Blob: []byte("b"), N: new(int64)},
	}
}

// TestRowsOfSavepointsStayReadable holds the form of sealed rows that wait for
// their bucket: testdata/rows_v2.txt, a name and hex digits a line, stays as it is
// as long as any state of that version may be read.
func TestRowsOfSavepointsStayReadable(t *testing.T) {
	b := table.NewBatch(keptSchema)
	for _, r := range keptRows() {
		b.Append(r)
	}
	kinds := []table.Rows{
		{Batch: b, Group: "1772359800000"}, {Batch: b, Group: "0123/0007", Kind: table.Provisional}, {Batch: b, Kind: table.Withdrawn},
	}
	names := []string{"sealed", "provisional", "withdrawn"}
	var now []string
	for i, r := range kinds {
		data, err := table.EncodeRows(r)
		if err != nil {
			t.Fatal(err)
		}
		now = append(now, names[i]+" "+hex.EncodeToString(data))
	}
	f, err := os.Open("testdata/rows_v2.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var old []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		old = append(old, lines.Text())
	}
	if diff := cmp.Diff(old, now); diff != "" {
		t.Errorf("rows are written differently; raise encodingVersion and keep reading the old one (-old +new):\n%s", diff)
	}
	for i, line := range old {
		_, digits, _ := strings.Cut(line, " ")
		data, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		got, err := table.DecodeRows(data)
		if err != nil {
			t.Fatal(err)
		}
		if got.Group != kinds[i].Group || got.Kind != kinds[i].Kind || got.Batch.Schema() != keptSchema {
			t.Errorf("%s: group %q, kind %d, schema %s", line, got.Group, got.Kind, got.Batch.Schema().ID())
		}
		var rows []kept
		for n := range got.Batch.Len() {
			var r kept
			got.Batch.Row(n, &r)
			rows = append(rows, r)
		}
		if diff := cmp.Diff(keptRows(), rows); diff != "" {
			t.Errorf("%s rows are read differently (-want +got):\n%s", names[i], diff)
		}
	}
	later, err := table.EncodeRows(kinds[2])
	if err != nil {
		t.Fatal(err)
	}
	later[2] = 9 // behind the kind and the length of no group
	if _, err := table.DecodeRows(later); !errors.Is(err, table.ErrCorrupt) || !strings.Contains(err.Error(), "version 9, this program reads 2") {
		t.Errorf("a later version: %v", err)
	}
	later[0] = 9
	if _, err := table.DecodeRows(later); !errors.Is(err, table.ErrCorrupt) {
		t.Errorf("a kind of rows there is none of: %v", err)
	}
}
