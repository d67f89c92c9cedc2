package opensearchio

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

// measure has a value for each way to index a column.
type measure struct {
	ID      table.ID     `col:"id" doc:"an id"`
	At      table.Millis `col:"at,sort1,day" doc:"a time"`
	Name    *string      `col:"name,null" mask:"none" doc:"a text"`
	Small   *int32       `col:"small,null" doc:"a number"`
	Ratio   *float64     `col:"ratio,null" doc:"a number"`
	On      *table.Day   `col:"on,null" doc:"a day"`
	Payload *[]byte      `col:"payload,null" mask:"sealed" doc:"bytes"`
}

var measures = table.MustOf[measure]("opensearchio.measures", 1)

func pointer[T any](v T) *T { return &v }

func open(t *testing.T, url string, schema *table.Schema, options driver.SinkOptions) *Sink {
	t.Helper()
	s, err := Open(t.Context(), url, schema, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.sender.Abort) // most tests have closed it
	return s
}

// write writes rows of the sink's schema and flushes.
func (s *Sink) write(t *testing.T, kind table.RowKind, rows ...any) error {
	t.Helper()
	b := table.NewBatch(s.config.schema)
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

// poll is how often tests look.
const poll = 5 * time.Millisecond

func id(n byte) table.ID { return table.ID{15: n} }

func term(field string, value any) map[string]any {
	return map[string]any{"term": map[string]any{field: value}}
}

func TestAMaskedEventIsFoundByPathStatusAndTime(t *testing.T) {
	node := testenv.OpenSearch(t)
	s := open(t, "opensearch://"+node.Addr+"/events-{day}?compress=gzip", weblog.Events, driver.SinkOptions{})
	var rows []any
	const noon = 1_741_003_200_000 // 2025-03-03T12:00:00Z
	for i := range 50 {
		rows = append(rows, weblog.Event{
			EventID: id(byte(i)), EventTime: table.Millis(noon + i*60_000), VisitorID: fmt.Sprint("tok_", i), ClientIP: pointer("203.0.113.0"),
			Method: pointer("GET"), Path: pointer(fmt.Sprint("/shop/item-", i%5)), Status: int32(200 + 204*(i%2)), UserAgent: pointer("Mozilla/5.0 (X11) Firefox/130.0"), Source: "0a",
		})
	}
	s.mustWrite(t, table.Sealed, rows...)
	s.mustWrite(t, table.Sealed, rows...) // comes again
	found := func(filters ...any) (ids []string) {
		for _, hit := range node.Search(t, "events", map[string]any{"bool": map[string]any{"filter": filters}}) {
			ids = append(ids, hit.ID)
		}
		slices.Sort(ids)
		return ids
	}
	between := map[string]any{"range": map[string]any{"event_time": map[string]any{"gte": "2025-03-03T12:10:00Z", "lt": "2025-03-03T12:30:00Z"}}}
	want := []string{"00000000-0000-0000-0000-00000000000d", "00000000-0000-0000-0000-000000000017"} // 13 and 23
	if d := cmp.Diff(want, found(term("path", "/shop/item-3"), term("status", 404), between)); d != "" {
		t.Errorf("by path, status and time (-want +found):\n%s", d)
	}
	if n := len(found(map[string]any{"match": map[string]any{"user_agent.text": "firefox"}}, term("client_ip", "203.0.113.0/24"))); n != 50 {
		t.Errorf("by a word of the user agent and a network, %d of 50 events are found", n)
	}
	if hits := node.Search(t, "events-2025-03-03", nil); len(hits) != 50 {
		t.Errorf("the day's index has %d documents, want 50", len(hits))
	}
}

func TestTheNewestRowStaysAndWithdrawnOnesAreHidden(t *testing.T) {
	node := testenv.OpenSearch(t)
	s := open(t, "opensearch://"+node.Addr+"/visits-{day}", weblog.Sessions, driver.SinkOptions{})
	visit := func(id string, version, events int64) weblog.Session {
		return weblog.Session{SessionID: id, VisitorID: "v", StartTime: 1_741_000_000_000, Version: version, Events: events}
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
		{table.Provisional, visit("gone", 3, 3)},
		{table.Withdrawn, visit("gone", 4, 0)},
		{table.Provisional, visit("gone", 3, 3)}, // comes again after it was withdrawn
		{table.Withdrawn, visit("back", 4, 0)},
		{table.Sealed, visit("back", 1<<32|2, 2)}, // a corrected backfill
	} {
		s.mustWrite(t, step.kind, step.row)
	}
	type seen struct {
		Sealed    bool
		Withdrawn bool
		Events    int64
	}
	read := func(index string) map[string]seen {
		found := map[string]seen{}
		for _, hit := range node.Search(t, index, nil) {
			var d seen
			if err := json.Unmarshal(hit.Source, &d); err != nil {
				t.Fatal(err)
			}
			found[hit.ID] = d
		}
		return found
	}
	want := map[string]seen{"open": {Events: 3}, "final": {Sealed: true, Events: 5}, "back": {Sealed: true, Events: 2}}
	if d := cmp.Diff(want, read("visits")); d != "" {
		t.Errorf("behind the alias (-want +found):\n%s", d)
	}
	want["gone"] = seen{Sealed: true, Withdrawn: true}
	if d := cmp.Diff(want, read("visits-2025-03-03")); d != "" {
		t.Errorf("in the index (-want +found):\n%s", d)
	}
	if st := s.Stats(); st.Stale != 3 || st.Stored != 7 {
		t.Errorf("stats %+v", st)
	}
}

func TestRowsThatDoNotFitAreRefusedAndTheOthersGoOn(t *testing.T) {
	node := testenv.OpenSearch(t)
	var refused []driver.RefusedRow
	s := open(t, "opensearch://"+node.Addr+"/measures?bytes=100KiB", measures, collect(&refused))
	s.mustWrite(t, table.Sealed, measure{ID: id(1), Ratio: pointer(1.5)}, measure{ID: id(2), Ratio: pointer(math.NaN())},
		measure{ID: id(3), Name: pointer(strings.Repeat("x", 100<<10))}, measure{ID: id(4), Name: pointer(strings.Repeat("é", 40_000)), On: pointer(table.Day(1)), Small: pointer(int32(7)), Payload: &[]byte{1}})
	if got := len(node.Search(t, "measures", nil)); got != 2 {
		t.Errorf("%d rows are stored, want 2", got)
	}
	if len(refused) != 2 || s.Stats().Refused != 2 {
		t.Fatalf("refused are %v", refused)
	}
	slices.SortFunc(refused, func(a, b driver.RefusedRow) int { return strings.Compare(string(a.Reason), string(b.Reason)) })
	if r := refused[0]; r.Reason != driver.RefusedInvalid || r.Code != "mapper_parsing_exception" || r.Attempts != 1 || !strings.Contains(r.Err.Error(), "[ratio]") || r.Rows.Batch.Len() != 1 || r.Rows.Batch.UUID(0, 0) != id(2) {
		t.Errorf("refused: %+v of %v", r, r.Rows.Batch.UUID(0, 0))
	}
	if r := refused[1]; r.Reason != driver.RefusedTooLarge || r.Attempts != 0 || r.Rows.Batch.UUID(0, 0) != id(3) || !errors.Is(r.Err, driver.ErrInvalid) {
		t.Errorf("refused: %+v", r)
	}
	// Where nobody takes them, none is dropped in silence.
	for _, row := range []measure{{ID: id(2), Ratio: pointer(math.NaN())}, {ID: id(3), Name: pointer(strings.Repeat("x", 100<<10))}} {
		s := open(t, "opensearch://"+node.Addr+"/measures?bytes=100KiB", measures, driver.SinkOptions{})
		if err := s.write(t, table.Sealed, row); !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), "nobody takes refused rows") {
			t.Errorf("the error is %v", err)
		}
		if err := s.Close(t.Context()); !errors.Is(err, driver.ErrInvalid) {
			t.Errorf("closing gives %v", err)
		}
	}
}

