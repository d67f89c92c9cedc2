package kinesisio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/io/driver"
	"millrace/schemas/record"
)

// openQuick opens the server's stream without pauses between calls.
func openQuick(t *testing.T, params string, opt driver.StreamOptions) *Stream {
	t.Helper()
	if opt.EventTime == nil {
		opt.EventTime = testTimes
	}
	s, err := OpenStream(t.Context(), "kinesis://logs?poll=1ms&rate=1GiB"+params, opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// startReader begins a stream and starts its only reader.
func startReader(t *testing.T, s *Stream) driver.StreamReader {
	t.Helper()
	cursors, err := s.Begin(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return startAt(t, s, cursors[0])
}

func startAt(t *testing.T, s *Stream, at driver.Cursor) driver.StreamReader {
	t.Helper()
	r, err := s.Read(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// nextUntil gives blocks to see until it is content.
func nextUntil(t *testing.T, r driver.StreamReader, see func(*record.Block) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		call, stop := context.WithTimeout(ctx, 100*time.Millisecond)
		b, err := r.Next(call)
		stop()
		if err != nil {
			t.Fatal(err)
		}
		if see(b) {
			return
		}
		if r.Done() {
			t.Fatal("the stream ended")
		}
		if ctx.Err() != nil {
			t.Fatalf("it does not come: %+v", r.Status())
		}
	}
}

func readLines(t *testing.T, r driver.StreamReader, n int) (lines []string) {
	t.Helper()
	nextUntil(t, r, func(b *record.Block) bool {
		if b != nil {
			lines = append(lines, linesOf(b)...)
		}
		return len(lines) >= n
	})
	return lines
}

func putNumbers(s *getServer, from, to int) (lines []string) {
	for i := from; i < to; i++ {
		lines = append(lines, fmt.Sprint(i))
		s.put(0, 0, []byte(lines[i-from]))
	}
	return lines
}

func TestWhatFailsForAWhileCostsNothing(t *testing.T) {
	for name, fault := range map[string]getFault{
		"throttling":               {status: 400, code: "ProvisionedThroughputExceededException"},
		"limits of calls":          {status: 400, code: "LimitExceededException"},
		"failures of the service":  {status: 500, code: "InternalFailure"},
		"answers without a code":   {status: 503},
		"broken connections":       {reset: true},
		"a key asked too often":    {status: 400, code: "KMSThrottlingException"},
		"iterators that run out":   {status: 400, code: "ExpiredIteratorException"},
		"rights that come late":    {status: 400, code: "AccessDeniedException"},
		"a stream known elsewhere": {status: 400, code: "ResourceNotFoundException"},
	} {
		t.Run(name, func(t *testing.T) {
			server := newGetServer(t, 1)
			want := putNumbers(server, 0, 50)
			server.most = func() int { return 7 }
			met := 0
			server.fault = func(operation string, call int) getFault {
				if operation == "GetRecords" && call%3 == 1 || operation == "GetShardIterator" && call%2 == 1 || operation == "ListShards" && call == 1 {
					met++
					return fault
				}
				return getFault{}
			}
			r := startReader(t, openQuick(t, "&until=tip", driver.StreamOptions{}))
			if diff := cmp.Diff(want, readLines(t, r, 50)); diff != "" {
				t.Errorf("lines (-put +read):\n%s", diff)
			}
			for !r.Done() {
				if _, err := r.Next(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if met == 0 {
				t.Error("no call failed: the test proves nothing")
			}
		})
	}
}

func TestFaultsAreTold(t *testing.T) {
	server := newGetServer(t, 1)
	server.fault = func(operation string, call int) getFault {
		if operation == "GetRecords" {
			return getFault{status: 400, code: "ProvisionedThroughputExceededException"}
		}
		return getFault{}
	}
	r := startReader(t, openQuick(t, "", driver.StreamOptions{}))
	nextUntil(t, r, func(*record.Block) bool {
		s := r.Status()[0]
		return s.Throttled > 1 && s.Retries == s.Throttled && strings.Contains(s.Fault, "ProvisionedThroughputExceeded") && s.Shard == "shardId-000000000000"
	})
	before := r.Status()[0]
	if before.FaultCode != "ProvisionedThroughputExceededException" || before.Since == 0 || before.Upto != 0 {
		t.Errorf("while nothing is read: %+v", before)
	}
	server.mu.Lock()
	server.fault = nil
	server.mu.Unlock()
	putNumbers(server, 0, 3)
	readLines(t, r, 3)
	if s := r.Status()[0]; s.Fault != "" || s.FaultCode != "" || s.Since != 0 || s.Upto < before.Since || s.Retries < before.Retries || s.Records != 3 || s.Bytes != 3 {
		t.Errorf("after the fault: %+v", s)
	}
}

func TestWhatStaysIsAnErrorWithACure(t *testing.T) {
	for name, test := range map[string]struct {
		fault func(*getServer)
		class error
		says  string
	}{
		"deleted while it is read": {func(s *getServer) { s.deleted = true }, driver.ErrNotFound, "deleted"},
		"no right": {func(s *getServer) {
			s.fault = func(string, int) getFault { return getFault{status: 400, code: "AccessDeniedException"} }
		}, driver.ErrPermission, "kinesis:GetRecords"},
		"no right to the key": {func(s *getServer) {
			s.fault = func(string, int) getFault { return getFault{status: 400, code: "KMSAccessDeniedException"} }
		}, driver.ErrPermission, "kms:Decrypt"},
	} {
		t.Run(name, func(t *testing.T) {
			server := newGetServer(t, 1)
			lines := putNumbers(server, 0, 5)
			r := startReader(t, openQuick(t, "", driver.StreamOptions{}))
			if diff := cmp.Diff(lines, readLines(t, r, 5)); diff != "" {
				t.Fatal(diff)
			}
			server.mu.Lock()
			test.fault(server)
			server.mu.Unlock()
			wantError(t, r, test.class, test.says)
			if _, err := r.Next(t.Context()); err == nil {
				t.Error("the error is not final")
			}
		})
	}
}

func wantError(t *testing.T, r driver.StreamReader, class error, says string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var err error
	for err == nil && ctx.Err() == nil {
		_, err = r.Next(ctx)
	}
	var e *driver.Error
	if !errors.Is(err, class) || !errors.As(err, &e) || e.Cure == "" || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "kinesis://logs") {
		t.Errorf("the error is %v, not of class %q with %q", err, class, says)
	}
}

func TestAStreamThatIsNotThereIsAnError(t *testing.T) {
	server := newGetServer(t, 1)
	server.deleted = true
	_, err := openQuick(t, "", driver.StreamOptions{}).Begin(t.Context(), 1)
	var e *driver.Error
	if !errors.Is(err, driver.ErrNotFound) || !errors.As(err, &e) || !strings.Contains(e.Cure, "us-east-1") {
		t.Errorf("the error is %v", err)
	}
}

func TestACursorOfAnotherStreamIsRefused(t *testing.T) {
	server := newGetServer(t, 1)
	cursors, err := openQuick(t, "", driver.StreamOptions{}).Begin(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	server.created = server.created.Add(time.Hour)
	if _, err := openQuick(t, "", driver.StreamOptions{}).Read(t.Context(), cursors[0]); !errors.Is(err, driver.ErrChanged) {
		t.Errorf("a stream created anew gives %v", err)
	}
}

func TestRecordsLostToRetentionAreTold(t *testing.T) {
	const hour = 3_600_000
	for name, test := range map[string]struct {
		trimmed int // of six records, of which three were read
		later   int // records put after the pause
		pause   time.Duration
		lost    bool
	}{
		"the position is still there": {trimmed: 2, later: 1, pause: 30 * time.Hour},
		"the position just went":      {trimmed: 3, later: 1, pause: 30 * time.Hour, lost: true},
		"records went":                {trimmed: 5, later: 1, pause: 30 * time.Hour, lost: true},
		"all went":                    {trimmed: 6, later: 2, pause: 30 * time.Hour, lost: true},
		"nothing went in time":        {trimmed: 0, later: 1, pause: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			server := newGetServer(t, 1)
			start := time.Now().Add(-100 * time.Hour)
			pause := time.Duration(0)
			var clock sync.Mutex
			server.tick = func() time.Time {
				clock.Lock()
				defer clock.Unlock()
				return start.Add(pause)
			}
			wait := func(d time.Duration) {
				clock.Lock()
				defer clock.Unlock()
				pause += d
			}
			open := func(params string) *Stream {
				s := openQuick(t, params, driver.StreamOptions{})
				s.now = server.tick
				return s
			}
			var sequences []string
			for i := range 6 {
				sequences = append(sequences, record.Sequence(server.put(0, start.UnixMilli()-2*hour+int64(i)*1000, []byte(fmt.Sprint(i)))))
			}
			server.most = func() int { return 1 }
			s := open("&block=1")
			r := startReader(t, s)
			readLines(t, r, 3)
			at, err := r.Cursor()
			if err != nil {
				t.Fatal(err)
			}
			r.Close()
			wait(test.pause)
			server.trim(0, test.trimmed)
			for i := range test.later {
				sequences = append(sequences, record.Sequence(server.put(0, server.tick().UnixMilli(), []byte(fmt.Sprint("later ", i)))))
			}
			r = startAt(t, open(""), at)
			want := len(sequences) - max(3, test.trimmed)
			var rolls []string
			var closes []record.Close
			got := 0
			nextUntil(t, r, func(b *record.Block) bool {
				if b != nil {
					got += len(b.Ends)
					if !slices.Contains(rolls, b.Roll) {
						rolls = append(rolls, b.Roll)
					}
					if b.Close != nil {
						closes = append(closes, *b.Close)
					}
				}
				return got == want
			})
			if !test.lost {
				if len(rolls) != 1 || len(closes) != 0 {
					t.Fatalf("rolls %v, closes %+v, though nothing was lost", rolls, closes)
				}
				return
			}
			// The roll before the gap ends there; the one behind it tells of it.
			if len(closes) != 1 || closes[0].Last != sequences[2] || closes[0].Lost || closes[0].Records != 3 {
				t.Fatalf("closes before the gap: %+v", closes)
			}
			wait(time.Hour)
			server.split(0)
			nextUntil(t, r, func(b *record.Block) bool {
				if b == nil || b.Close == nil {
					return false
				}
				c := *b.Close
				if !c.Lost || c.After != sequences[2] || c.First != sequences[max(3, test.trimmed)] || c.Records != int64(want) || !c.End {
					t.Errorf("the close behind the gap is %+v", c)
				}
				return true
			})
		})
	}
}

func TestAShardThatIsGoneHandsOnToWhatIsLeft(t *testing.T) {
	server := newGetServer(t, 2)
	server.put(0, 0, []byte("1"))
	s := openQuick(t, "&until=tip", driver.StreamOptions{})
	cursors, err := s.Begin(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	// Two generations of shards came and went.
	server.split(0) // 2, 3
	server.merge(3, 1)
	server.split(2) // 5, 6
	for i, text := range []string{"", "", "", "", "four", "five", "six"} {
		if text != "" {
			server.put(i, 1000, []byte(text))
		}
		server.shards[i].gone = text == ""
	}
	var lines []string
	var ends []record.Close
	for _, at := range cursors {
		r := startAt(t, s, at)
		for !r.Done() {
			b, err := r.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if b == nil {
				continue
			}
			lines = append(lines, linesOf(b)...)
			if b.Close != nil && b.Close.End {
				ends = append(ends, *b.Close)
			}
		}
		at, err := r.Cursor()
		if err != nil {
			t.Fatal(err)
		}
		if c, err := decodeCursor(at); err != nil || slices.ContainsFunc(c.Shards, func(s *shardState) bool { return server.shard(s.ID) == nil }) {
			t.Errorf("what is gone is still in the cursor %s", at)
		}
	}
	slices.Sort(lines)
	if diff := cmp.Diff([]string{"five", "four", "six"}, lines); diff != "" {
		t.Errorf("lines (-left +read):\n%s", diff)
	}
	if len(ends) != 2 || !ends[0].Lost || !ends[1].Lost {
		t.Errorf("the ends of the shards that are gone: %+v", ends)
	}
}
