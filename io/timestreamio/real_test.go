package timestreamio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/timestreamwrite"
	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/internal/testenv/timestream"
	"millrace/io/driver"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

func pointer[T any](v T) *T { return &v }

const poll = 5 * time.Millisecond // how often tests look

func open(t *testing.T, url string, schema *table.Schema, options driver.SinkOptions) *Sink {
	t.Helper()
	s, err := Open(t.Context(), url, schema, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.sender.Abort)
	return s
}

// write writes rows of the sink's schema and flushes.
func (s *Sink) write(t *testing.T, kind table.RowKind, rows ...any) error {
	t.Helper()
	b := table.NewBatch(s.config.shape.Schema)
	for _, row := range rows {
		b.Append(row)
	}
	if err := s.Write(t.Context(), table.Rows{Batch: b, Kind: kind}); err != nil {
		return err
	}
	return s.Flush(t.Context())
}

func (s *Sink) mustWrite(t *testing.T, kind table.RowKind, rows ...any) {
	t.Helper()
	if err := s.write(t, kind, rows...); err != nil {
		t.Fatal(err)
	}
}

// collect gathers refused rows.
func collect(into *[]driver.RefusedRow) driver.SinkOptions {
	return driver.SinkOptions{Refused: func(r driver.RefusedRow) { *into = append(*into, r) }}
}

// names of refused letters, with the reason.
func refusedNames(rows []driver.RefusedRow) (names []string) {
	for _, r := range rows {
		var l letter
		r.Rows.Batch.Row(0, &l)
		names = append(names, fmt.Sprintf("%s %s %s %d", l.Name, r.Reason, r.Code, r.Attempts))
	}
	slices.Sort(names)
	return names
}

