package opensearchio

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"millrace/io/driver"
	"millrace/schemas/table"
)

// call is a bulk as a server sees it.
type call struct {
	ids  []string
	size int
}

// answers is a server of answers that no real one gives at will.
func answers(t *testing.T, give func(w http.ResponseWriter, c call)) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client is gone
		}
		give(w, readCall(t, body))
	}))
	t.Cleanup(server.Close)
	return "opensearch://" + server.Listener.Addr().String() + "/rows?template=skip"
}

func readCall(t *testing.T, body []byte) (c call) {
	t.Helper()
	c.size = len(body)
	lines := bufio.NewScanner(strings.NewReader(string(body)))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var action struct {
			Index struct {
				ID string `json:"_id"`
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &action); err != nil || !lines.Scan() || !json.Valid(lines.Bytes()) {
			t.Errorf("a bulk with the line %s: %v", lines.Bytes(), err)
			return c
		}
		c.ids = append(c.ids, action.Index.ID)
	}
	return c
}

// tell answers with a status for each row.
func tell(w io.Writer, statuses []int) {
	items := make([]string, len(statuses))
	for i, status := range statuses {
		items[i] = fmt.Sprintf(`{"index":{"status":%d}}`, status)
		if status >= 300 {
			items[i] = fmt.Sprintf(`{"index":{"status":%d,"error":{"type":"kind_%d","reason":"because"}}}`, status, status)
		}
	}
	fmt.Fprintf(w, `{"errors":true,"items":[%s]}`, strings.Join(items, ","))
}

// letter is a row whose id is one letter.
type letter struct {
	At   table.Millis `col:"at,sort1,day" doc:"a time"`
	Name string       `col:"name" mask:"none" doc:"a letter"`
	Pad  string       `col:"pad" mask:"none" doc:"to make rows large"`
}

var letters = table.MustOf[letter]("opensearchio.letters", 1)

func openLetters(t *testing.T, url string, options driver.SinkOptions) *Sink {
	t.Helper()
	return open(t, url+"&id=name", letters, options)
}

func rowsOf(text string) (rows []any) {
	for _, r := range text {
		rows = append(rows, letter{Name: string(r)})
	}
	return rows
}

func TestOnlyRowsThatWerePutOffAreSentAgain(t *testing.T) {
	var calls []string
	url := answers(t, func(w http.ResponseWriter, c call) {
		calls = append(calls, strings.Join(c.ids, ""))
		statuses := make([]int, len(c.ids))
		for i, id := range c.ids {
			statuses[i] = map[string]int{"b": 429, "d": 503, "e": 400, "f": 409}[id]
			if statuses[i] == 0 || len(calls) == 2 && id == "b" || len(calls) == 3 {
				statuses[i] = 201
			}
		}
		tell(w, statuses)
	})
	var refused []driver.RefusedRow
	s := openLetters(t, url, collect(&refused))
	s.mustWrite(t, table.Sealed, rowsOf("abcdefg")...)
	if got := strings.Join(calls, " "); got != "abcdefg bd d" {
		t.Errorf("the calls had %s", got)
	}
	if len(refused) != 1 || refused[0].Code != "kind_400" || string(refused[0].Rows.Batch.Text(1, 0)) != "e" {
		t.Errorf("refused: %+v", refused)
	}
	if st := s.Stats(); st.Stored != 5 || st.Stale != 1 || st.Refused != 1 || st.Retried != 3 || st.Written != 7 {
		t.Errorf("stats %+v", st)
	}
}

func TestARowThatIsAlwaysPutOffIsRefusedInTheEnd(t *testing.T) {
	url := answers(t, func(w http.ResponseWriter, c call) {
		statuses := make([]int, len(c.ids))
		for i, id := range c.ids {
			if statuses[i] = 201; id == "b" {
				statuses[i] = 503
			}
		}
		tell(w, statuses)
	})
	var refused []driver.RefusedRow
	s := openLetters(t, url+"&attempts=3", collect(&refused))
	s.mustWrite(t, table.Sealed, rowsOf("abc")...)
	if len(refused) != 1 || refused[0].Reason != driver.RefusedOverload || refused[0].Attempts != 3 || !errors.Is(refused[0].Err, driver.ErrUnavailable) || s.Stats().Stored != 2 {
		t.Errorf("refused: %+v, stats %+v", refused, s.Stats())
	}
}

