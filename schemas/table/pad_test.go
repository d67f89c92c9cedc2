package table_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/table"
)

// TestPaddingIsPuttingNulls: rows of which some columns are rarely filled, rewound now
// and then, equal those with a null put for each.
func TestPaddingIsPuttingNulls(t *testing.T) {
	type row struct {
		At    table.Millis `col:"at,sort1,day" doc:"d"`
		Text  *string      `col:"text,null" mask:"none" doc:"d"`
		ID    *table.ID    `col:"id,null" doc:"d"`
		Count *int64       `col:"count,null" doc:"d"`
	}
	schema := table.MustOf[row]("pad", 1)
	for every := 1; every < 5; every++ {
		padded, put := table.NewBatch(schema), table.NewBatch(schema)
		for i := range int64(20) {
			padded.PutInt(0, i)
			put.PutInt(0, i)
			if i%int64(every) == 0 {
				padded.PadNulls(1, 3)
				for _, b := range []*table.Batch{padded, put} {
					b.PutString(1, "x")
					b.PutUUID(2, table.ID{byte(i)})
					b.PutInt(3, i)
				}
			} else {
				put.PutNull(1)
				put.PutNull(2)
				put.PutNull(3)
			}
			padded.EndRow()
			put.EndRow()
			if i%7 == 6 {
				padded.Rewind(int(i) - 5)
				put.Rewind(int(i) - 5)
			}
		}
		padded.PadNulls(1, 3)
		if err := padded.Check(); err != nil {
			t.Fatal(err)
		}
		rows := func(b *table.Batch) (all []row) {
			for i := range b.Len() {
				var r row
				b.Row(i, &r)
				all = append(all, r)
			}
			return all
		}
		if diff := cmp.Diff(rows(put), rows(padded)); diff != "" || padded.Len() == 0 {
			t.Errorf("every %d (-put +padded):\n%s", every, diff)
		}
	}
}
