package influxio

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/io/timeseries"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

func pointer[T any](v T) *T { return &v }

const poll = 5 * time.Millisecond // how often tests look

func open(t testing.TB, url string, schema *table.Schema, options driver.SinkOptions) *Sink {
	t.Helper()
	s, err := Open(t.Context(), url, schema, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.sender.Abort)
	return s
}

// write writes rows of the sink's schema and flushes.
func (s *Sink) write(t testing.TB, kind table.RowKind, rows ...any) error {
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

func (s *Sink) mustWrite(t testing.TB, kind table.RowKind, rows ...any) {
	t.Helper()
	if err := s.write(t, kind, rows...); err != nil {
		t.Fatal(err)
	}
}

// collect gathers refused rows.
func collect(into *[]driver.RefusedRow) driver.SinkOptions {
	return driver.SinkOptions{Refused: func(r driver.RefusedRow) { *into = append(*into, r) }}
}

// letter is a row whose identity is one letter.
type letter struct {
	At    table.Millis `col:"at,sort1,day" doc:"a time"`
	Name  string       `col:"name,sort2" mask:"none" doc:"a letter"`
	N     int64        `col:"n" doc:"a number"`
	Pad   *string      `col:"pad,null" mask:"none" doc:"a text"`
	Ratio *float64     `col:"ratio,null" doc:"a number"`
	On    *table.Day   `col:"on,null" doc:"a day"`
}

var letters = table.MustOf[letter]("influxio.letters", 1)

func rowsOf(names string) (rows []any) {
	for _, r := range names {
		rows = append(rows, letter{Name: string(r)})
	}
	return rows
}

// refusedNames are those of refused letters, with the reason.
func refusedNames(rows []driver.RefusedRow) (names []string) {
	for _, r := range rows {
		var l letter
		r.Rows.Batch.Row(0, &l)
		names = append(names, fmt.Sprintf("%s, %s, %s", l.Name, r.Reason, r.Code))
	}
	slices.Sort(names)
	return names
}

func at(server *testenv.InfluxServer, parameters string) string {
	return "influx://" + server.Addr + "/" + server.Database + "?" + parameters
}

// values are those of a column by the value of a tag.
func values(t *testing.T, server *testenv.InfluxServer, column, from, tag string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, s := range server.Query(t, fmt.Sprintf(`SELECT %q FROM %q GROUP BY %q`, column, from, tag)) {
		for _, v := range s.Values {
			found[s.Tags[tag]] += fmt.Sprint(v[1])
		}
	}
	return found
}

func TestValuesComeBackAsTheyWere(t *testing.T) {
	server := testenv.Influx(t)
	s := open(t, at(server, ""), letters, driver.SinkOptions{})
	texts := []string{"plain", "", "a b,c=d", `back\slash`, `end\`, `\`, "~", "~7e", "line\nfeed", "\ttab\r", `"quoted"`, "naïve 日本語", "#hash", "a=b", "  ", ",", "=", "nul\x00"}
	want := map[string]string{}
	var rows []any
	for i, text := range texts {
		rows = append(rows, letter{At: 1_741_003_200_000, Name: text, N: math.MinInt64 + int64(i), Pad: &text, Ratio: pointer(1e300), On: pointer(table.Day(1))})
	}
	s.mustWrite(t, table.Sealed, rows...)
	b := table.NewBatch(letters)
	for _, row := range rows {
		b.Append(row)
	}
	written := map[string]bool{}
	for i, text := range texts {
		tag, _ := timeseries.AppendDimension(nil, b, 1, i)
		want[string(tag)] = text
		series, _ := s.encoder.series(nil, b, i)
		written[string(series)] = true
	}
	if d := cmp.Diff(want, values(t, server, "pad", "letters", "name")); d != "" {
		t.Errorf("texts by the tag that they have (-want +got):\n%s", d)
	}
	for _, series := range server.Query(t, `SELECT "n","ratio","on" FROM "letters" WHERE "name" = 'plain'`) {
		if got := fmt.Sprint(series.Values); got != "[[1741003200000000000 -9223372036854775808 1e+300 1970-01-02]]" {
			t.Errorf("values %s", got)
		}
	}
	// As a check reads them they are the points that are written.
	for _, found := range server.Query(t, `SELECT "n" FROM "letters" GROUP BY *`) {
		if series := string(s.config.seriesOf(nil, found.Tags)); !written[series] {
			t.Errorf("the series %q is none that was written", series)
		}
	}
}

func TestSessionsOfOneMomentAreSeveralPoints(t *testing.T) {
	server := testenv.Influx(t)
	s := open(t, at(server, ""), weblog.Sessions, driver.SinkOptions{})
	var rows []any
	const moment = 1_741_003_200_000
	for i := range 500 {
		rows = append(rows, weblog.Session{SessionID: fmt.Sprint("s", i), VisitorID: fmt.Sprint("tok_visitor_k1_", i), StartTime: moment, Events: 1, Version: 1})
	}
	s.mustWrite(t, table.Provisional, rows...)
	s.mustWrite(t, table.Sealed, rows...)
	s.mustWrite(t, table.Sealed, rows...) // comes again: nothing is written
	query := `SELECT count("events"), sum("events"), count(distinct("visitor_id")) FROM "sessions" WHERE "sealed" = true`
	if got := fmt.Sprint(server.Query(t, query)[0].Values[0][1:]); got != "[500 500 500]" {
		t.Errorf("points, events, visitors: %s", got)
	}
	if series := server.Query(t, `SHOW SERIES CARDINALITY`); len(series) == 0 || number(t, series[0].Values[0][0]) > parts {
		t.Errorf("the cardinality is %v", series)
	}
	if st := s.Stats(); st.Stored != 1000 || st.Stale != 500 {
		t.Errorf("stats %+v", st)
	}
	// With ids=tag each visitor is a series.
	s = open(t, at(server, "ids=tag&measurement=tagged"), weblog.Sessions, driver.SinkOptions{})
	s.mustWrite(t, table.Sealed, rows...)
	if got := len(values(t, server, "events", "tagged", "visitor_id")); got != 500 {
		t.Errorf("%d visitors as tags", got)
	}
}

func TestTheNewestRowStaysAndWithdrawnOnesAreMarked(t *testing.T) {
	server := testenv.Influx(t)
	visit := func(visitor string, version, events int64) weblog.Session {
		return weblog.Session{SessionID: "s-" + visitor, VisitorID: visitor, StartTime: 1_741_000_000_000, Version: version, Events: events}
	}
	steps := []struct {
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
	}
	for _, ids := range []string{"fold", "tag"} {
		s := open(t, at(server, "ids="+ids+"&measurement=m"+ids), weblog.Sessions, driver.SinkOptions{})
		for i, step := range steps {
			if i%2 == 0 { // another writer
				s = open(t, at(server, "ids="+ids+"&measurement=m"+ids), weblog.Sessions, driver.SinkOptions{})
			}
			s.mustWrite(t, step.kind, step.row)
		}
		// Some versions in one call.
		s.mustWrite(t, table.Provisional, visit("twice", 1, 1), visit("twice", 3, 3), visit("twice", 2, 2))
		got := map[string]string{}
		for _, series := range server.Query(t, `SELECT "session_id","events","sealed","withdrawn" FROM "m`+ids+`"`) {
			for _, v := range series.Values {
				got[v[1].(string)] = fmt.Sprint(v[2:])
			}
		}
		want := map[string]string{"s-open": "[3 false false]", "s-final": "[5 true false]", "s-gone": "[0 true true]", "s-back": "[2 true false]", "s-twice": "[3 false false]"}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("ids=%s, stored (-want +got):\n%s", ids, d)
		}
	}
}

// TestWithdrawnRowsAddNothingToSums: a backfill takes rows back as the lake had them, and
// of an earlier version a number stays where none is written.
func TestWithdrawnRowsAddNothingToSums(t *testing.T) {
	server := testenv.Influx(t)
	s := open(t, at(server, ""), weblog.Sessions, driver.SinkOptions{})
	visit := weblog.Session{SessionID: "s", VisitorID: "v", StartTime: 1, Version: 3, Events: 3, DurationMs: 9, SessionIndex: pointer(int32(2))}
	s.mustWrite(t, table.Sealed, visit)
	visit.Version, visit.SessionIndex = 1<<32|3, nil
	s.mustWrite(t, table.Withdrawn, visit)
	sums := server.Query(t, `SELECT sum("events"),sum("duration_ms"),sum("session_index"),max("version") FROM "sessions"`)[0].Values[0][1:]
	if got := fmt.Sprint(sums); got != "[0 0 0 4294967299]" {
		t.Errorf("sums and version are %s", got)
	}
}

func TestANewerVersionWithoutAValueSaysSo(t *testing.T) {
	server := testenv.Influx(t)
	s := open(t, at(server, ""), weblog.Sessions, driver.SinkOptions{})
	visit := weblog.Session{SessionID: "s", VisitorID: "v", StartTime: 1, Version: 1, EntryPage: pointer("/in"), ExitPage: pointer("/out")}
	s.mustWrite(t, table.Sealed, visit)
	visit.Version, visit.EntryPage = 2, nil
	s.mustWrite(t, table.Sealed, visit)
	stored := server.Query(t, `SELECT "entry_page","exit_page","nulls" FROM "sessions"`)[0].Values[0][1:]
	nulls := strings.Split(fmt.Sprint(stored[2]), ",")
	if fmt.Sprint(stored[:2]) != "[ /out]" || !slices.Contains(nulls, "entry_page") || slices.Contains(nulls, "exit_page") {
		t.Errorf("stored is %s", stored)
	}
}

func TestRowsThatAreRefusedDoNotHoldUpOthers(t *testing.T) {
	server := testenv.Influx(t, "INFLUXDB_DATA_MAX_VALUES_PER_TAG=20")
	server.Query(t, "CREATE RETENTION POLICY short ON "+server.Database+" DURATION 1h REPLICATION 1")
	now := table.Millis(time.Now().UnixMilli())
	var refused []driver.RefusedRow
	s := open(t, at(server, "rp=short&calls=1"), letters, collect(&refused))
	s.mustWrite(t, table.Sealed, letter{At: now, Name: "first", N: 1})
	s.mustWrite(t, table.Sealed,
		letter{At: now, Name: "a"}, letter{At: now - 7_200_000, Name: "old"}, letter{At: now, Name: "b"}, letter{At: now, Name: "nan", Ratio: pointer(math.NaN())},
		letter{At: now, Name: "long", Pad: pointer(strings.Repeat("x", 64<<10+1))}, letter{At: math.MaxInt64, Name: "late"}, letter{At: now, Name: "c", Pad: pointer(strings.Repeat("x", 64<<10))},
		letter{At: now - 7_200_001, Name: "old too"}, letter{At: now, Name: strings.Repeat("n", 1<<16)})
	want := []string{"late, invalid, ", "long, too_large, ", "nan, invalid, ", strings.Repeat("n", 1<<16) + ", too_large, ", "old too, invalid, points beyond retention policy", "old, invalid, points beyond retention policy"}
	slices.Sort(want)
	if d := cmp.Diff(want, refusedNames(refused)); d != "" {
		t.Errorf("refused (-want +got):\n%s", d)
	}
	if got := server.Query(t, `SELECT count("n") FROM "short"."letters"`); fmt.Sprint(got[0].Values[0][1]) != "4" || s.Stats().Stored != 4 {
		t.Errorf("stored are %v; stats %+v", got, s.Stats())
	}
	// Series above the limit, which InfluxDB looks at before a call.
	refused = nil
	var rows []any
	for i := range 20 {
		rows = append(rows, letter{At: now, Name: fmt.Sprintf("tag%02d", i)})
	}
	s.mustWrite(t, table.Sealed, rows...)
	if len(refused) != 0 {
		t.Errorf("refused: %v", refusedNames(refused))
	}
	s.mustWrite(t, table.Sealed, letter{At: now, Name: "one"}, letter{At: now, Name: "a", N: 2}, letter{At: now, Name: "two"}, letter{At: now, Name: "tag00", N: 2})
	if d := cmp.Diff([]string{"one, invalid, max-values-per-tag limit exceeded", "two, invalid, max-values-per-tag limit exceeded"}, refusedNames(refused)); d != "" || s.Stats().Stored != 26 {
		t.Errorf("stats %+v, refused (-want +got):\n%s", s.Stats(), d)
	}
	// All of a call are refused in that call.
	refused = nil
	before := s.Stats().Calls
	s.mustWrite(t, table.Sealed, letter{At: 1, Name: "a"}, letter{At: 2, Name: "a"}, letter{At: 3, Name: "a"}, letter{At: 4, Name: "a"})
	if len(refused) != 4 || s.Stats().Calls != before+1 {
		t.Errorf("%d rows refused in %d calls", len(refused), s.Stats().Calls-before)
	}
	// Where nobody takes them, none is dropped in silence.
	s = open(t, at(server, "rp=short"), letters, driver.SinkOptions{})
	if err := s.write(t, table.Sealed, letter{At: 1, Name: "a"}); !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), "nobody takes refused rows") {
		t.Errorf("the error is %v", err)
	}
}

func TestAFieldThatHasAnotherTypeRefusesItsRows(t *testing.T) {
	server := testenv.Influx(t)
	type other struct {
		At   table.Millis `col:"at,sort1,day" doc:"a time"`
		Name string       `col:"name,sort2" mask:"none" doc:"a letter"`
		Pad  int64        `col:"pad" doc:"a number"`
	}
	open(t, at(server, "measurement=letters"), table.MustOf[other]("influxio.other", 1), driver.SinkOptions{}).mustWrite(t, table.Sealed, other{Name: "x", Pad: 1})
	var refused []driver.RefusedRow
	s := open(t, at(server, "calls=1"), letters, collect(&refused))
	rows := rowsOf("abcdefgh")
	for _, i := range []int{1, 2, 6} {
		l := rows[i].(letter)
		l.Pad = pointer("a text")
		rows[i] = l
	}
	s.mustWrite(t, table.Sealed, rows...)
	if d := cmp.Diff([]string{"b, invalid, field type conflict", "c, invalid, field type conflict", "g, invalid, field type conflict"}, refusedNames(refused)); d != "" || s.Stats().Stored != 5 {
		t.Errorf("stats %+v, refused (-want +got):\n%s", s.Stats(), d)
	}
}

func TestLoginsAndDatabases(t *testing.T) {
	server := testenv.Influx(t, testenv.InfluxLogins)
	server.Query(t, "CREATE USER reader WITH PASSWORD 'canary-word'")
	server.Query(t, "GRANT READ ON "+server.Database+" TO reader")
	t.Setenv("BOSS", testenv.InfluxLogin)
	t.Setenv("READER", "reader:canary-word")
	t.Setenv("WRONG", "boss:canary-wrong")
	for parameters, want := range map[string]struct {
		class error
		text  string
	}{
		"login_env=BOSS":                     {},
		"key_env=BOSS":                       {}, // InfluxDB 1.8 has user:password for a token
		"key_env=BOSS&api=v2&org=any":        {},
		"login_env=WRONG":                    {driver.ErrPermission, "check login_env"},
		"login_env=READER":                   {driver.ErrPermission, "allow these credentials"},
		"":                                   {driver.ErrPermission, "login_env"},
		"login_env=BOSS&rp=none":             {driver.ErrNotFound, "retention policy"},
		"login_env=BOSS&rp=none&check=false": {driver.ErrNotFound, "retention policy"},
	} {
		s := open(t, at(server, parameters), weblog.TrafficRows, driver.SinkOptions{})
		err := s.write(t, table.Sealed, weblog.Traffic{StatusClass: parameters, Version: 1})
		if !errors.Is(err, want.class) || err != nil && (!strings.Contains(err.Error(), want.text) || strings.Contains(err.Error(), "canary")) {
			t.Errorf("%s: %v", parameters, err)
		}
	}
	s := open(t, "influx://"+server.Addr+"/none?login_env=BOSS", weblog.TrafficRows, driver.SinkOptions{})
	if err := s.write(t, table.Sealed, weblog.Traffic{StatusClass: "2xx", Version: 1}); !errors.Is(err, driver.ErrNotFound) || !strings.Contains(err.Error(), "CREATE DATABASE") {
		t.Errorf("a database that is not there: %v", err)
	}
}

// The points that are there may be many more than those of a call.
func TestAnswersAboutVersionsAreBounded(t *testing.T) {
	server := testenv.Influx(t)
	var rows []any
	for i := range 6000 {
		rows = append(rows, weblog.Traffic{WindowStart: table.Millis(i), WindowSeconds: 1, StatusClass: "2xx", Views: 1, Version: 5})
	}
	open(t, at(server, ""), weblog.TrafficRows, driver.SinkOptions{}).mustWrite(t, table.Sealed, rows...)
	var some []any
	for i := 0; i < 6000; i += 50 { // a call whose times span all
		row := rows[i].(weblog.Traffic)
		row.Views = 2
		row.Version = int64(4 + i/50%2*2)
		some = append(some, row)
	}
	s := open(t, at(server, "rows=10&calls=1"), weblog.TrafficRows, driver.SinkOptions{})
	s.mustWrite(t, table.Sealed, some...)
	if st := s.Stats(); st.Stale != 60 || st.Stored != 60 {
		t.Errorf("stats %+v", st)
	}
	if got := server.Query(t, `SELECT sum("views") FROM "traffic"`); fmt.Sprint(got[0].Values[0][1]) != "6060" {
		t.Errorf("the sum is %v", got)
	}
}
