package redshiftio

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/internal/testenv/redshift"
	"millrace/io/driver"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
)

// letter is a row of few columns.
type letter struct {
	At   table.Millis `col:"at,sort1,day" doc:"a time"`
	Name string       `col:"name,sort2" mask:"none" doc:"a text"`
}

var letters = table.MustOf[letter]("redshiftio.letters", 1)

// once gives a fault the first so many times that a statement of a kind comes.
func once(times int32, kind string, fault error) func(string) error {
	var met atomic.Int32
	return func(sql string) error {
		if strings.HasPrefix(sql, kind) && met.Add(1) <= times {
			return fault
		}
		return nil
	}
}

// check compares the names in a table, each once, and the loads in its ledger.
func (w *world) check(t *testing.T, name string, loads int, want ...string) {
	t.Helper()
	got := []string{}
	for _, r := range w.all(t, "SELECT name FROM "+name+" ORDER BY 1") {
		got = append(got, r[0])
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("rows (-want +got):\n%s", d)
	}
	if n := w.all(t, "SELECT count(*) FROM "+name+"_loads")[0][0]; n != fmt.Sprint(loads) {
		t.Errorf("the ledger has %s loads, want %d", n, loads)
	}
}

func TestAnAnswerThatGetsLostAfterTheCommitIsAskedForAgain(t *testing.T) {
	w := newWorld(t, redshift.Options{})
	inBothWays(t, w, func(t *testing.T, via string) {
		name := w.name()
		s := open(t, w.url(name, via, ""), letters, driver.SinkOptions{})
		s.mustWrite(t, table.Sealed, letter{Name: "a"})
		var lost atomic.Int32
		if via == viaData {
			w.api.Disturb(func(operation string) *redshift.Fault {
				return &redshift.Fault{Lose: operation == "BatchExecuteStatement" && lost.Add(1) == 1}
			})
			defer w.api.Disturb(nil)
		} else {
			w.ware.Break(func(sql string) error {
				if sql == "COMMIT" && lost.Add(1) == 1 {
					return redshift.ErrAnswerLost
				}
				return nil
			})
			defer w.ware.Break(nil)
		}
		s.mustWrite(t, table.Sealed, letter{Name: "b"})
		w.check(t, name, 2, "a", "b")
		if st := s.Stats(); lost.Load() < 2 || st.Faults == 0 || via == viaWire && st.Replays != 1 || via == viaData && st.Replays != 0 {
			t.Errorf("%d calls, stats %+v", lost.Load(), st)
		}
	})
}

