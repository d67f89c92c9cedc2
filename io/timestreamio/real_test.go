package timestreamio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/timestreamwrite"
	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/io/calls"
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
	server := newStandIn(t)
	s := open(t, server.url+"&measure=m", letters, driver.SinkOptions{})
	s.mustWrite(t, table.Provisional, letter{At: 5, Name: "a b~", Shop: "s", Pad: pointer("x\ny"), Ratio: pointer(0.25), On: 1, Seen: 77, Version: 3}, letter{At: 5, Name: "", Shop: "s", Pad: new(string), On: 2})
	var got []stored
	for _, r := range server.stored {
		got = append(got, r)
	}
	slices.SortFunc(got, func(a, b stored) int { return int(b.Version - a.Version) })
	want := []stored{
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
	server := newStandIn(t)
	s := open(t, server.url, weblog.Sessions, driver.SinkOptions{})
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
	for _, r := range server.stored {
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
	server := newStandIn(t)
	server.oldest = 1000
	var refused []driver.RefusedRow
	s := open(t, server.url+"&calls=1", letters, collect(&refused))
	rows := []any{
		letter{At: 2000, Name: "a", Shop: "s"}, letter{At: 10, Name: "old", Shop: "s"}, letter{At: 2000, Name: "bad", Shop: "s", Pad: pointer("poison")},
		letter{At: 2000, Name: "long", Shop: "s", Pad: pointer(strings.Repeat("x", 2049))}, letter{At: 2000, Name: strings.Repeat("n", 2048), Shop: "s"},
		letter{At: 2000, Name: "nan", Shop: "s", Ratio: pointer(math.NaN())}, letter{At: 2000, Name: "version", Shop: "s", Version: -1}, letter{At: 2000, Name: "z", Shop: "s", Pad: pointer(strings.Repeat("x", 2048))},
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
	if st := s.Stats(); st.Stored != 2 || st.Refused != 6 || len(server.stored) != 2 {
		t.Errorf("stats %+v, %d stored", st, len(server.stored))
	}
	// With the magnetic store on, what is too old for the memory store goes there.
	server.archive = true
	s.mustWrite(t, table.Sealed, rows[1])
	if len(server.stored) != 3 || s.Stats().Stored != 3 {
		t.Errorf("stored are %v", server.stored)
	}
	// Where nobody takes refused rows, none is dropped in silence.
	s = open(t, server.url, letters, driver.SinkOptions{})
	if err := s.write(t, table.Sealed, rows[2]); !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), "nobody takes refused rows") {
		t.Errorf("the error is %v", err)
	}
}

func TestCallsThatAreRefusedAsAWholeAreHalved(t *testing.T) {
	server := newStandIn(t)
	server.fault = func(w http.ResponseWriter, r *http.Request) bool {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if !bytes.Contains(body, []byte(`"Value":"e"`)) {
			return false
		}
		refuse(w, "ValidationException", "something of some record")
		return true
	}
	var refused []driver.RefusedRow
	s := open(t, server.url+"&calls=1", letters, collect(&refused))
	s.mustWrite(t, table.Sealed, rowsOf("abcdefg")...)
	if got := refusedNames(refused); len(got) != 1 || !strings.HasPrefix(got[0], "e invalid ValidationException") || s.Stats().Stored != 6 {
		t.Errorf("refused %v, stats %+v", got, s.Stats())
	}
}

