package influxio

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

// answers is a server of answers that no real one gives at will.
func answers(t *testing.T, give http.HandlerFunc) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client is gone
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		give(w, r)
	}))
	t.Cleanup(server.Close)
	return "influx://" + server.Listener.Addr().String() + "/rows?calls=1"
}

func TestErrorsOfACallHaveTheirClass(t *testing.T) {
	long := strings.Repeat("x", 4<<20)
	for name, c := range map[string]struct {
		path   string
		status int
		answer string
		class  error
		text   string
	}{
		"no login":              {"/write", 401, `{"error":"authorization failed"}`, driver.ErrPermission, "login_env"},
		"of InfluxDB 2":         {"/write", 401, `{"code":"unauthorized","message":"unauthorized access"}`, driver.ErrPermission, "unauthorized access"},
		"not allowed":           {"/write", 403, `{"error":"no"}`, driver.ErrPermission, "allow these credentials"},
		"no database":           {"/write", 404, `{"error":"database not found: \"rows\""}`, driver.ErrNotFound, "CREATE DATABASE"},
		"no InfluxDB":           {"/write", 404, "<html>", driver.ErrNotFound, "check the address"},
		"elsewhere":             {"/write", 302, "", driver.ErrInvalid, "leads elsewhere"},
		"not stored":            {"/write", 200, `{"error":"x"}`, driver.ErrCorrupt, "check what answers"},
		"a long refusal":        {"/write", 405, long, driver.ErrInvalid, "HTTP 405"},
		"no answer of versions": {"/query", 200, "hello", driver.ErrCorrupt, "no answer about versions"},
		"no results":            {"/query", 200, "{}", driver.ErrCorrupt, "no results"},
		"short points":          {"/query", 200, `{"results":[{"series":[{"name":"traffic","values":[[1,2]]}]}]}`, driver.ErrCorrupt, "fewer than three"},
		"long points":           {"/query", 200, `{"results":[{"series":[{"name":"traffic","values":[[1,2,true,4]]}]}]}`, driver.ErrCorrupt, "has 4 values"},
		"a broken version":      {"/query", 200, `{"results":[{"series":[{"name":"traffic","values":[[1,1.5,true]]}]}]}`, driver.ErrCorrupt, "no answer about versions"},
		"a negative version":    {"/query", 200, `{"results":[{"series":[{"name":"traffic","values":[[1,-1,true]]}]}]}`, driver.ErrCorrupt, "version of -1"},
		"deep":                  {"/query", 200, strings.Repeat("[", 100_000), driver.ErrCorrupt, "no answer"},
		"endless":               {"/query", 200, `{"results":[` + long, driver.ErrInvalid, "check=false"},
		"partial":               {"/query", 200, `{"results":[{"series":[{"name":"traffic","partial":true}]}]}`, driver.ErrInvalid, "check=false"},
		"a fault of the query":  {"/query", 200, `{"results":[{"error":"something is wrong"}]}`, driver.ErrInvalid, "something is wrong"},
		"may not read":          {"/query", 403, `{"error":"not authorized"}`, driver.ErrPermission, "check=true"},
	} {
		t.Run(name, func(t *testing.T) {
			url := answers(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != c.path {
					fmt.Fprint(w, `{"results":[{}]}`)
					return
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.answer) // the client may have gone
			})
			s := open(t, url, weblog.TrafficRows, driver.SinkOptions{Refused: func(r driver.RefusedRow) { t.Errorf("refused: %+v", r) }})
			err := s.write(t, table.Sealed, weblog.Traffic{StatusClass: "a"}, weblog.Traffic{StatusClass: "b"})
			if !errors.Is(err, c.class) || !strings.Contains(err.Error(), c.text) || len(err.Error()) > 1000 {
				t.Errorf("the error is %.2000v", err)
			}
		})
	}
}