// moto takes any record, so this shows that an implementation of others understands
// the calls, and no rule.
func TestAnotherImplementationUnderstandsTheCalls(t *testing.T) {
	moto := testenv.Moto(t)
	s := open(t, "timestream://web/traffic?region=eu-west-1", weblog.TrafficRows, driver.SinkOptions{})
	if _, err := s.client.CreateDatabase(t.Context(), &timestreamwrite.CreateDatabaseInput{DatabaseName: pointer("web")}); err != nil {
		t.Fatal(err)
	}
	err := s.write(t, table.Sealed, weblog.Traffic{WindowStart: 1_741_003_200_000, WindowSeconds: 60, StatusClass: "2xx", Views: 7, Bytes: 9, Version: 7})
	if !errors.Is(err, driver.ErrNotFound) || !strings.Contains(err.Error(), "create-table") {
		t.Errorf("a table that is not there: %v", err)
	}
	if _, err := s.client.CreateTable(t.Context(), &timestreamwrite.CreateTableInput{DatabaseName: pointer("web"), TableName: pointer("traffic")}); err != nil {
		t.Fatal(err)
	}
	s = open(t, "timestream://web/traffic?region=eu-west-1&endpoint="+moto.Endpoint, weblog.TrafficRows, driver.SinkOptions{})
	for i := range 250 {
		s.mustWrite(t, table.Sealed, weblog.Traffic{WindowStart: table.Millis(1_741_003_200_000 + 60_000*i), WindowSeconds: 60, StatusClass: "2xx", Views: 7, Version: 7})
	}
	if st := s.Stats(); st.Stored != 250 || st.Faults != 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestARecordHasAllOfARow(t *testing.T) {
	server := timestream.New(t)
	s := open(t, server.URL+"&measure=m", letters, driver.SinkOptions{})
	s.mustWrite(t, table.Provisional, letter{At: 5, Name: "a b~", Shop: "s", Pad: pointer("x\ny"), Ratio: pointer(0.25), On: 1, Seen: 77, Version: 3}, letter{At: 5, Name: "", Shop: "s", Pad: new(string), On: 2})
	var got []timestream.Row
	for _, r := range server.Stored {
		got = append(got, r)
	}
	slices.SortFunc(got, func(a, b timestream.Row) int { return int(b.Version - a.Version) })
	want := []timestream.Row{
		{Version: 7, Time: 5, Measure: "m", Dimensions: map[string]string{"name": "a b~7e", "shop": "s"}, Values: map[string]string{
			"pad": "VARCHAR:x\ny", "ratio": "DOUBLE:0.25", "on": "VARCHAR:1970-01-02", "seen": "TIMESTAMP:77", "version": "BIGINT:3", "sealed": "BOOLEAN:false", "withdrawn": "BOOLEAN:false",
		}},
		{Version: 1, Time: 5, Measure: "m", Dimensions: map[string]string{"name": "~", "shop": "s"}, Values: map[string]string{
			"empty": "VARCHAR:pad", "on": "VARCHAR:1970-01-03", "seen": "TIMESTAMP:0", "version": "BIGINT:0", "sealed": "BOOLEAN:false", "withdrawn": "BOOLEAN:false",
		}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("stored (-want +got):\n%s", d)
	}
}

func TestTheNewestRowStaysInWhateverOrder(t *testing.T) {
	server := timestream.New(t)
	s := open(t, server.URL, weblog.Sessions, driver.SinkOptions{})
	visit := func(visitor string, version, events int64) weblog.Session {
		return weblog.Session{SessionID: visitor, VisitorID: visitor, StartTime: 1_741_000_000_000, Version: version, Events: events}
	}
	for _, step := range []struct {
		kind table.RowKind
		row  weblog.Session
	}{
		{table.Provisional, visit("open", 3, 3)},
		{table.Provisional, visit("open", 2, 2)}, // stale
		{table.Provisional, visit("final", 5, 5)},
		{table.Sealed, visit("final", 5, 5)},
		{table.Provisional, visit("final", 5, 5)}, // comes again after it was sealed
		{table.Withdrawn, visit("gone", 4, 0)},
		{table.Provisional, visit("gone", 3, 3)},
		{table.Withdrawn, visit("back", 4, 0)},
		{table.Sealed, visit("back", 1<<32|2, 2)}, // a corrected backfill
		{table.Sealed, visit("back", 1<<32|2, 9)}, // cannot be: of one version, with other values
	} {
		s.mustWrite(t, step.kind, step.row)
	}
	// Two rows of one record in one call: the newest is sent.
	s.mustWrite(t, table.Provisional, visit("twice", 1, 1), visit("twice", 3, 3), visit("twice", 2, 2))
	got := map[string]string{}
	for _, r := range server.Stored {
		got[r.Dimensions["visitor_id"]] = r.Values["events"] + " " + r.Values["sealed"] + " " + r.Values["withdrawn"]
	}
	want := map[string]string{
		"open": "BIGINT:3 BOOLEAN:false BOOLEAN:false", "final": "BIGINT:5 BOOLEAN:true BOOLEAN:false", "gone": "BIGINT:0 BOOLEAN:true BOOLEAN:true",
		"back": "BIGINT:2 BOOLEAN:true BOOLEAN:false", "twice": "BIGINT:3 BOOLEAN:false BOOLEAN:false",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("stored (-want +got):\n%s", d)
	}
	if st := s.Stats(); st.Stale != 6 || st.Stored != 7 || st.Written != 13 || st.Refused != 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestRowsThatAreRejectedDoNotHoldUpOthers(t *testing.T) {
	server := timestream.New(t)
	server.Oldest = 1000
	var refused []driver.RefusedRow
	s := open(t, server.URL+"&calls=1", letters, collect(&refused))
	rows := []any{
		letter{At: 2000, Name: "a", Shop: "s"},
		letter{At: 10, Name: "old", Shop: "s"},
		letter{At: 2000, Name: "bad", Shop: "s", Pad: pointer("poison")},
		letter{At: 2000, Name: "long", Shop: "s", Pad: pointer(strings.Repeat("x", 2049))},
		letter{At: 2000, Name: strings.Repeat("n", 2048), Shop: "s"},
		letter{At: 2000, Name: "nan", Shop: "s", Ratio: pointer(math.NaN())},
		letter{At: 2000, Name: "version", Shop: "s", Version: -1},
		letter{At: 2000, Name: "z", Shop: "s", Pad: pointer(strings.Repeat("x", 2048))},
	}
	s.mustWrite(t, table.Sealed, rows...)
	want := []string{"bad invalid RejectedRecord 1", "long too_large  0", "nan invalid  0", strings.Repeat("n", 2048) + " too_large  0", "old invalid RejectedRecord 1", "version invalid  0"}
	slices.Sort(want)
	if d := cmp.Diff(want, refusedNames(refused)); d != "" {
		t.Errorf("refused (-want +got):\n%s", d)
	}
	for _, r := range refused {
		if !errors.Is(r.Err, driver.ErrInvalid) || len(r.Err.Error()) > 1000 || r.Rows.Batch.Len() != 1 {
			t.Errorf("refused: %+v", r)
		}
	}
	if st := s.Stats(); st.Stored != 2 || st.Refused != 6 || len(server.Stored) != 2 {
		t.Errorf("stats %+v, %d stored", st, len(server.Stored))
	}
	// With the magnetic store on, what is too old for the memory store goes there.
	server.Archive = true
	s.mustWrite(t, table.Sealed, rows[1])
	if len(server.Stored) != 3 || s.Stats().Stored != 3 {
		t.Errorf("stored are %v", server.Stored)
	}
	// Where nobody takes refused rows, none is dropped in silence.
	s = open(t, server.URL, letters, driver.SinkOptions{})
	if err := s.write(t, table.Sealed, rows[2]); !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), "nobody takes refused rows") {
		t.Errorf("the error is %v", err)
	}
}

func TestCallsThatAreRefusedAsAWholeAreHalved(t *testing.T) {
	server := timestream.New(t)
	server.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if !bytes.Contains(body, []byte(`"Value":"e"`)) {
			return false
		}
		timestream.Refuse(w, "ValidationException", "something of some record")
		return true
	}
	var refused []driver.RefusedRow
	s := open(t, server.URL+"&calls=1", letters, collect(&refused))
	s.mustWrite(t, table.Sealed, rowsOf("abcdefg")...)
	if got := refusedNames(refused); len(got) != 1 || !strings.HasPrefix(got[0], "e invalid ValidationException") || s.Stats().Stored != 6 {
		t.Errorf("refused %v, stats %+v", got, s.Stats())
	}
}