// A server in trouble, one that throttles, one that breaks answers off and one that
// gives none are waited for.
func TestTroubleIsWaitedFor(t *testing.T) {
	server := newStandIn(t)
	var n atomic.Int32
	server.fault = func(w http.ResponseWriter, r *http.Request) bool {
		switch n.Add(1) {
		case 1:
			refuse(w, "ThrottlingException", "Rate exceeded")
		case 2:
			refuse(w, "InternalServerException", "")
		case 3:
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, strings.Repeat("<p>trouble</p>", 100_000)) // the client may have gone
		case 4:
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.Close()
		case 5:
			<-r.Context().Done()
		default:
			return false
		}
		return true
	}
	var told atomic.Int32
	ctx := driver.WithRetries(t.Context(), func(error) { told.Add(1) })
	s, err := Open(ctx, server.url+"&calls=1&timeout=200ms", letters, driver.SinkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.mustWrite(t, table.Sealed, rowsOf("ab")...)
	if st := s.Stats(); st.Stored != 2 || st.Faults < 5 || int64(told.Load()) != st.Faults || st.Refused != 0 {
		t.Errorf("stats %+v, told %d", st, told.Load())
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAnOutageLosesNothing(t *testing.T) {
	server := newStandIn(t)
	addr := strings.TrimPrefix(server.url[strings.Index(server.url, "endpoint=")+len("endpoint="):], "http://")
	proxy := testenv.Toxiproxy(t, addr)
	proxy.Cut(t) // also before the first call
	s := open(t, "timestream://web/rows?rows=10&timeout=2s&endpoint=http://"+proxy.Addr, letters, driver.SinkOptions{})
	written := make(chan error, 1)
	go func() {
		var rows []any
		for i := range 200 {
			rows = append(rows, letter{Name: fmt.Sprint(i), Shop: "s"})
		}
		written <- s.write(t, table.Sealed, rows...)
	}()
	fails := func() {
		for before := s.Stats().Faults; s.Stats().Faults == before && s.Stats().Stored < 200; {
			time.Sleep(poll)
		}
	}
	for range 3 {
		fails()
		proxy.Mend(t)
		proxy.Toxic(t, "limit_data", map[string]any{"bytes": 100}) // broken off amid answers
		fails()
		proxy.Heal(t, "limit_data")
		proxy.Cut(t)
	}
	proxy.Mend(t)
	if err := <-written; err != nil || len(server.stored) != 200 {
		t.Fatalf("%v, %d of 200 rows are stored; stats %+v", err, len(server.stored), s.Stats())
	}
}

func TestErrorsOfACallHaveTheirClass(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for name, c := range map[string]struct {
		status       int
		kind, answer string
		class        error
		text         string
	}{
		"not allowed":      {400, "AccessDeniedException", "", driver.ErrPermission, "timestream:WriteRecords"},
		"no such user":     {403, "UnrecognizedClientException", "", driver.ErrPermission, "not valid"},
		"expired":          {403, "ExpiredTokenException", "", driver.ErrPermission, "log in again"},
		"no table":         {400, "ResourceNotFoundException", "", driver.ErrNotFound, "create-table"},
		"elsewhere":        {302, "", "", driver.ErrInvalid, "leads elsewhere"},
		"no Timestream":    {404, "", "<html>", driver.ErrNotFound, "HTTP 404"},
		"nonsense":         {200, "", "hello", driver.ErrCorrupt, "none of Timestream"},
		"endless":          {200, "", `{"RecordsIngested":{"x":"` + long, driver.ErrCorrupt, "longer than"},
		"no such record":   {419, "RejectedRecordsException", `{"RejectedRecords":[{"RecordIndex":2,"Reason":"r"}]}`, driver.ErrCorrupt, "record 2 of 2"},
		"before the first": {419, "RejectedRecordsException", `{"RejectedRecords":[{"RecordIndex":-1}]}`, driver.ErrCorrupt, "record -1"},
		"one twice":        {419, "RejectedRecordsException", `{"RejectedRecords":[{"RecordIndex":0,"ExistingVersion":99},{"RecordIndex":0,"ExistingVersion":99}]}`, driver.ErrCorrupt, "named before"},
		"none":             {419, "RejectedRecordsException", `{"RejectedRecords":[]}`, driver.ErrCorrupt, "names none"},
		"a long word":      {400, "SomethingException" + long[:5000], "", driver.ErrInvalid, "Something"},
	} {
		t.Run(name, func(t *testing.T) {
			server := newStandIn(t)
			server.fault = func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Content-Type", "application/x-amz-json-1.0")
				if c.kind != "" {
					w.Header().Set("X-Amzn-Errortype", c.kind)
				}
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.answer)
				return true
			}
			s := open(t, server.url+"&calls=1", letters, driver.SinkOptions{Refused: func(r driver.RefusedRow) { t.Errorf("refused: %+v", r) }})
			err := s.write(t, table.Sealed, rowsOf("ab")...)
			if !errors.Is(err, c.class) || !strings.Contains(err.Error(), c.text) || len(err.Error()) > 1000 {
				t.Errorf("the error is %.2000v", err)
			}
		})
	}
}