// The server stores nothing of what it does not say it dropped, and lies about how many.
func TestRefusedRowsAreFoundByHalves(t *testing.T) {
	for name, refusal := range map[string]struct {
		status int
		answer string
		reason driver.RefusalReason
		code   string
	}{
		"InfluxDB 1, parse": {400, `{"error":"partial write: unable to parse 'x': bad number dropped=0"}`, driver.RefusedInvalid, "unable to parse"},
		"InfluxDB 2":        {422, `{"code":"unprocessable entity","message":"failure writing points to database: partial write: points beyond retention policy dropped=1"}`, driver.RefusedInvalid, "points beyond retention policy"},
		"InfluxDB 3":        {400, `{"error":"partial write of line protocol occurred","data":[{"line_number":1}]}`, driver.RefusedInvalid, "HTTP 400"},
		"too large":         {413, `<html>`, driver.RefusedTooLarge, "HTTP 413"},
		"too many dropped":  {400, `{"error":"partial write: x dropped=9999999"}`, driver.RefusedInvalid, "HTTP 400"},
	} {
		t.Run(name, func(t *testing.T) {
			stored := map[string]bool{}
			url := answers(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if bytes.Contains(body, []byte("=e ")) || bytes.Contains(body, []byte("=g ")) {
					w.WriteHeader(refusal.status)
					fmt.Fprint(w, refusal.answer)
					return
				}
				for line := range strings.Lines(string(body)) {
					stored[line] = true
				}
				w.WriteHeader(http.StatusNoContent)
			})
			var refused []driver.RefusedRow
			s := open(t, url, letters, collect(&refused))
			s.mustWrite(t, table.Sealed, rowsOf("abcdefghijk")...)
			want := fmt.Sprintf("[e, %s, %s g, %s, %s]", refusal.reason, refusal.code, refusal.reason, refusal.code)
			if got := fmt.Sprint(refusedNames(refused)); got != want || len(stored) != 9 || s.Stats().Stored != 9 {
				t.Errorf("refused %s, want %s; stored %d; stats %+v", got, want, len(stored), s.Stats())
			}
		})
	}
}

