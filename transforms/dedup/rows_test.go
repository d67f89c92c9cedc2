package dedup_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/table"
	"millrace/transforms/dedup"
)

type row struct {
	EventID  table.ID      `col:"event_id" doc:"origin"`
	Time     table.Millis  `col:"time,sort1,day" doc:"time"`
	Producer *string       `col:"producer_id,null" mask:"none" doc:"producer's id"`
	Arrival  *table.Millis `col:"arrival,null" doc:"arrival"`
	Late     bool          `col:"late" doc:"late"`
}

var (
	rowSchema  = table.MustOf[row]("dedup.test", 1)
	rowColumns = dedup.Columns{EventID: 0, Time: 1, ID: 2, Arrival: 3, Late: 4}
)

// rows are at minutes; an id of "" is none.
func rows(list ...row) *table.Batch {
	b := table.NewBatch(rowSchema)
	for _, r := range list {
		r.Time *= 60_000
		b.Append(r)
	}
	return b
}

func ids(s string) *string { return &s }

func TestRowsGoToTheShardOfTheirID(t *testing.T) {
	b := rows(row{Producer: ids("a")}, row{}, row{Producer: ids("b")}, row{Producer: ids("")}, row{Producer: ids("a")})
	parts, free := rowColumns.Split(b, 1000)
	if diff := cmp.Diff([]uint32{1, 3}, free); diff != "" {
		t.Errorf("rows without an id (-want +got):\n%s", diff)
	}
	a := dedup.IDOf([]byte("a")).Shard(1000)
	if diff := cmp.Diff([]uint32{0, 4}, parts[a]); diff != "" {
		t.Errorf("rows of a (-want +got):\n%s", diff)
	}
}

func TestRowsWaitForTheWatermarkUnlessTheyAreLate(t *testing.T) {
	early, later := table.Millis(1), table.Millis(2)
	b := rows(
		row{Time: 30, Producer: ids("a"), Arrival: &later}, // 0: the other came before
		row{Time: 30, Producer: ids("a"), Arrival: &early}, // 1
		row{Time: 31, Producer: ids("b")},                  // 2
		row{Time: 50, Producer: ids("b")},                  // 3: waits
		row{Time: 45, Producer: ids("c")},                  // 4: waits
		row{Time: 10, Producer: ids("b"), Late: true},      // 5: of a known id
		row{Time: 10, Producer: ids("d"), Late: true},      // 6
		row{Time: 33, Producer: ids("d")},                  // 7: a late one displaces nothing
	)
	for _, c := range []struct {
		live bool
		want dedup.Sorted
	}{
		{true, dedup.Sorted{Kept: []uint32{1, 2, 7}, Duplicates: []uint32{0, 5, 6}, Waiting: []uint32{3, 4}, Earliest: 45 * 60_000, Latest: 50 * 60_000}},
		{false, dedup.Sorted{Kept: []uint32{1, 5, 6}, Duplicates: []uint32{0, 2, 7}, Waiting: []uint32{3, 4}, Earliest: 45 * 60_000, Latest: 50 * 60_000}},
	} {
		j, err := dedup.NewJudge(rowColumns, time.Hour, c.live)
		if err != nil {
			t.Fatal(err)
		}
		j.Note(b)
		if diff := cmp.Diff(c.want, j.Sort(b, 40*60_000)); diff != "" {
			t.Errorf("live %v (-want +got):\n%s", c.live, diff)
		}
	}
	if _, err := dedup.NewJudge(rowColumns, 0, true); err == nil {
		t.Error("a horizon of nothing is taken")
	}
}