func TestEndpointsAreDiscoveredUnlessOneIsGiven(t *testing.T) {
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "eu-west-1", "AWS_CONFIG_FILE": os.DevNull} {
		t.Setenv(name, value)
	}
	targets := func(url string) (list []string) {
		s := open(t, url, letters, driver.SinkOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		s.client = timestreamwrite.New(s.client.Options(), func(o *timestreamwrite.Options) {
			o.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
				list = append(list, r.URL.Host+" "+r.Header.Get("X-Amz-Target"))
				cancel()
				return nil, errors.New("that is enough")
			})
		})
		b := table.NewBatch(letters)
		b.Append(letter{Name: "a"})
		if err := errors.Join(s.Write(ctx, table.Rows{Batch: b}), s.Flush(ctx)); err == nil {
			t.Error("no error")
		}
		s.sender.Abort()
		return list
	}
	if got := targets("timestream://web/rows"); len(got) == 0 || got[0] != "ingest.timestream.eu-west-1.amazonaws.com Timestream_20181101.DescribeEndpoints" {
		t.Errorf("without an endpoint: %q", got)
	}
	want := "127.0.0.1:1 Timestream_20181101.WriteRecords"
	if got := targets("timestream://web/rows?endpoint=http://127.0.0.1:1"); len(got) == 0 || got[0] != want {
		t.Errorf("with one in the URL: %q", got)
	}
	t.Setenv("AWS_ENDPOINT_URL_TIMESTREAM_WRITE", "http://127.0.0.1:1")
	if got := targets("timestream://web/rows"); len(got) == 0 || got[0] != want {
		t.Errorf("with one in the environment: %q", got)
	}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// A server that does not answer holds the writer up: what is on its way is bounded.
func TestASlowServerHoldsTheWriterUp(t *testing.T) {
	server := newStandIn(t)
	release := make(chan struct{})
	server.fault = func(http.ResponseWriter, *http.Request) bool {
		<-release
		return false
	}
	s := open(t, server.url+"&calls=2&rows=10", letters, driver.SinkOptions{})
	written, done := atomic.Int64{}, make(chan error, 1)
	go func() {
		for i := range 1000 {
			b := table.NewBatch(letters)
			b.Append(letter{Name: fmt.Sprint(i), Shop: "s"})
			if err := s.Write(t.Context(), table.Rows{Batch: b}); err != nil {
				done <- err
				return
			}
			written.Add(1)
		}
		done <- s.Flush(t.Context())
	}()
	for last, same := int64(-1), 0; same < 50; time.Sleep(poll) { // until it stands
		if now := written.Load(); now != last {
			last, same = now, 0
		} else {
			same++
		}
	}
	if n := written.Load(); n < 20 || n > 41 { // two lanes with a call under way and one that is filled
		t.Errorf("%d rows are taken by a sink that holds 40", n)
	}
	close(release)
	if err := <-done; err != nil || s.Stats().Stored != 1000 {
		t.Errorf("%v, stats %+v", err, s.Stats())
	}
}

func TestCancelEndsCallsAtOnce(t *testing.T) {
	server := newStandIn(t)
	arrived, held := make(chan struct{}, 8), make(chan struct{})
	defer close(held)
	server.fault = func(http.ResponseWriter, *http.Request) bool {
		arrived <- struct{}{}
		<-held
		return true
	}
	s := open(t, server.url, letters, driver.SinkOptions{})
	b := table.NewBatch(letters)
	b.Append(letter{Name: "a"})
	if err := s.Write(t.Context(), table.Rows{Batch: b}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Flush(ctx) }()
	<-arrived
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("flush gives %v", err)
	}
	if err := s.Close(context.WithoutCancel(ctx)); !errors.Is(err, context.Canceled) { // does not wait
		t.Errorf("close gives %v", err)
	}
}