func TestCallsThatAreTooLargeAreHalved(t *testing.T) {
	for _, status := range []int{http.StatusRequestEntityTooLarge, http.StatusBadRequest} {
		stored := map[string]int{}
		url := answers(t, func(w http.ResponseWriter, c call) {
			if len(c.ids) > 3 || slices.Contains(c.ids, "e") {
				w.WriteHeader(status)
				fmt.Fprint(w, `{"error":{"type":"too_much","reason":"because"}}`)
				return
			}
			statuses := make([]int, len(c.ids))
			for i, id := range c.ids {
				if statuses[i] = 201; id == "g" && stored[id] == 0 {
					statuses[i] = 429 // once, so that rows are moved
				}
				stored[id]++
			}
			tell(w, statuses)
		})
		var refused []driver.RefusedRow
		s := openLetters(t, url, collect(&refused))
		s.mustWrite(t, table.Sealed, rowsOf("abcdefghijklm")...)
		if len(stored) != 12 || s.Stats().Stored != 12 {
			t.Errorf("%d: stored are %v, stats %+v", status, stored, s.Stats())
		}
		want := map[int]driver.RefusalReason{413: driver.RefusedTooLarge, 400: driver.RefusedInvalid}[status]
		if len(refused) != 1 || refused[0].Reason != want || refused[0].Code != "too_much" || string(refused[0].Rows.Batch.Text(1, 0)) != "e" {
			t.Errorf("%d: refused: %+v", status, refused)
		}
	}
}

func TestErrorsOfACallHaveTheirClass(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		answer string
		class  error
		text   string
	}{
		"no login":        {401, "Unauthorized", driver.ErrPermission, "login_env"},
		"not allowed":     {403, `{"Message":"User: anonymous is not authorized"}`, driver.ErrPermission, "anonymous is not authorized"},
		"a block":         {403, `{"error":{"type":"cluster_block_exception","reason":"read-only"}}`, driver.ErrReadOnly, "index.blocks"},
		"no OpenSearch":   {404, "<html>", driver.ErrNotFound, "HTTP 404"},
		"elsewhere":       {302, "", driver.ErrInvalid, "leads elsewhere"},
		"nonsense":        {200, "hello", driver.ErrCorrupt, "no answer to a bulk"},
		"too few":         {200, `{"errors":false,"items":[{"index":{"status":201}}]}`, driver.ErrCorrupt, "1 of 2 rows"},
		"too many":        {200, `{"errors":true,"items":[` + strings.Repeat(`{"index":{"status":201}},`, 9) + `{"index":{"status":201}}]}`, driver.ErrCorrupt, "more than the 2"},
		"no status":       {200, `{"items":[{"index":{}},{"index":{}}]}`, driver.ErrCorrupt, "without a status"},
		"deep":            {200, strings.Repeat("[", 50_000), driver.ErrCorrupt, "no answer"},
		"endless":         {200, `{"took":"` + strings.Repeat("x", 1<<20), driver.ErrCorrupt, "longer than"},
		"a missing index": {200, `{"errors":true,"items":[{"index":{"status":404,"error":{"type":"index_not_found_exception"}}},{"index":{"status":201}}]}`, driver.ErrNotFound, "auto_create_index"},
		"a row's right":   {200, `{"errors":true,"items":[{"index":{"status":201}},{"index":{"status":403,"error":{"type":"security_exception"}}}]}`, driver.ErrPermission, "security_exception"},
	} {
		t.Run(name, func(t *testing.T) {
			url := answers(t, func(w http.ResponseWriter, _ call) {
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.answer)
			})
			s := openLetters(t, url, driver.SinkOptions{Refused: func(r driver.RefusedRow) { t.Errorf("refused: %+v", r) }})
			err := s.write(t, table.Sealed, rowsOf("ab")...)
			if !errors.Is(err, c.class) || !strings.Contains(err.Error(), c.text) || len(err.Error()) > 1000 {
				t.Errorf("the error is %.2000v", err)
			}
		})
	}
}

