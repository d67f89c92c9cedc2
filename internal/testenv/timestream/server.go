package timestreamio

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"millrace/internal/localservers"
	"millrace/schemas/table"
)

// standIn is a server of our own that follows the rules of WriteRecords which the sink
// relies on, as Timestream's documentation and its answers in public reports have them:
// versions, rejections one by one with their reasons, the limit of a call, the memory
// store's window. No real Timestream was asked. What the sink promises never to send
// fails the test.
type standIn struct {
	t   *testing.T
	url string // timestream://web/rows?...

	mu      sync.Mutex
	stored  map[string]stored
	calls   [][]string // values of the dimension that tells rows apart, of each call
	oldest  int64      // time in ms before which the memory store takes nothing
	archive bool       // the magnetic store takes what is older
	fault   func(w http.ResponseWriter, r *http.Request) bool
}

type stored struct {
	Version    int64
	Time       int64
	Measure    string
	Dimensions map[string]string
	Values     map[string]string // measures, as type:value
	Magnetic   bool
}

type wireRecord struct {
	Dimensions       []struct{ Name, Value string }
	MeasureName      string
	MeasureValueType string
	MeasureValues    []struct{ Name, Type, Value string }
	Time, TimeUnit   string
	Version          *int64
}

func newStandIn(t *testing.T) *standIn {
	t.Helper()
	for name, value := range localservers.AWS() {
		t.Setenv(name, value)
	}
	s := &standIn{t: t, stored: map[string]stored{}, oldest: -1 << 62}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = "timestream://web/rows?endpoint=" + server.URL
	return s
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.fault != nil && s.fault(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if target := r.Header.Get("X-Amz-Target"); target != "Timestream_20181101.WriteRecords" || !strings.Contains(r.Header.Get("Authorization"), "/timestream/aws4_request") {
		s.t.Errorf("a call of %s, signed %.60q", target, r.Header.Get("Authorization"))
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	var q struct {
		DatabaseName, TableName string
		CommonAttributes        wireRecord
		Records                 []wireRecord
	}
	if err := json.Unmarshal(body, &q); err != nil {
		s.t.Errorf("a call with the body %.200s: %v", body, err)
	}
	if q.DatabaseName != "web" || q.TableName != "rows" {
		refuse(w, "ResourceNotFoundException", "The table does not exist.")
		return
	}
	if len(q.Records) == 0 || len(q.Records) > 100 {
		s.t.Errorf("a call of %d records", len(q.Records))
	}
	var names []string
	var rejected []map[string]any
	seen := map[string]bool{}
	memory, magnetic := 0, 0
	for i, record := range q.Records {
		row, why := merge(q.CommonAttributes, record)
		if why != "" {
			refuse(w, "ValidationException", why)
			return
		}
		key := row.key()
		if seen[key] {
			s.t.Errorf("a call has two records of %s", key)
		}
		seen[key] = true
		names = append(names, row.Dimensions["name"])
		old, there := s.stored[key]
		row.Magnetic = row.Time < s.oldest
		switch {
		case slices.ContainsFunc(slices.Collect(maps.Values(row.Values)), func(v string) bool { return strings.Contains(v, "poison") }):
			rejected = append(rejected, map[string]any{"RecordIndex": i, "Reason": "A measure exceeds a limit."})
		case row.Magnetic && !s.archive:
			rejected = append(rejected, map[string]any{"RecordIndex": i, "Reason": "The record timestamp is outside the time range [2025-03-03T00:00:00.000000000Z, 2025-03-04T00:00:00.000000000Z) of the memory store."})
		case there && row.Version < old.Version:
			rejected = append(rejected, map[string]any{"RecordIndex": i, "ExistingVersion": old.Version, "Reason": fmt.Sprintf("The record version %d is lower than the existing version %d. A higher version is required to update the measure value.", row.Version, old.Version)})
		case there && row.Version == old.Version && !maps.Equal(row.Values, old.Values):
			rejected = append(rejected, map[string]any{"RecordIndex": i, "Reason": "A record already exists with the same time, dimensions, measure name, and record version. A higher record version must be specified in order to update the measure value."})
		default:
			s.stored[key] = row
			if row.Magnetic {
				magnetic++
			} else {
				memory++
			}
		}
	}
	s.calls = append(s.calls, names)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if len(rejected) > 0 {
		w.WriteHeader(419)
		_ = json.NewEncoder(w).Encode(map[string]any{"__type": "com.amazonaws.timestream.v20181101#RejectedRecordsException", "Message": "One or more records have been rejected. See RejectedRecords for details.", "RejectedRecords": rejected})
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"RecordsIngested": map[string]int{"Total": memory + magnetic, "MemoryStore": memory, "MagneticStore": magnetic}})
}

// merge joins a record with the common attributes, and says what Timestream would find
// wrong with the call.
func merge(common, record wireRecord) (row stored, why string) {
	row = stored{Version: 1, Dimensions: map[string]string{}, Values: map[string]string{}}
	for _, d := range append(common.Dimensions, record.Dimensions...) {
		if _, twice := row.Dimensions[d.Name]; twice {
			return row, "Dimensions of a record must have unique names."
		}
		if d.Value == "" || d.Name == "" || len(d.Name) > 60 {
			return row, "A dimension is empty or too long."
		}
		row.Dimensions[d.Name] = d.Value
	}
	if common.MeasureValueType != "MULTI" || common.TimeUnit != "MILLISECONDS" || common.MeasureName == "" || len(record.MeasureValues) == 0 || len(record.MeasureValues) > 256 {
		return row, "No record of several measures."
	}
	row.Measure = common.MeasureName
	for _, m := range record.MeasureValues {
		if _, twice := row.Values[m.Name]; twice || m.Value == "" || len(m.Value) > 2048 {
			return row, "Measure " + m.Name + " is there twice, is empty or has more than 2048 bytes."
		}
		row.Values[m.Name] = m.Type + ":" + m.Value
	}
	var err error
	if row.Time, err = strconv.ParseInt(record.Time, 10, 64); err != nil {
		return row, "The time is no number."
	}
	if record.Version != nil {
		row.Version = *record.Version
	}
	if row.Version < 1 {
		return row, "Version must be 1 or greater."
	}
	return row, ""
}

func (r stored) key() string {
	key := fmt.Sprint(r.Time, " ", r.Measure)
	for _, name := range slices.Sorted(maps.Keys(r.Dimensions)) {
		key += fmt.Sprintf(" %s=%q", name, r.Dimensions[name])
	}
	return key
}

func refuse(w http.ResponseWriter, kind, message string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": "com.amazonaws.timestream.v20181101#" + kind, "message": message})
}

// letter is a row whose identity is one letter.
type letter struct {
	At      table.Millis `col:"at,sort1,day" doc:"a time"`
	Name    string       `col:"name,sort2" mask:"none" doc:"a letter"`
	Shop    string       `col:"shop,sort3" mask:"none" doc:"what all rows have in common"`
	Pad     *string      `col:"pad,null" mask:"none" doc:"a text"`
	Ratio   *float64     `col:"ratio,null" doc:"a number"`
	On      table.Day    `col:"on" doc:"a day"`
	Seen    table.Millis `col:"seen" doc:"a time"`
	Version int64        `col:"version" doc:"the greater one wins"`
}

var letters = table.MustOf[letter]("timestreamio.letters", 1)

func rowsOf(names string) (rows []any) {
	for _, r := range names {
		rows = append(rows, letter{Name: string(r), Shop: "s"})
	}
	return rows
}