// No secret key is in an error, a log or a record.
func TestCredentialsStayWhereTheyAre(t *testing.T) {
	const canary = "canary-secret-key-0123456789"
	var logged bytes.Buffer
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	var bodies bytes.Buffer
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.Write(&bodies)
		refuse(w, "AccessDeniedException", "no")
	}))
	t.Cleanup(server.Close)
	newStandIn(t) // sets the environment
	t.Setenv("AWS_SECRET_ACCESS_KEY", canary)
	err := open(t, "timestream://web/rows?endpoint="+server.URL, letters, driver.SinkOptions{}).write(t, table.Sealed, rowsOf("a")...)
	if !errors.Is(err, driver.ErrPermission) {
		t.Errorf("the error is %v", err)
	}
	for what, text := range map[string]string{"error": fmt.Sprintf("%+v", err), "log": logged.String(), "call": bodies.String()} {
		if strings.Contains(text, canary) {
			t.Errorf("the %s has the key", what)
		}
	}
	_, err = Open(t.Context(), "timestream://AKIA:"+canary+"@web/rows", letters, driver.SinkOptions{})
	if err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("a key in the URL: %v", err)
	}
}

func TestMemoryIsWhatTheConfigurationSays(t *testing.T) {
	server := newStandIn(t)
	s := open(t, server.url+"&calls=4&bytes=2MiB", letters, driver.SinkOptions{})
	b := table.NewBatch(letters)
	pad := strings.Repeat("x", 2000)
	for i := range 5000 {
		b.Append(letter{Name: fmt.Sprint(i), Shop: strings.Repeat("s", 1000), Pad: &pad})
	}
	peak := testenv.PeakHeap(t, func() {
		if err := s.Write(t.Context(), table.Rows{Batch: b}); err != nil {
			t.Error(err)
		}
	})
	// The stand-in is in this process, too, and keeps what it gets: 5,000 rows of 3 KB
	// and a decoded call or two.
	if most := uint64(s.config.memory()) + 24<<20; peak > most || s.config.memory() > maxMemory {
		t.Errorf("a peak of %d MiB, and %d MiB are to suffice", peak>>20, most>>20)
	}
	if err := s.Flush(t.Context()); err != nil || s.Stats() != (calls.Stats{Written: 5000, Stored: 5000, Calls: s.Stats().Calls}) {
		t.Errorf("%v, stats %+v", err, s.Stats())
	}
}

func TestGivingUpTellsTheFault(t *testing.T) {
	newStandIn(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	s := open(t, "timestream://web/rows?endpoint=http://"+address, letters, driver.SinkOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	b := table.NewBatch(letters)
	b.Append(letter{Name: "a"})
	if err := s.Write(ctx, table.Rows{Batch: b}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Flush(ctx) }()
	for s.Stats().Faults == 0 {
		time.Sleep(poll)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || !errors.Is(err, driver.ErrUnavailable) || !strings.Contains(err.Error(), "refused") {
		t.Errorf("the error is %v", err)
	}
}

// What all records of a call have is said once.
func TestCommonDimensionsAreSaidOnce(t *testing.T) {
	server := newStandIn(t)
	var body []byte
	server.fault = func(_ http.ResponseWriter, r *http.Request) bool {
		body, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		return false
	}
	s := open(t, server.url+"&calls=1", letters, driver.SinkOptions{})
	s.mustWrite(t, table.Sealed, rowsOf("abc")...)
	var q struct{ CommonAttributes wireRecord }
	if err := json.Unmarshal(body, &q); err != nil || len(q.CommonAttributes.Dimensions) != 1 || q.CommonAttributes.Dimensions[0].Name != "shop" || bytes.Count(body, []byte(`"shop"`)) != 1 {
		t.Errorf("%v: %s", err, body)
	}
}
