package iotest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"millrace/io/driver"
	"millrace/schemas/pii"
	"millrace/schemas/table"
)

// memory is the plainest sink that keeps what the suite asks for: a table by
// time and key in which the greater version wins, changed at Finish.
type memory struct {
	mu      sync.Mutex
	rows    map[string]kept
	step    func() error
	writing bool
}

// kept is a row, of whatever kind.
type kept struct {
	row  SinkRow
	kind table.RowKind
}

// rank orders what is said of a row: of equal versions the provisional one loses.
func (k kept) rank() int64 {
	if k.kind == table.Provisional {
		return 2 * k.row.Version
	}
	return 2*k.row.Version + 1
}

// longestNote is the limit of a note in memory; there is a poisoned text, too.
const (
	longestNote = 1000
	poison      = "poison"
)

func (m *memory) open(_ context.Context, _ string, options driver.SinkOptions) (SinkWriter, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.writing {
		return nil, &driver.Error{Doing: "write to", Object: "memory", Class: driver.ErrBusy}
	}
	m.writing = true
	return &memoryWriter{m: m, options: options}, nil
}

type memoryWriter struct {
	m       *memory
	options driver.SinkOptions
	rows    []kept
}

func (w *memoryWriter) Write(ctx context.Context, b *table.Batch) error {
	return w.WriteRows(ctx, table.Rows{Batch: b})
}

func (w *memoryWriter) WriteRows(ctx context.Context, rows table.Rows) error {
	for i := range rows.Batch.Len() {
		k := kept{kind: rows.Kind}
		rows.Batch.Row(i, &k.row)
		refused := driver.RefusedRow{Rows: table.Rows{Batch: table.NewBatch(SinkRows), Kind: rows.Kind}}
		switch note := k.row.Note; {
		case note != nil && len(*note) > longestNote:
			refused.Reason, refused.Err = driver.RefusedTooLarge, errors.New("a long note")
		case note != nil && strings.HasPrefix(*note, poison):
			refused.Reason, refused.Err, refused.Attempts = driver.RefusedInvalid, errors.New("a poisoned note"), 1
		default:
			w.rows = append(w.rows, k)
			continue
		}
		if w.options.Refused == nil {
			return &driver.Error{Doing: "write to", Object: "memory", Class: driver.ErrInvalid, Cause: refused.Err}
		}
		refused.Rows.Batch.Append(k.row)
		w.options.Refused(refused)
	}
	return ctx.Err()
}

func (w *memoryWriter) Finish(ctx context.Context) error {
	defer w.Abort()
	if err := ctx.Err(); err != nil || len(w.rows) == 0 {
		return err
	}
	next := maps.Clone(w.m.rows)
	for _, k := range w.rows {
		key := fmt.Sprint(k.row.At, k.row.Key)
		if old, ok := next[key]; !ok || old.rank() <= k.rank() {
			next[key] = k
		}
	}
	if w.m.step != nil {
		if err := w.m.step(); err != nil {
			return err
		}
	}
	w.m.rows = next
	return nil
}

func (w *memoryWriter) Abort() {
	w.m.mu.Lock()
	defer w.m.mu.Unlock()
	w.m.writing = false
}

func (m *memory) read(*testing.T) (rows []SinkRow) {
	for _, k := range m.rows {
		if k.kind != table.Withdrawn {
			rows = append(rows, k.row)
		}
	}
	return rows
}

func (m *memory) stored(*testing.T) map[string]string {
	stored := map[string]string{}
	for key, k := range m.rows {
		b := table.NewBatch(SinkRows)
		b.Append(k.row)
		bytes, _ := b.AppendBinary(nil)
		stored[key] = string(bytes)
	}
	return stored
}

func TestMemoryKeepsWhatSinksPromise(t *testing.T) {
	noted := func(text string) func(int) SinkRow {
		return func(n int) SinkRow { return SinkRow{At: 7, Key: fmt.Sprint("bad-", n), Note: &text, Version: 1} }
	}
	RunSinkTests(t, SinkHarness{
		Can:    SinkCan{Pinned: true, Whole: true, Versioned: true, Exclusive: true, Withdraws: true, Seals: true},
		Refuse: pii.Refuse,
		New: func(*testing.T) SinkPlace {
			m := &memory{rows: map[string]kept{}}
			return SinkPlace{
				OpenWith: m.open, Read: m.read, Stored: m.stored,
				Watch:  func(step func() error) { m.step = step },
				Poison: noted(poison), TooLarge: noted(strings.Repeat("x", longestNote+1)),
			}
		},
	})
}

var errSink = errors.New("the sink's error")

// sinkOf is a driver.Sink that says what it is asked.
type sinkOf struct {
	ctx   context.Context // to see whether it ends
	calls []string
}

func (s *sinkOf) Write(_ context.Context, rows table.Rows) error {
	s.calls = append(s.calls, fmt.Sprint("write ", rows.Batch.Len(), " of kind ", rows.Kind))
	return nil
}
func (s *sinkOf) Flush(context.Context) error { return errSink }

func (s *sinkOf) Close(context.Context) error {
	s.calls = append(s.calls, fmt.Sprint("close, ended: ", s.ctx.Err() != nil))
	return errSink
}

func TestAWriterOfASinkEndsIt(t *testing.T) {
	for name, end := range map[string]func(SinkWriter){
		"close, ended: false": func(w SinkWriter) {
			if err := w.Finish(t.Context()); !errors.Is(err, errSink) {
				t.Errorf("finish gives %v", err)
			}
		},
		"close, ended: true": SinkWriter.Abort,
	} {
		s := &sinkOf{}
		w, err := WriterOf(t.Context(), func(ctx context.Context) (driver.Sink, error) {
			s.ctx = ctx
			return s, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(t.Context(), batches(makeRows(1, 1, 0), 300)[0]); err != nil {
			t.Fatal(err)
		}
		end(w)
		if want := []string{"write 300 of kind 0", name}; !slices.Equal(s.calls, want) {
			t.Errorf("it is asked to %q, want %q", s.calls, want)
		}
	}
	if w, err := WriterOf(t.Context(), func(context.Context) (driver.Sink, error) { return nil, errSink }); w != nil || !errors.Is(err, errSink) {
		t.Errorf("a sink that does not open gives %v, %v", w, err)
	}
}
