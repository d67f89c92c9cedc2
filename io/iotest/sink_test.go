package iotest

import (
	"context"
	"fmt"
	"maps"
	"slices"
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
	rows    map[string]SinkRow
	step    func() error
	writing bool
}

func (m *memory) open(_ context.Context, _ string) (SinkWriter, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.writing {
		return nil, &driver.Error{Doing: "write to", Object: "memory", Class: driver.ErrBusy}
	}
	m.writing = true
	return &memoryWriter{m: m}, nil
}

type memoryWriter struct {
	m    *memory
	rows []SinkRow
}

func (w *memoryWriter) Write(ctx context.Context, b *table.Batch) error {
	for i := range b.Len() {
		var row SinkRow
		b.Row(i, &row)
		w.rows = append(w.rows, row)
	}
	return ctx.Err()
}

func (w *memoryWriter) Finish(ctx context.Context) error {
	defer w.Abort()
	if err := ctx.Err(); err != nil || len(w.rows) == 0 {
		return err
	}
	next := maps.Clone(w.m.rows)
	for _, row := range w.rows {
		key := fmt.Sprint(row.At, row.Key)
		if old, ok := next[key]; !ok || old.Version <= row.Version {
			next[key] = row
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

func TestMemoryKeepsWhatSinksPromise(t *testing.T) {
	RunSinkTests(t, SinkHarness{
		Can:    SinkCan{Pinned: true, Whole: true, Versioned: true, Exclusive: true},
		Refuse: pii.Refuse,
		New: func(*testing.T) SinkPlace {
			m := &memory{rows: map[string]SinkRow{}}
			return SinkPlace{
				Open: m.open,
				Read: func(*testing.T) []SinkRow { return slices.Collect(maps.Values(m.rows)) },
				Stored: func(*testing.T) map[string]string {
					stored := map[string]string{}
					for key, row := range m.rows {
						b := table.NewBatch(SinkRows)
						b.Append(row)
						bytes, _ := b.AppendBinary(nil)
						stored[key] = string(bytes)
					}
					return stored
				},
				Watch: func(step func() error) { m.step = step },
			}
		},
	})
}