func TestThrottlingIsWaitedForAndTold(t *testing.T) {
	w := newWorld(t, redshift.Options{})
	var mu sync.Mutex
	met := map[string]int{}
	w.api.Disturb(func(operation string) *redshift.Fault {
		mu.Lock()
		defer mu.Unlock()
		switch met[operation]++; met[operation] {
		case 1:
			return &redshift.Fault{Type: "ThrottlingException"}
		case 2:
			return &redshift.Fault{Type: "InternalServerException", Status: 500}
		case 3:
			return &redshift.Fault{Type: "ActiveStatementsExceededException"}
		}
		return nil
	})
	var told []error
	ctx := driver.WithRetries(t.Context(), func(err error) { told = append(told, err) })
	name := w.name()
	s := open(t, w.url(name, viaData, ""), letters, driver.SinkOptions{})
	b := table.NewBatch(letters)
	b.Append(letter{Name: "a"})
	if err := s.Write(ctx, table.Rows{Batch: b}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(ctx); err != nil {
		t.Fatal(err)
	}
	w.check(t, name, 1, "a")
	throttled := 0
	for _, err := range told {
		if errors.Is(err, driver.ErrThrottled) {
			throttled++
		}
	}
	if throttled < 6 || len(told) < 9 { // of three operations at least
		t.Errorf("told %d retries, %d for throttling: %v", len(told), throttled, told)
	}
}

func TestStatementsThatFailByChanceRunAgain(t *testing.T) {
	w := newWorld(t, redshift.Options{})
	for what, fault := range map[string]error{
		"a conflict":           &redshift.StatementError{Code: "XX000", Text: "1023 Serializable isolation violation on table - 100123"},
		"a statement aborted":  redshift.ErrAborted,
		"a connection broken":  redshift.ErrHangUp,
		"a stage that is slow": errors.New("S3ServiceException:Please reduce your request rate.,Status 503,Error SlowDown"),
	} {
		inBothWays(t, w, func(t *testing.T, via string) {
			for _, kind := range []string{"COPY", "COMMIT"} {
				name := w.name()
				s := open(t, w.url(name, via, ""), weblog.Sessions, driver.SinkOptions{})
				s.mustWrite(t, table.Sealed, visit("a", 1, 1))
				w.ware.Break(once(1, kind, fault))
				s.mustWrite(t, table.Sealed, visit("a", 2, 2), visit("b", 1, 1))
				w.ware.Break(nil)
				want := [][]string{{"a", "2"}, {"b", "1"}}
				if d := cmp.Diff(want, w.all(t, "SELECT session_id, version FROM "+name+" ORDER BY 1")); d != "" {
					t.Errorf("%s at %s: rows (-want +got):\n%s", what, kind, d)
				}
				if st := s.Stats(); st.Faults < 1 || st.Replays != 0 {
					t.Errorf("%s at %s: stats %+v", what, kind, st)
				}
			}
		})
	}
}

func TestRowsThatDoNotFitAreRefusedAndTheOthersGoOn(t *testing.T) {
	w := newWorld(t, redshift.Options{})
	inBothWays(t, w, func(t *testing.T, via string) {
		name := w.name()
		w.exec(t, "CREATE TABLE "+name+" (id VARCHAR(36), at TIMESTAMP, name VARCHAR(10), small INTEGER NOT NULL, ratio DOUBLE PRECISION, \"on\" DATE, payload BYTEA, \"user\" BOOLEAN)")
		w.exec(t, "CREATE TABLE "+name+"_loads (load_id VARCHAR(64), row_count BIGINT, loaded_at TIMESTAMP)")
		var refused []driver.RefusedRow
		s := open(t, w.url(name, via, "&ddl=skip"), measures, collect(&refused))
		var rows []any
		for i := range 20 {
			row := measure{ID: id(byte(i)), Small: pointer(int32(i))}
			switch i {
			case 3:
				row.Name = pointer("eleven char")
			case 5:
				row.Name = pointer("zero \x00")
			case 7:
				row.At = lastMillis + 1
			case 9:
				row.Payload = pointer(make([]byte, 3<<20))
			case 11, 16:
				row.Small = nil // the table has a rule of its own
			case 13:
				row.Name = pointer("no \xff UTF-8")
			}
			rows = append(rows, row)
		}
		s.mustWrite(t, table.Sealed, rows...)
		if n := w.all(t, "SELECT count(*) FROM "+name)[0][0]; n != "13" {
			t.Errorf("%s rows are stored, want 13", n)
		}
		want := map[byte]driver.RefusalReason{
			3: driver.RefusedTooLarge, 5: driver.RefusedInvalid, 7: driver.RefusedInvalid, 9: driver.RefusedTooLarge,
			11: driver.RefusedInvalid, 13: driver.RefusedInvalid, 16: driver.RefusedInvalid,
		}
		got := map[byte]driver.RefusalReason{}
		for _, r := range refused {
			row := r.Rows.Batch.UUID(0, 0)
			got[row[15]] = r.Reason
			if r.Rows.Batch.Len() != 1 || !errors.Is(r.Err, driver.ErrInvalid) || len(r.Err.Error()) > 700 {
				t.Errorf("refused: %+v", r)
			}
			if ours := row[15] == 11 || row[15] == 16; ours != (r.Attempts > 1) || ours && !strings.Contains(r.Err.Error(), "null value in column") {
				t.Errorf("row %d is refused after %d attempts: %v", row[15], r.Attempts, r.Err)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("refused (-want +got):\n%s", d)
		}
		if st := s.Stats(); st.Refused != 7 || st.Stored != 13 {
			t.Errorf("stats %+v", st)
		}
		// Where nobody takes them, none is dropped in silence.
		for _, row := range []measure{{ID: id(3), Name: pointer("eleven char")}, {ID: id(11)}} {
			s := open(t, w.url(name, via, "&ddl=skip"), measures, driver.SinkOptions{})
			if err := s.write(t, table.Sealed, row); !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), "nobody takes refused rows") {
				t.Errorf("the error is %v", err)
			}
			if err := s.Close(t.Context()); !errors.Is(err, driver.ErrInvalid) {
				t.Errorf("closing gives %v", err)
			}
		}
	})
}

