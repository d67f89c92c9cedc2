package refusal

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/io/driver"
	"millrace/schemas/refused"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

func session(version int64) table.Rows {
	page := "/<b>\"ä\""
	rows := table.Rows{Batch: table.NewBatch(weblog.Sessions)}
	rows.Batch.Append(weblog.Session{SessionID: "s", VisitorID: "tok_visitor_k1_x", StartTime: 1_772_359_200_123, EndTime: 1_772_359_200_456, Events: 2, EntryPage: &page, Version: version})
	return rows
}

func listed(t *testing.T, s Sink, r driver.RefusedRow) refused.Row {
	t.Helper()
	b := table.NewBatch(refused.Rows)
	if !s.Append(b, r) {
		t.Fatal("it is not listed")
	}
	var row refused.Row
	b.Row(0, &row)
	return row
}

func TestARefusedRowCanBeSentAgain(t *testing.T) {
	to := Sink{"sessions", "opensearch://h:9200/sessions"}
	for kind, name := range map[table.RowKind]string{table.Sealed: "sealed", table.Withdrawn: "withdrawn"} {
		rows := session(7)
		rows.Kind = kind
		row := listed(t, to, driver.RefusedRow{Rows: rows, Reason: driver.RefusedInvalid, Code: "mapper_parsing_exception", Err: errors.New("no number"), Attempts: 1})
		if row.Kind != name || row.Output != "sessions" || row.Sink != to.URL || *row.Code != "mapper_parsing_exception" || row.Message != "no number" || *row.Version != 7 || row.RowTime != 1_772_359_200_123 {
			t.Errorf("listed as %+v", row)
		}
		back, err := Read(&row)
		if err != nil {
			t.Fatal(err)
		}
		var want, got weblog.Session
		rows.Batch.Row(0, &want)
		back.Batch.Row(0, &got)
		if diff := cmp.Diff(want, got); diff != "" || back.Kind != kind {
			t.Errorf("kind %d (-sent +again):\n%s", back.Kind, diff)
		}
	}
}

func TestTheSameRefusalHasTheSameIdAndOthersHaveOthers(t *testing.T) {
	to := Sink{"sessions", "opensearch://h:9200/sessions"}
	withdrawn := session(7)
	withdrawn.Kind = table.Withdrawn
	ids := map[table.ID]string{}
	for name, r := range map[string]refused.Row{
		"it":         listed(t, to, driver.RefusedRow{Rows: session(7), Reason: driver.RefusedInvalid}),
		"a version":  listed(t, to, driver.RefusedRow{Rows: session(8), Reason: driver.RefusedInvalid}),
		"a sink":     listed(t, Sink{"sessions", "opensearch://h:9200/others"}, driver.RefusedRow{Rows: session(7)}),
		"withdrawal": listed(t, to, driver.RefusedRow{Rows: withdrawn}),
	} {
		if other, ok := ids[r.RefusedID]; ok {
			t.Errorf("%s and %s have one id", name, other)
		}
		ids[r.RefusedID] = name
	}
	again := listed(t, to, driver.RefusedRow{Rows: session(7), Reason: driver.RefusedOverload, Attempts: 9})
	if ids[again.RefusedID] != "it" {
		t.Error("refused once more it has another id")
	}
}

func TestProvisionalRowsAreNotListed(t *testing.T) {
	rows := session(7)
	rows.Kind = table.Provisional
	if b := table.NewBatch(refused.Rows); (Sink{}).Append(b, driver.RefusedRow{Rows: rows}) || b.Len() != 0 {
		t.Error("a provisional row is listed")
	}
}

func TestADayStandsForItsBeginning(t *testing.T) {
	rows := table.Rows{Batch: table.NewBatch(weblog.Visitors)}
	rows.Batch.Append(weblog.Visitor{Day: 20_513, Version: 1})
	if row := listed(t, Sink{"visitors", "x://y"}, driver.RefusedRow{Rows: rows, Err: errors.New(strings.Repeat("x", 5000))}); row.RowTime != 20_513*86_400_000 || len(row.Message) > maxMessage+4 {
		t.Errorf("the time is %d, the message has %d bytes", row.RowTime, len(row.Message))
	}
}

func TestWhatIsNoRefusalIsAnError(t *testing.T) {
	good := listed(t, Sink{"sessions", "x://y"}, driver.RefusedRow{Rows: session(1)})
	for what, spoil := range map[string]func(*refused.Row){
		"does not know": func(r *refused.Row) { r.Schema = "weblog.sessions/99" },
		"unknown kind":  func(r *refused.Row) { r.Kind = "provisional" },
		"column events": func(r *refused.Row) { r.Row = strings.Replace(r.Row, `"events":2,`, "", 1) },
	} {
		bad := good
		spoil(&bad)
		if _, err := Read(&bad); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%v does not say %q", err, what)
		}
	}
}