func TestAnIndexThatMayNotBeWrittenEndsTheSink(t *testing.T) {
	node := testenv.OpenSearch(t)
	s := open(t, "opensearch://"+node.Addr+"/blocked", measures, driver.SinkOptions{})
	s.mustWrite(t, table.Sealed, measure{ID: id(1)})
	node.Call(t, http.MethodPut, "blocked/_settings", map[string]any{"index.blocks.write": true}, nil)
	if err := s.write(t, table.Sealed, measure{ID: id(2)}); !errors.Is(err, driver.ErrReadOnly) || !strings.Contains(err.Error(), "index.blocks") {
		t.Errorf("the error is %v", err)
	}
	if err := s.write(t, table.Sealed, measure{ID: id(3)}); !errors.Is(err, driver.ErrReadOnly) {
		t.Errorf("a sink that has ended gives %v", err)
	}
}

func TestAnOutageLosesNothing(t *testing.T) {
	node := testenv.OpenSearch(t)
	proxy := testenv.Toxiproxy(t, node.Addr)
	proxy.Cut(t) // also before the first call
	s := open(t, "opensearch://"+proxy.Addr+"/outage?rows=10&timeout=2s", measures, driver.SinkOptions{})
	written := make(chan error, 1)
	go func() {
		var rows []any
		for i := range 200 {
			rows = append(rows, measure{ID: id(byte(i))})
		}
		written <- s.write(t, table.Sealed, rows...)
	}()
	for range 3 {
		fails(t, s)
		proxy.Mend(t)
		proxy.Toxic(t, "limit_data", map[string]any{"bytes": 2000}) // broken off amid answers
		fails(t, s)
		proxy.Heal(t, "limit_data")
		proxy.Toxic(t, "timeout", map[string]any{"timeout": 0}) // nothing comes back
		fails(t, s)
		proxy.Heal(t, "timeout")
		proxy.Cut(t)
	}
	proxy.Mend(t)
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if got := len(node.Search(t, "outage", nil)); got != 200 {
		t.Errorf("%d of 200 rows are stored; stats %+v", got, s.Stats())
	}
}

