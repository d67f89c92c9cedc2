package timeseries

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/badrow"
	"millrace/schemas/late"
	"millrace/schemas/raw"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

type names struct{ Time, Dimensions, IDs, Measures string }

func namesOf(s *Shape) names {
	join := func(columns []int) string {
		var list []string
		for _, c := range columns {
			list = append(list, s.Schema.Columns[c].Name)
		}
		return strings.Join(list, " ")
	}
	return names{join([]int{s.Time}), join(s.Dimensions), join(s.IDs), join(s.Measures)}
}

func TestRollupsAndSessionsAreTimeSeries(t *testing.T) {
	for schema, want := range map[*table.Schema]names{
		weblog.TrafficRows: {"window_start", "window_seconds status_class", "", "views bytes version"},
		weblog.TopPages:    {"window_start", "rank", "", "path views window_seconds version visitors bytes_p50 bytes_p95 bytes_p99 latency_ms_p50 latency_ms_p90 latency_ms_p99 exact views_error"},
		weblog.Visitors:    {"day", "", "", "visitors visitors_without_bots exact version"},
		weblog.Bots:        {"day", "bot_name", "", "hits visitors version"},
		weblog.Sessions:    {"start_time", "", "visitor_id", "session_id end_time events page_views entry_page exit_page bounce version duration_ms engaged bot truncated source medium campaign channel first_source first_medium first_campaign first_channel last_source last_medium last_campaign last_channel session_index previous_session_id"},
	} {
		s, err := Of(schema)
		if err != nil {
			t.Errorf("%s: %v", schema.ID(), err)
			continue
		}
		if d := cmp.Diff(want, namesOf(s)); d != "" || s.Version < 0 {
			t.Errorf("%s (-want +got):\n%s", schema.ID(), d)
		}
	}
}

// Without tags the kinds say as much, for these schemas.
func TestPartsFollowFromKindAndPlace(t *testing.T) {
	for _, schema := range []*table.Schema{weblog.TrafficRows, weblog.TopPages, weblog.Visitors, weblog.Bots, weblog.Sessions} {
		plain := *schema
		plain.Columns = append([]table.Column(nil), schema.Columns...)
		for i := range plain.Columns {
			plain.Columns[i].Series = ""
		}
		tagged, err := Of(schema)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := Of(&plain); err != nil || namesOf(s) != namesOf(tagged) {
			t.Errorf("%s: %+v, %v", schema.ID(), s, err)
		}
	}
}

func TestRowsThatAreNoTimeSeriesAreRefused(t *testing.T) {
	for schema, part := range map[*table.Schema]string{
		weblog.Events: "column position identifies rows, and a int64 tells neither", badrow.Rows: "", late.Rows: "", raw.Rows: "",
	} {
		if _, err := Of(schema); err == nil || !strings.Contains(err.Error(), "rows of "+schema.ID()+" are no time series") || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v", schema.ID(), err)
		}
	}
	for part, row := range map[string]any{
		"orders rows first and is a string, not a time": struct {
			A string       `col:"a,sort1" mask:"none" doc:"d"`
			B table.Millis `col:"b,day" doc:"d"`
			C int64        `col:"c" doc:"d"`
		}{},
		"column c is said to be a dimension, but does not identify rows": struct {
			A table.Millis `col:"a,sort1,day" doc:"d"`
			C int64        `col:"c" ts:"dimension" doc:"d"`
		}{},
		"column c is said to be a measure, but identifies rows": struct {
			A table.Millis `col:"a,sort1,day" doc:"d"`
			C int32        `col:"c,sort2" ts:"measure" doc:"d"`
			D int32        `col:"d" doc:"d"`
		}{},
		"column c is said to be a time": struct {
			A table.Millis `col:"a,sort1,day" doc:"d"`
			C table.Millis `col:"c" ts:"time" doc:"d"`
		}{},
		"column c identifies rows, and a timestamp tells neither": struct {
			A table.Millis `col:"a,sort1,day" doc:"d"`
			C table.Millis `col:"c,sort2" ts:"dimension" doc:"d"`
			D int32        `col:"d" doc:"d"`
		}{},
		"no column is a measure": struct {
			A       table.Millis `col:"a,sort1,day" doc:"d"`
			Version int64        `col:"version" doc:"d"`
		}{},
		"column sealed has the name of a mark": struct {
			A       table.Millis `col:"a,sort1,day" doc:"d"`
			Sealed  bool         `col:"sealed" doc:"d"`
			Version int64        `col:"version" doc:"d"`
		}{},
	} {
		schema, err := table.Of(reflect.TypeOf(row), "any", 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Of(schema); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error is %v, want %q", err, part)
		}
	}
}

func TestACountMayBeSaidToBeADimension(t *testing.T) {
	type row struct {
		A table.Millis `col:"a,sort1,day" doc:"d"`
		N int64        `col:"n,sort2" ts:"dimension" doc:"d"`
		U table.ID     `col:"u,sort3" doc:"d"`
		V float64      `col:"v" doc:"d"`
	}
	schema, err := table.Of(reflect.TypeFor[row](), "any", 1)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := Of(schema); err != nil || namesOf(s) != (names{"a", "n", "u", "v"}) || s.Version >= 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestOfOneVersionWhatIsFinalCountsMore(t *testing.T) {
	last := int64(0)
	for _, version := range []int64{0, 1, 7, 1 << 32, MaxVersion} {
		for _, kind := range []table.RowKind{table.Provisional, table.Sealed} {
			if r := Rank(version, kind); r <= last {
				t.Errorf("%d of kind %d ranks %d, not after %d", version, kind, r, last)
			} else {
				last = r
			}
		}
		if Rank(version, table.Withdrawn) != last {
			t.Errorf("a withdrawn row of %d does not rank as a final one", version)
		}
	}
}
