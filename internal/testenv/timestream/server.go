// Package timestream is a stand-in for Amazon Timestream for LiveAnalytics, of which
// nothing can be had to run: see docs/testing.md for what it proves and what not.
package timestream

import (
	"cmp"
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
)

// Server is a server of our own that follows the rules of WriteRecords and DescribeTable which the sink
// relies on, as Timestream's documentation and its answers in public reports have them:
// versions, rejections one by one with their reasons, the limit of a call, the memory
// store's window. No real Timestream was asked. What the sink promises never to send
// fails the test.
type Server struct {
	t   *testing.T
	URL string // timestream://web/rows?...

	mu      sync.Mutex
	Stored  map[string]Row
	Calls   [][]string // values of the dimension name, of each call
	Oldest  int64      // time in ms before which the memory store takes nothing
	Archive bool       // the magnetic store takes what is older
	Status  string     // of the table; ACTIVE when empty
	// Fault answers a call instead (true), for tests.
	Fault func(w http.ResponseWriter, r *http.Request) bool
}

// Row is a record as it is stored.
type Row struct {
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

// New starts a server with the table rows of the database web, for one test; the AWS
// settings of the test's environment are of local servers.
func New(t *testing.T) *Server {
	t.Helper()
	for name, value := range localservers.AWS() {
		t.Setenv(name, value)
	}
	s := &Server{t: t, Stored: map[string]Row{}, Oldest: -1 << 62}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = "timestream://web/rows?endpoint=" + server.URL
	return s
}

// Rows are what is stored, in no order, also while calls come in.
func (s *Server) Rows() []Row {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.Stored))
}

const writeRecords, describeTable = "Timestream_20181101.WriteRecords", "Timestream_20181101.DescribeTable"

// memoryHours and magneticDays are how long the table keeps records.
const memoryHours, magneticDays = 24, 73_000

// describe answers in the shape that the API's reference has for DescribeTable.
func (s *Server) describe(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_ = json.NewEncoder(w).Encode(map[string]any{"Table": map[string]any{
		"Arn": "arn:aws:timestream:us-east-1:000000000000:database/web/table/rows", "DatabaseName": "web", "TableName": "rows",
		"TableStatus":                  cmp.Or(s.Status, "ACTIVE"),
		"RetentionProperties":          map[string]int{"MemoryStoreRetentionPeriodInHours": memoryHours, "MagneticStoreRetentionPeriodInDays": magneticDays},
		"MagneticStoreWriteProperties": map[string]bool{"EnableMagneticStoreWrites": s.Archive},
	}})
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.Fault != nil && s.Fault(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	target := r.Header.Get("X-Amz-Target")
	if target != writeRecords && target != describeTable || !strings.Contains(r.Header.Get("Authorization"), "/timestream/aws4_request") {
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
		Refuse(w, "ResourceNotFoundException", "The table does not exist.")
		return
	}
	if target == describeTable {
		s.describe(w)
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
			Refuse(w, "ValidationException", why)
			return
		}
		key := row.key()
		if seen[key] {
			s.t.Errorf("a call has two records of %s", key)
		}
		seen[key] = true
		names = append(names, row.Dimensions["name"])
		old, there := s.Stored[key]
		row.Magnetic = row.Time < s.Oldest
		switch {
		case slices.ContainsFunc(slices.Collect(maps.Values(row.Values)), func(v string) bool { return strings.Contains(v, "poison") }):
			rejected = append(rejected, map[string]any{"RecordIndex": i, "Reason": "A measure exceeds a limit."})
		case row.Magnetic && !s.Archive:
			rejected = append(rejected, map[string]any{"RecordIndex": i, "Reason": "The record timestamp is outside the time range [2025-03-03T00:00:00.000000000Z, 2025-03-04T00:00:00.000000000Z) of the memory store."})
		case there && row.Version < old.Version:
			rejected = append(rejected, map[string]any{"RecordIndex": i, "ExistingVersion": old.Version, "Reason": fmt.Sprintf("The record version %d is lower than the existing version %d. A higher version is required to update the measure value.", row.Version, old.Version)})
		case there && row.Version == old.Version && !maps.Equal(row.Values, old.Values):
			rejected = append(rejected, map[string]any{"RecordIndex": i, "Reason": "A record already exists with the same time, dimensions, measure name, and record version. A higher record version must be specified in order to update the measure value."})
		default:
			s.Stored[key] = row
			if row.Magnetic {
				magnetic++
			} else {
				memory++
			}
		}
	}
	s.Calls = append(s.Calls, names)
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
func merge(common, record wireRecord) (row Row, why string) {
	row = Row{Version: 1, Dimensions: map[string]string{}, Values: map[string]string{}}
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

func (r Row) key() string {
	key := fmt.Sprint(r.Time, " ", r.Measure)
	for _, name := range slices.Sorted(maps.Keys(r.Dimensions)) {
		key += fmt.Sprintf(" %s=%q", name, r.Dimensions[name])
	}
	return key
}

// Refuse answers a call with an error of the service.
func Refuse(w http.ResponseWriter, kind, message string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": "com.amazonaws.timestream.v20181101#" + kind, "message": message})
}