func TestFaultsThatStayEndTheSink(t *testing.T) {
	w := newWorld(t, redshift.Options{})
	inBothWays(t, w, func(t *testing.T, via string) {
		for _, c := range []struct {
			fault error
			class error
		}{
			{&redshift.StatementError{Code: "42501", Text: "permission denied for relation rows"}, driver.ErrPermission},
			{&redshift.StatementError{Code: "XX000", Text: "S3ServiceException:Access Denied,Status 403"}, driver.ErrPermission},
			{&redshift.StatementError{Code: "42601", Text: "syntax error at or near COPY"}, driver.ErrInvalid},
			{&redshift.StatementError{Code: "XX000", Text: "Spectrum Scan Error: has an incompatible Parquet schema for column"}, driver.ErrInvalid},
		} {
			name := w.name()
			var refused []driver.RefusedRow
			s := open(t, w.url(name, via, ""), letters, collect(&refused))
			s.mustWrite(t, table.Sealed, letter{Name: "a"})
			w.ware.Break(once(9, "COPY", c.fault))
			if err := s.write(t, table.Sealed, letter{Name: "b"}, letter{Name: "c"}); !errors.Is(err, c.class) || len(refused) > 0 {
				t.Errorf("%v gives %v, refused %v", c.fault, err, refused)
			}
			w.ware.Break(nil)
			if err := s.write(t, table.Sealed, letter{Name: "d"}); !errors.Is(err, c.class) {
				t.Errorf("a sink that has ended gives %v", err)
			}
			w.check(t, name, 1, "a")
		}
		if err := open(t, w.url("nowhere.rows", via, ""), letters, driver.SinkOptions{}).write(t, table.Sealed, letter{}); !errors.Is(err, driver.ErrNotFound) {
			t.Errorf("a schema that is not there gives %v", err)
		}
	})
}

func TestOutagesAreWaitedFor(t *testing.T) {
	t.Setenv("AWS_MAX_ATTEMPTS", "1") // the store's own patience would lengthen the test
	w := newWorld(t, redshift.Options{})
	stage := testenv.Toxiproxy(t, w.s3.Addr)
	t.Setenv("AWS_ENDPOINT_URL_S3", "http://"+stage.Addr)
	inBothWays(t, w, func(t *testing.T, via string) {
		name := w.name()
		url, house := w.url(name, via, "&timeout=20s"), testenv.Toxiproxy(t, w.api.Addr)
		if via == viaWire {
			house = testenv.Toxiproxy(t, w.ware.Addr)
			url = strings.Replace(url, w.ware.Addr, house.Addr, 1)
		} else {
			t.Setenv("AWS_ENDPOINT_URL_REDSHIFT_DATA", "http://"+house.Addr)
		}
		house.Cut(t) // also before the first call
		retries := make(chan error, 1000)
		ctx := driver.WithRetries(t.Context(), func(err error) { retries <- err })
		done := make(chan error, 1)
		go func() {
			s, err := Open(ctx, url, letters, driver.SinkOptions{})
			if err != nil {
				done <- err
				return
			}
			for i := range 6 {
				b := table.NewBatch(letters)
				b.Append(letter{Name: fmt.Sprint("row", i)})
				err := s.Write(ctx, table.Rows{Batch: b})
				if err == nil {
					err = s.Flush(ctx)
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- s.Close(ctx)
		}()
		var ended error
		hurt := func() { // until it is noticed, or all is done
			select {
			case fault := <-retries:
				if fault == nil {
					t.Error("a retry without a fault")
				}
			case ended = <-done:
				done <- ended
			case <-time.After(time.Minute):
				t.Error("no fault is noticed")
			}
		}
		hurt()
		house.Mend(t)
		for _, proxy := range []*testenv.Proxy{stage, house} {
			proxy.Cut(t)
			hurt()
			proxy.Mend(t)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		w.check(t, name, 6, "row0", "row1", "row2", "row3", "row4", "row5")
	})
}

func TestACallThatEndsTakesItsStatementAlong(t *testing.T) {
	w := newWorld(t, redshift.Options{})
	for when, lose := range map[string]bool{"while it waits for an answer": true, "between two": false} {
		name := w.name()
		s := open(t, w.url(name, viaData, ""), letters, driver.SinkOptions{})
		s.mustWrite(t, table.Sealed, letter{Name: "a"})
		w.exec(t, "BEGIN")
		w.exec(t, "LOCK TABLE "+name+"_loads") // the load has to wait
		ctx, cancel := context.WithCancel(t.Context())
		var asked atomic.Int32
		w.api.Disturb(func(operation string) *redshift.Fault {
			if operation != "DescribeStatement" || asked.Add(1) != 3 {
				return nil
			}
			if lose {
				cancel()
				return &redshift.Fault{Lose: true}
			}
			time.AfterFunc(time.Millisecond, cancel)
			return nil
		})
		before := w.api.Calls("CancelStatement")
		b := table.NewBatch(letters)
		b.Append(letter{Name: "b"})
		if err := s.Write(ctx, table.Rows{Batch: b}); err != nil {
			t.Fatal(err)
		}
		if err := s.Flush(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the error is %v", when, err)
		}
		w.api.Disturb(nil)
		if n := w.api.Calls("CancelStatement") - before; n != 1 {
			t.Errorf("%s: the statement was cancelled %d times", when, n)
		}
		w.exec(t, "COMMIT")
		w.check(t, name, 1, "a")
	}
}
