package timestreamio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/timestreamwrite"

	"millrace/internal/testenv"
	"millrace/internal/testenv/timestream"
	"millrace/io/calls"
	"millrace/io/driver"
	"millrace/schemas/table"
)

// A server in trouble, one that throttles, one that breaks answers off and one that
// gives none are waited for.
func TestTroubleIsWaitedFor(t *testing.T) {
	server := timestream.New(t)
	var n atomic.Int32
	server.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		body, _ := io.ReadAll(r.Body) // a server that reads sees that its client is gone
		r.Body = io.NopCloser(bytes.NewReader(body))
		switch n.Add(1) {
		case 1:
			timestream.Refuse(w, "ThrottlingException", "Rate exceeded")
		case 2:
			timestream.Refuse(w, "InternalServerException", "")
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
	s, err := Open(ctx, server.URL+"&calls=1&timeout=200ms", letters, driver.SinkOptions{})
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
	server := timestream.New(t)
	addr := strings.TrimPrefix(server.URL[strings.Index(server.URL, "endpoint=")+len("endpoint="):], "http://")
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
	if err := <-written; err != nil || len(server.Stored) != 200 {
		t.Fatalf("%v, %d of 200 rows are stored; stats %+v", err, len(server.Stored), s.Stats())
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
			server := timestream.New(t)
			server.Fault = func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Content-Type", "application/x-amz-json-1.0")
				if c.kind != "" {
					w.Header().Set("X-Amzn-Errortype", c.kind)
				}
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.answer)
				return true
			}
			s := open(t, server.URL+"&calls=1", letters, driver.SinkOptions{Refused: func(r driver.RefusedRow) { t.Errorf("refused: %+v", r) }})
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
	server := timestream.New(t)
	release := make(chan struct{})
	server.Fault = func(http.ResponseWriter, *http.Request) bool {
		<-release
		return false
	}
	s := open(t, server.URL+"&calls=2&rows=10", letters, driver.SinkOptions{})
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
	server := timestream.New(t)
	arrived, held := make(chan struct{}, 8), make(chan struct{})
	defer close(held)
	server.Fault = func(http.ResponseWriter, *http.Request) bool {
		arrived <- struct{}{}
		<-held
		return true
	}
	s := open(t, server.URL, letters, driver.SinkOptions{})
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
		timestream.Refuse(w, "AccessDeniedException", "no")
	}))
	t.Cleanup(server.Close)
	timestream.New(t) // sets the environment
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
	server := timestream.New(t)
	s := open(t, server.URL+"&calls=4&bytes=2MiB", letters, driver.SinkOptions{})
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
	timestream.New(t)
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
	server := timestream.New(t)
	var body []byte
	server.Fault = func(_ http.ResponseWriter, r *http.Request) bool {
		body, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		return false
	}
	s := open(t, server.URL+"&calls=1", letters, driver.SinkOptions{})
	s.mustWrite(t, table.Sealed, rowsOf("abc")...)
	var q struct {
		CommonAttributes struct {
			Dimensions []struct{ Name, Value string }
		}
	}
	if err := json.Unmarshal(body, &q); err != nil || len(q.CommonAttributes.Dimensions) != 1 || q.CommonAttributes.Dimensions[0].Name != "shop" || bytes.Count(body, []byte(`"shop"`)) != 1 {
		t.Errorf("%v: %s", err, body)
	}
}
