package e2e

import (
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

// allSinks are one sink of each kind besides Kinesis, with what reads them: masked
// events in OpenSearch, sessions in Redshift (its stand-in over PostgreSQL), traffic in
// InfluxDB and Timestream (its stand-in).
type allSinks struct {
	search     *testenv.OpenSearchNode
	house      *redshift.Warehouse
	api        *redshift.DataAPI
	influx     *testenv.InfluxServer
	timestream *timestream.Server
	urls       map[string][]string // by output
}

// via gives another address for one that a sink is to be reached by.
type via func(server string) (addr string)

func straight(server string) string { return server }

// newSinks starts them. Names of indexes and tables begin with prefix.
func newSinks(t *testing.T, prefix string, s3 *testenv.S3Server, by via) *allSinks {
	t.Helper()
	s := &allSinks{search: testenv.OpenSearch(t), influx: testenv.Influx(t), timestream: timestream.New(t)}
	s.house = redshift.New(t, redshift.Options{S3: s3})
	s.api = redshift.NewDataAPI(t, s.house)
	place, at, _ := strings.Cut(s.timestream.URL, "endpoint=http://")
	s.urls = map[string][]string{
		"events":   {"opensearch://" + by(s.search.Addr) + "/" + prefix + "-events-{day}"},
		"sessions": {"redshift://team/" + s.house.Database + "/public." + prefix + "_sessions?poll=20ms&stage=s3://" + s3.Bucket + "/stage&role=arn:aws:iam::123456789012:role/reader"},
		"traffic":  {"influx://" + by(s.influx.Addr) + "/" + s.influx.Database, place + "endpoint=http://" + by(at)},
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

// rows are what a reader of the sinks finds, by output and sink; each row as a text of
// the columns that tell it apart and of its version.
func (s *allSinks) rows(t *testing.T, prefix string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, hit := range s.search.Search(t, prefix+"-events", nil) {
		var e struct {
			ID     string `json:"event_id"`
			Status int
			Path   string
		}
		if err := json.Unmarshal(hit.Source, &e); err != nil {
			t.Fatal(err)
		}
		found["events"] = append(found["events"], fmt.Sprintf("%s %d %s", e.ID, e.Status, e.Path))
	}
	conn := s.house.Node.Connect(t, s.house.Database)
	rows, err := conn.Query(t.Context(), "SELECT session_id || ' ' || events || ' ' || page_views || ' ' || version FROM public."+prefix+"_sessions_current")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		found["sessions"] = append(found["sessions"], text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, series := range s.influx.Query(t, "SELECT window_seconds, status_class, views, bytes, version FROM (SELECT * FROM traffic WHERE withdrawn = false)") {
		for _, v := range series.Values {
			ns, err := strconv.ParseInt(fmt.Sprint(v[0]), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			found["traffic in InfluxDB"] = append(found["traffic in InfluxDB"], fmt.Sprintf("%d %v %v %v %v %v", ns/int64(time.Millisecond), v[1], v[2], v[3], v[4], v[5]))
		}
	}
	for _, r := range s.timestream.Rows() {
		value := func(name string) string { _, v, _ := strings.Cut(r.Values[name], ":"); return v }
		if value("withdrawn") != "true" {
			found["traffic in Timestream"] = append(found["traffic in Timestream"],
				fmt.Sprintf("%d %s %s %s %s %s", r.Time, r.Dimensions["window_seconds"], r.Dimensions["status_class"], value("views"), value("bytes"), value("version")))
		}
	}
	for name := range found {
		slices.Sort(found[name])
	}
	return found
}

// inLake are the same rows as the lake has them.
func inLake(t *testing.T, lake string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	read := func(name, query string) {
		for _, r := range sql(t, lake, query) {
			found[name] = append(found[name], strings.Join(r, " "))
		}
		slices.Sort(found[name])
	}
	read("events", "SELECT event_id, status, coalesce(path, '') FROM events")
	read("sessions", "SELECT session_id, events, page_views, version FROM sessions")
	traffic := "SELECT epoch_ms(window_start), window_seconds, status_class, views, bytes, version FROM traffic"
	read("traffic in InfluxDB", traffic)
	read("traffic in Timestream", traffic)
	return found
}

// equal fails when sinks do not have the lake's rows.
func (s *allSinks) equal(t *testing.T, prefix, lake, when string) {
	t.Helper()
	want, got := inLake(t, lake), s.rows(t, prefix)
	for name := range want {
		if len(want[name]) == 0 {
			t.Errorf("%s: the lake has no %s", when, name)
		}
		if d := gocmp.Diff(want[name], got[name]); d != "" {
			t.Errorf("%s: %s, %d rows in the lake and %d in the sink (-lake +sink):\n%s", when, name, len(want[name]), len(got[name]), cut(d))
		}
	}
}

// TestAllSinksHaveTheRowsOfTheLake: live, and after a backfill, which changes nothing
// but versions.
func TestAllSinksHaveTheRowsOfTheLake(t *testing.T) {
	server, s3, e := testenv.Kinesis(t), testenv.S3(t), newEnv(t)
	s := newSinks(t, "live", s3, straight)
	putDemo(t, server, "sinks")
	lake := e.in("lake")
	mustRun(t, e, live("sinks", everything, lake, append(s.outputs(), "--raw", "plain")...)...)
	s.equal(t, "live", lake, "live")
	days := []string{"--from", "2015-01-01", "--to", "2030-01-01", "--no-report"}
	mustRun(t, e, weblogs(lake+"/raw", lake, slices.Concat(s.outputs(), days, []string{"--raw", "plain"})...)...)
	s.equal(t, "live", lake, "after a backfill")
	mustRun(t, e, weblogs(lake+"/raw", lake, slices.Concat(s.outputs(), days, []string{"--raw", "plain", "--set", "sessions.gap=3h"})...)...)
	s.equal(t, "live", lake, "after a corrected backfill")
	m := readManifest(t, lake)
	if len(m.Sinks) != 4 || m.Outputs["refused"].Rows != 0 || m.Sinks["traffic-influx"].Sent != m.Outputs["traffic"].Rows {
		t.Errorf("sinks %+v, %d rows refused", m.Sinks, m.Outputs["refused"].Rows)
	}
}
