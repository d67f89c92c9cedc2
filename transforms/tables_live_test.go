package transforms

import (
	"math/rand/v2"
	"testing"

	"millrace/schemas/table"
)

// TestOnlyRowsThatChangeAreGivenAgain: a version is no change.
func TestOnlyRowsThatChangeAreGivenAgain(t *testing.T) {
	type row struct {
		Start   table.Millis `col:"window_start,sort1,day" doc:"start"`
		Item    string       `col:"item,sort2" mask:"none" doc:"item"`
		Note    *string      `col:"note,null" mask:"none" doc:"note"`
		Views   int64        `col:"views" doc:"views"`
		Version int64        `col:"version" doc:"version"`
	}
	schema := table.MustOf[row]("transforms.changed_test", 1)
	batch := func(rows ...row) *table.Batch {
		b := table.NewBatch(schema)
		rand.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		for _, r := range rows {
			b.Append(r)
		}
		return b
	}
	empty, note := "", "x"
	before := batch(row{0, "a", nil, 1, 3}, row{0, "b", &note, 2, 3}, row{0, "c", nil, 3, 3})
	now := batch(row{0, "a", nil, 1, 9}, row{0, "b", &empty, 2, 9}, row{0, "c", nil, 4, 9}, row{0, "d", nil, 1, 9})
	got := map[string]bool{}
	var shown shownRows
	if all := shown.news("k", before); all.Len() != before.Len() {
		t.Errorf("of a key that nothing is known of, %d rows are given", all.Len())
	}
	news := shown.news("k", now)
	for i := range news.Len() {
		var r row
		news.Row(i, &r)
		got[r.Item] = r.Version == 9
	}
	if len(got) != 3 || !got["b"] || !got["c"] || !got["d"] {
		t.Errorf("changed %v", got)
	}
}
