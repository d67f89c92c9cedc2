package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/internal/testenv/redshift"
	"millrace/internal/testenv/timestream"
)

// Names of the sinks.
const searchSink, influxSink, timestreamSink, houseSink = "OpenSearch", "InfluxDB", "Timestream", "Redshift"

// sent is an output that goes to a sink, with the columns by which rows are compared,
// separated by blanks: those that tell rows apart, some of the values, the version. For
// series the first one is the time. Times that are keys are compared as milliseconds.
type sent struct{ output, sink, columns string }

func (d sent) String() string { return d.output + " in " + d.sink }

// series tells whether the sink keeps points of time series.
func (d sent) series() bool { return d.sink == influxSink || d.sink == timestreamSink }

// window is the time of rollups.
const window = "window_start"

// sentOfWeblogs are masked events to OpenSearch, sessions to Redshift, traffic to both
// sinks of series.
var sentOfWeblogs = []sent{
	{"events", searchSink, "event_id status path"},
	{"sessions", houseSink, "session_id events page_views version"},
	{"traffic", influxSink, "window_start window_seconds status_class views bytes version"},
	{"traffic", timestreamSink, "window_start window_seconds status_class views bytes version"},
}

// allSinks are one sink of each kind besides Kinesis, with what reads them: OpenSearch,
// Redshift (its stand-in over PostgreSQL), InfluxDB and Timestream (its stand-in).
type allSinks struct {
	search     *testenv.OpenSearchNode
	house      *redshift.Warehouse
	api        *redshift.DataAPI
	influx     *testenv.InfluxServer
	timestream *timestream.Server
	prefix     string // of the names of indexes and tables
	sent       []sent
	urls       map[string][]string // by output
}

// via gives another address for one that a sink is to be reached by.
type via func(server string) (addr string)

func straight(server string) string { return server }

// newSinks starts them for what is to be sent.
func newSinks(t *testing.T, prefix string, s3 *testenv.S3Server, by via, all []sent) *allSinks {
	t.Helper()
	s := &allSinks{search: testenv.OpenSearch(t), influx: testenv.Influx(t), timestream: timestream.New(t), prefix: prefix, sent: all, urls: map[string][]string{}}
	s.house = redshift.New(t, redshift.Options{S3: s3})
	s.api = redshift.NewDataAPI(t, s.house)
	place, at, _ := strings.Cut(s.timestream.URL, "endpoint=http://")
	search, influx, series := by(s.search.Addr), by(s.influx.Addr), by(at)
	for _, d := range all {
		s.urls[d.output] = append(s.urls[d.output], map[string]string{
			searchSink:     "opensearch://" + search + "/" + prefix + "-" + d.output + "-{day}",
			houseSink:      "redshift://team/" + s.house.Database + "/public." + prefix + "_" + d.output + "?poll=20ms&stage=s3://" + s3.Bucket + "/stage&role=arn:aws:iam::123456789012:role/reader",
			influxSink:     "influx://" + influx + "/" + s.influx.Database,
			timestreamSink: place + "endpoint=http://" + series,
		}[d.sink])
	}
	return s
}

// outputs are the arguments of a run.
func (s *allSinks) outputs() (args []string) {
	for _, output := range slices.Sorted(maps.Keys(s.urls)) {
		for _, url := range s.urls[output] {
			args = append(args, "--output", output+"="+url)
		}
	}
	return args
}

// rows are what a reader of a sink finds of an output, each row as a text of its columns.
func (s *allSinks) rows(t *testing.T, d sent) []string {
	t.Helper()
	return s.read(t, d, false)
}

// withdrawn are the rows of an output that a sink keeps for their versions alone.
func (s *allSinks) withdrawn(t *testing.T, d sent) []string {
	t.Helper()
	return s.read(t, d, true)
}

func (s *allSinks) read(t *testing.T, d sent, withdrawn bool) (found []string) {
	t.Helper()
	columns := strings.Fields(d.columns)
	add := func(value func(column string) any) {
		var cells []string
		for _, column := range columns {
			cells = append(cells, cell(value(column)))
		}
		found = append(found, strings.Join(cells, " "))
	}
	switch d.sink {
	case searchSink:
		alias, query := s.prefix+"-"+d.output, any(nil)
		if withdrawn {
			alias, query = alias+"-*", map[string]any{"term": map[string]any{"withdrawn": true}}
		}
		for _, hit := range s.search.Search(t, alias, query) {
			document := map[string]any{}
			decoder := json.NewDecoder(bytes.NewReader(hit.Source))
			decoder.UseNumber()
			if err := decoder.Decode(&document); err != nil {
				t.Fatal(err)
			}
			if d.output == "alerts" && document["reason"] == "given_up" {
				continue // what was never sealed no lake has
			}
			add(func(column string) any { return document[column] })
		}
	case houseSink:
		versioned := slices.Contains(columns, "version") // only then there is a view of the rows that count
		from := ""
		switch {
		case withdrawn && !versioned:
			return nil
		case withdrawn:
			from = " WHERE withdrawn"
		case versioned:
			from = "_current"
		}
		texts := strings.Join(columns, "::text, ") + "::text"
		texts = strings.Replace(texts, window+"::", "(EXTRACT(epoch FROM "+window+") * 1000)::bigint::", 1)
		for _, row := range s.ask(t, "SELECT ARRAY["+texts+"] FROM public."+s.prefix+"_"+d.output+from) {
			values := row.([]any)
			add(func(column string) any { return values[slices.Index(columns, column)] })
		}
	case influxSink:
		for _, series := range s.influx.Query(t, "SELECT * FROM "+d.output+" WHERE withdrawn = "+strconv.FormatBool(withdrawn)) {
			for _, point := range series.Values {
				value := func(column string) any {
					if i := slices.Index(series.Columns, column); i >= 0 {
						return point[i]
					}
					return nil
				}
				without := strings.Split(cell(value("nulls")), ",")
				add(func(column string) any {
					switch {
					case column == columns[0]:
						return millis(t, value("time"))
					case slices.Contains(without, column):
						return nil
					}
					return value(column)
				})
			}
		}
	case timestreamSink:
		for _, row := range s.timestream.Rows() {
			value := func(name string) string { _, v, _ := strings.Cut(row.Values[name], ":"); return v }
			if row.Measure != d.output || value("withdrawn") != strconv.FormatBool(withdrawn) {
				continue
			}
			add(func(column string) any {
				if dimension, ok := row.Dimensions[column]; ok {
					return dimension
				}
				if column == columns[0] {
					return row.Time
				}
				return value(column)
			})
		}
	}
	slices.Sort(found)
	return found
}