func TestAServerInTroubleIsWaitedFor(t *testing.T) {
	n := 0
	url := answers(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/query" {
			fmt.Fprint(w, `{"results":[{}]}`)
			return
		}
		if n++; n < 6 {
			w.WriteHeader([]int{502, 503, 429, 500, 504}[n-1])
			_, _ = io.WriteString(w, strings.Repeat("<p>trouble</p>", 100_000)) // the client may have gone
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	var told atomic.Int32
	s, err := Open(driver.WithRetries(t.Context(), func(error) { told.Add(1) }), url, weblog.TrafficRows, driver.SinkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.mustWrite(t, table.Sealed, weblog.Traffic{StatusClass: "a"}, weblog.Traffic{StatusClass: "b"})
	if st := s.Stats(); st.Stored != 2 || st.Faults != 5 || told.Load() != 5 {
		t.Errorf("stats %+v, told %d", st, told.Load())
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// A point whose digest another row has is noticed, whether it is there or in the call.
func TestAPointThatAnotherRowHasIsRefused(t *testing.T) {
	url := answers(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/query" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		s := offline(t, "", weblog.Sessions)
		b := table.NewBatch(weblog.Sessions)
		b.Append(weblog.Session{VisitorID: "a", StartTime: 5})
		b.Append(weblog.Session{VisitorID: "b", StartTime: 5})
		_, slotA := s.encoder.series(nil, b, 0)
		_, slotB := s.encoder.series(nil, b, 1)
		partOf := func(row int) byte { return byte(s.encoder.digest(b, row) / slots % parts) }
		fmt.Fprintf(w, `{"results":[{"series":[{"name":"sessions","tags":{"part":"%02x"},"values":[[%d,0,true,"another"]]},{"name":"sessions","tags":{"part":"%02x"},"values":[[%d,0,true,"b"]]}]}]}`,
			partOf(0), 5*slots+slotA, partOf(1), 5*slots+slotB)
	})
	var refused []driver.RefusedRow
	s := open(t, url, weblog.Sessions, collect(&refused))
	s.mustWrite(t, table.Sealed, weblog.Session{VisitorID: "a", StartTime: 5, Version: 9}, weblog.Session{VisitorID: "b", StartTime: 5, Version: 9}, weblog.Session{VisitorID: "c", StartTime: 5, Version: 9})
	if len(refused) != 1 || refused[0].Code != "point taken" || string(refused[0].Rows.Batch.Text(weblog.SessionVisitorID, 0)) != "a" || s.Stats().Stored != 2 {
		t.Errorf("refused %+v; stats %+v", refused, s.Stats())
	}
}

// A server that does not answer holds the writer up, and memory stays what the
// configuration says.
func TestASlowServerHoldsTheWriterUp(t *testing.T) {
	release := make(chan struct{})
	var mu sync.Mutex
	largest := 0
	url := answers(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		mu.Lock()
		largest = max(largest, int(n))
		mu.Unlock()
		<-release
		w.WriteHeader(http.StatusNoContent)
	})
	s := open(t, strings.Replace(url, "calls=1", "calls=2&bytes=64KiB", 1), letters, driver.SinkOptions{})
	written, done := atomic.Int64{}, make(chan error, 1)
	pad := strings.Repeat("x", 1000)
	go func() {
		for i := range 2000 {
			b := table.NewBatch(letters)
			b.Append(letter{Name: fmt.Sprint(i), Pad: &pad})
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
	if n := written.Load(); n < 64 || n > 4*64 { // two lanes with a call under way and one that is filled
		t.Errorf("%d rows of 1 KB are taken by a sink of four times 64 KiB", n)
	}
	close(release)
	if err := <-done; err != nil || s.Stats().Stored != 2000 || largest > 64<<10 {
		t.Errorf("%v, stats %+v, a call of %d bytes", err, s.Stats(), largest)
	}
}

func TestMemoryIsWhatTheConfigurationSays(t *testing.T) {
	url := answers(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/query" {
			fmt.Fprint(w, `{"results":[{}]}`)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	s := open(t, strings.Replace(url, "calls=1", "calls=2&bytes=4MiB&compress=gzip", 1), weblog.Sessions, driver.SinkOptions{})
	b := table.NewBatch(weblog.Sessions)
	page := strings.Repeat("/page", 400)
	for i := range 20_000 {
		b.Append(weblog.Session{VisitorID: fmt.Sprint(i), StartTime: table.Millis(i), EntryPage: &page, ExitPage: &page})
	}
	peak := testenv.PeakHeap(t, func() {
		if err := s.Write(t.Context(), table.Rows{Batch: b}); err != nil {
			t.Error(err)
		}
	})
	// The server is in this process, too, and reads calls whole.
	if most := uint64(s.config.memory()) + 24<<20; peak > most || s.config.memory() > maxMemory {
		t.Errorf("a peak of %d MiB, and %d MiB are to suffice", peak>>20, most>>20)
	}
	if err := s.Flush(t.Context()); err != nil || s.Stats().Stored != 20_000 {
		t.Errorf("%v, stats %+v", err, s.Stats())
	}
}

func TestTLSAndCredentials(t *testing.T) {
	const canary = "canary-0123456789"
	var logged bytes.Buffer
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	var got []string
	refusing := false
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization"))
		if refusing {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KEY", canary)
	url := "influx+https://" + server.Listener.Addr().String() + "/rows?api=v2&org=o&key_env=KEY"
	open(t, url+"&ca="+ca, letters, driver.SinkOptions{}).mustWrite(t, table.Sealed, letter{Name: "a"})
	if len(got) != 1 || got[0] != "Token "+canary {
		t.Errorf("authorizations: %q", got)
	}
	err := open(t, url, letters, driver.SinkOptions{}).write(t, table.Sealed, letter{Name: "a"})
	if !errors.Is(err, driver.ErrPermission) || !strings.Contains(err.Error(), "ca=FILE") || len(got) != 1 {
		t.Errorf("a certificate that nobody trusts: %v; told %q", err, got)
	}
	refusing = true
	refusedErr := open(t, url+"&ca="+ca, letters, driver.SinkOptions{}).write(t, table.Sealed, letter{Name: "a"})
	if !errors.Is(refusedErr, driver.ErrPermission) {
		t.Errorf("a wrong token: %v", refusedErr)
	}
	for what, text := range map[string]string{"error": fmt.Sprintf("%+v %+v", err, refusedErr), "log": logged.String()} {
		if strings.Contains(text, canary) {
			t.Errorf("the %s has the token", what)
		}
	}
	plain := answers(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	if err := open(t, strings.Replace(plain, "influx:", "influx+https:", 1), letters, driver.SinkOptions{}).write(t, table.Sealed, letter{}); !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), "no TLS") {
		t.Errorf("a server without TLS: %v", err)
	}
}
