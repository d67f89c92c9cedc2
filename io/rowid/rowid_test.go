package rowid

import (
	"fmt"
	"strings"
	"testing"

	"millrace/schemas/badrow"
	"millrace/schemas/late"
	"millrace/schemas/raw"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

func TestWhatTellsRowsApart(t *testing.T) {
	for schema, want := range map[*table.Schema]string{
		weblog.Events: "event_id", weblog.Sessions: "session_id", weblog.TrafficRows: "window_start,window_seconds,status_class", weblog.TopPages: "window_start,rank",
		weblog.Visitors: "day", weblog.Bots: "day,bot_name", badrow.Rows: "bad_row_id", late.Rows: "event_id", raw.Rows: "noted_time,source,sequence,position",
	} {
		columns, err := Columns("", schema)
		var names []string
		for _, c := range columns {
			names = append(names, schema.Columns[c].Name)
		}
		if got := strings.Join(names, ","); err != nil || got != want {
			t.Errorf("rows of %s are told apart by %s, want %s; %v", schema.ID(), got, want, err)
		}
	}
}

func TestDifferentRowsHaveDifferentIDs(t *testing.T) {
	type pair struct {
		At table.Millis `col:"at,sort1,day" doc:"a time"`
		A  *string      `col:"a,null" mask:"none" doc:"a text"`
		B  *string      `col:"b,null" mask:"none" doc:"a text"`
	}
	schema := table.MustOf[pair]("rowid.pairs", 1)
	texts := []*string{nil}
	for _, s := range []string{"", "/", "~", "~n", "~e", "a", "a/", "/a", "~1", "~s", strings.Repeat("x", 400), strings.Repeat("x", 600), strings.Repeat("x", 601)} {
		texts = append(texts, &s)
	}
	b := table.NewBatch(schema)
	seen := map[string]string{}
	for _, x := range texts {
		for _, y := range texts {
			b.Append(pair{A: x, B: y})
			id := string(Append([]byte("before"), b, []int{1, 2}, b.Len()-1)[len("before"):])
			what := fmt.Sprint(b.Null(1, b.Len()-1), x == nil, y == nil, b.Len())
			if other, taken := seen[id]; taken || id == "" || len(id) > Max {
				t.Errorf("%.40q of row %s is that of %s", id, what, other)
			}
			seen[id] = what
		}
	}
}