// A long page of a gateway in trouble is no more than its status.
func TestAServerInTroubleIsWaitedFor(t *testing.T) {
	n := 0
	url := answers(t, func(w http.ResponseWriter, c call) {
		if n++; n < 4 {
			w.WriteHeader([]int{502, 503, 429}[n-1])
			_, _ = io.WriteString(w, strings.Repeat("<p>trouble</p>", 100_000)) // the client may have gone
			return
		}
		tell(w, slices.Repeat([]int{201}, len(c.ids)))
	})
	var told atomic.Int32
	ctx := driver.WithRetries(t.Context(), func(error) { told.Add(1) })
	s, err := Open(ctx, url+"&id=name", letters, driver.SinkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.mustWrite(t, table.Sealed, rowsOf("ab")...)
	if st := s.Stats(); st.Stored != 2 || st.Faults != 3 || told.Load() != 3 {
		t.Errorf("stats %+v, told %d", st, told.Load())
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// A server that does not answer holds the writer up: what is on its way is bounded.
func TestASlowServerHoldsTheWriterUp(t *testing.T) {
	var mu sync.Mutex
	seen, largest := 0, 0
	release := make(chan struct{})
	url := answers(t, func(w http.ResponseWriter, c call) {
		mu.Lock()
		seen += c.size
		largest = max(largest, c.size)
		mu.Unlock()
		<-release
		tell(w, slices.Repeat([]int{201}, len(c.ids)))
	})
	s := openLetters(t, url+"&calls=2&bytes=64KiB", driver.SinkOptions{})
	written, done := atomic.Int64{}, make(chan error, 1)
	go func() {
		for i := range 1000 {
			b := table.NewBatch(letters)
			b.Append(letter{Name: fmt.Sprint(i), Pad: strings.Repeat("x", 1000)})
			if err := s.Write(t.Context(), table.Rows{Batch: b}); err != nil {
				done <- err
				return
			}
			written.Add(1)
		}
		done <- s.Flush(t.Context())
	}()
	for last, same := int64(-1), 0; same < 100; time.Sleep(poll) { // until it stands
		if now := written.Load(); now != last {
			last, same = now, 0
		} else {
			same++
		}
	}
	// Two calls and the bulk that is being filled.
	if n := written.Load(); n < 100 || n > 3*64 {
		t.Errorf("%d rows of 1 KB are taken by a sink of three times 64 KiB", n)
	}
	close(release)
	if err := <-done; err != nil || s.Stats().Stored != 1000 {
		t.Errorf("%v, stats %+v", err, s.Stats())
	}
	if largest > 64<<10 {
		t.Errorf("a call has %d bytes", largest)
	}
}

func TestCancelEndsCallsAtOnce(t *testing.T) {
	arrived := make(chan struct{}, 8)
	held := make(chan struct{})
	defer close(held)
	url := answers(t, func(http.ResponseWriter, call) {
		arrived <- struct{}{}
		<-held
	})
	s := openLetters(t, url, driver.SinkOptions{})
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
	if err := s.Write(t.Context(), table.Rows{Batch: b}); !errors.Is(err, context.Canceled) {
		t.Errorf("a sink that has ended gives %v", err)
	}
}

// Who waits for a server that is not there is told why when he gives up.
func TestGivingUpTellsTheFault(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	s := open(t, "opensearch://"+address+"/rows", letters, driver.SinkOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	b := table.NewBatch(letters)
	b.Append(letter{Name: "a"})
	done := make(chan error, 1)
	go func() { done <- s.Write(ctx, table.Rows{Batch: b}) }()
	for s.Stats().Faults == 0 {
		time.Sleep(poll)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || !errors.Is(err, driver.ErrUnavailable) || !strings.Contains(err.Error(), "refused") {
		t.Errorf("the error is %v", err)
	}
}