// ask gives the first column of what a statement finds in Redshift.
func (s *allSinks) ask(t *testing.T, statement string) (found []any) {
	t.Helper()
	rows, err := s.house.Node.Connect(t, s.house.Database).Query(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, values[0])
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

// millis is a time of InfluxDB, nanoseconds of which those below the millisecond may hold
// a digest.
func millis(t *testing.T, value any) int64 {
	t.Helper()
	return number(t, cell(value)) / int64(time.Millisecond)
}

// cell is a value as text, the same for the same value from whatever it was read.
func cell(value any) string {
	if value == nil {
		return ""
	}
	text := fmt.Sprint(value)
	if f, err := strconv.ParseFloat(text, 64); err == nil && strings.ContainsAny(text, ".e") {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return text
}

// inLake are the rows as a lake has them.
func (d sent) inLake(t *testing.T, lake string) (found []string) {
	t.Helper()
	var columns []string
	for i, column := range strings.Fields(d.columns) {
		if i == 0 && d.series() || column == window {
			column = "epoch_ms(" + column + ")"
		}
		columns = append(columns, "coalesce(("+column+")::VARCHAR, '')")
	}
	for _, row := range sql(t, lake, "SELECT "+strings.Join(columns, ", ")+" FROM "+d.output) {
		for i := range row {
			row[i] = cell(row[i])
		}
		found = append(found, strings.Join(row, " "))
	}
	slices.Sort(found)
	return found
}

// equal fails when sinks do not have the lake's rows.
func (s *allSinks) equal(t *testing.T, lake, when string) {
	t.Helper()
	for _, d := range s.sent {
		s.equals(t, d, lake, when)
	}
}

func (s *allSinks) equals(t *testing.T, d sent, lake, when string) {
	t.Helper()
	want, got := d.inLake(t, lake), s.rows(t, d)
	if len(want) == 0 {
		t.Errorf("%s: the lake has no %s", when, d.output)
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s, %d rows in the lake and %d in the sink (-lake +sink):\n%s", when, d, len(want), len(got), cut(diff))
	}
}

// texts are what the sinks store as it lies there, withdrawn rows too, by sink.
func (s *allSinks) texts(t *testing.T) map[string][]byte {
	t.Helper()
	texts := map[string][]byte{}
	add := func(sink string, text []byte) { texts[sink] = append(append(texts[sink], text...), '\n') }
	for _, hit := range s.search.Search(t, s.prefix+"-*", nil) {
		add(searchSink, append([]byte(hit.ID+" "), hit.Source...))
	}
	for _, d := range s.sent {
		switch d.sink {
		case houseSink:
			for _, row := range s.ask(t, "SELECT row_to_json(s)::text FROM public."+s.prefix+"_"+d.output+" s") {
				add(houseSink, []byte(row.(string)))
			}
		case influxSink:
			for _, series := range s.influx.Query(t, "SELECT * FROM "+d.output) {
				add(influxSink, fmt.Append(nil, series))
			}
		}
	}
	for _, row := range s.timestream.Rows() {
		add(timestreamSink, fmt.Append(nil, row))
	}
	return texts
}

// TestAllSinksHaveTheRowsOfTheLake: live, and after a backfill, which changes nothing
// but versions.
func TestAllSinksHaveTheRowsOfTheLake(t *testing.T) {
	server, s3, e := testenv.Kinesis(t), testenv.S3(t), newEnv(t)
	s := newSinks(t, "live", s3, straight, sentOfWeblogs)
	putDemo(t, server, "sinks")
	lake := e.in("lake")
	mustRun(t, e, live("sinks", everything, lake, append(s.outputs(), "--raw", "plain")...)...)
	s.equal(t, lake, "live")
	days := []string{"--from", "2015-01-01", "--to", "2030-01-01", "--no-report"}
	mustRun(t, e, weblogs(lake+"/raw", lake, slices.Concat(s.outputs(), days, []string{"--raw", "plain"})...)...)
	s.equal(t, lake, "after a backfill")
	mustRun(t, e, weblogs(lake+"/raw", lake, slices.Concat(s.outputs(), days, []string{"--raw", "plain", "--set", "sessions.gap=3h"})...)...)
	s.equal(t, lake, "after a corrected backfill")
	m := readManifest(t, lake)
	if len(m.Sinks) != 4 || m.Outputs["refused"].Rows != 0 || m.Sinks["traffic-influx"].Sent != m.Outputs["traffic"].Rows {
		t.Errorf("sinks %+v, %d rows refused", m.Sinks, m.Outputs["refused"].Rows)
	}
}