// fails waits for a call to fail, or all to be stored.
func fails(t *testing.T, s *Sink) {
	t.Helper()
	for before := s.Stats().Faults; s.Stats().Faults == before && s.Stats().Stored+s.Stats().Stale < 200; {
		time.Sleep(poll)
	}
}

func TestNewColumnsComeToIndexesThatAreThere(t *testing.T) {
	type first struct {
		At table.Millis `col:"at,sort1,day" doc:"a time"`
	}
	type later struct {
		At   table.Millis `col:"at,sort1,day" doc:"a time"`
		Name *string      `col:"name,null" mask:"none" doc:"a text"`
	}
	type other struct {
		At   table.Millis `col:"at,sort1,day" doc:"a time"`
		Name *int64       `col:"name,null" doc:"a number"`
	}
	node := testenv.OpenSearch(t)
	url := "opensearch://" + node.Addr + "/columns"
	open(t, url, table.MustOf[first]("opensearchio.columns", 1), driver.SinkOptions{}).mustWrite(t, table.Sealed, first{At: 1})
	s := open(t, url, table.MustOf[later]("opensearchio.columns", 2), driver.SinkOptions{})
	s.mustWrite(t, table.Sealed, later{At: 2, Name: pointer("x")})
	if hits := node.Search(t, "columns", term("name", "x")); len(hits) != 1 {
		t.Errorf("by the new column %d rows are found", len(hits))
	}
	err := open(t, url, table.MustOf[other]("opensearchio.columns", 3), driver.SinkOptions{}).write(t, table.Sealed, other{At: 3})
	if !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), "name") {
		t.Errorf("a column of another type gives %v", err)
	}
}

func TestADataStreamTakesEachRowOnce(t *testing.T) {
	node := testenv.OpenSearch(t)
	s := open(t, "opensearch://"+node.Addr+"/stream-of-events?mode=append", weblog.Events, driver.SinkOptions{})
	for range 2 {
		s.mustWrite(t, table.Sealed, weblog.Event{EventID: id(1), EventTime: 1_741_000_000_007, VisitorID: "v"}, weblog.Event{EventID: id(2), VisitorID: "v"})
	}
	hits := node.Search(t, "stream-of-events", map[string]any{"range": map[string]any{"@timestamp": map[string]any{"gte": "2025-01-01"}}})
	if len(hits) != 1 || hits[0].ID != "00000000-0000-0000-0000-000000000001" || !strings.HasPrefix(hits[0].Index, ".ds-stream-of-events-") {
		t.Errorf("found %+v", hits)
	}
	if st := s.Stats(); st.Stored != 2 || st.Stale != 2 {
		t.Errorf("stats %+v", st)
	}
}

func TestIndexesThatAreMadeByOthersAreTakenAsTheyAre(t *testing.T) {
	node := testenv.OpenSearch(t)
	node.Call(t, http.MethodPut, "ours", map[string]any{"mappings": map[string]any{"properties": map[string]any{"small": map[string]any{"type": "byte"}}}}, nil)
	var refused []driver.RefusedRow
	s := open(t, "opensearch://"+node.Addr+"/ours?template=skip", measures, collect(&refused))
	s.mustWrite(t, table.Sealed, measure{ID: id(1), Small: pointer(int32(1))}, measure{ID: id(2), Small: pointer(int32(1000))})
	if got := len(node.Search(t, "ours", nil)); got != 1 || len(refused) != 1 || refused[0].Rows.Batch.UUID(0, 0) != id(2) {
		t.Errorf("%d rows stored, refused %v", got, refused)
	}
}
