package calls

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"millrace/io/driver"
	"millrace/schemas/table"
)

type row struct {
	At table.Millis `col:"at,sort1,day" doc:"a time"`
	N  int64        `col:"n" doc:"a number"`
}

var rows = table.MustOf[row]("calls.rows", 1)

type numbers struct{ list []int }

// harness is a sender of numbers in lanes of their remainder, five a call.
type harness struct {
	*Sender[numbers]
	mu   sync.Mutex
	seen [][]int // by lane
}

func start(t *testing.T, lanes int, options Options[numbers]) *harness {
	h := &harness{seen: make([][]int, lanes)}
	deliver := options.Deliver
	options.Lanes, options.Place, options.New, options.Reset = lanes, "here", func() *numbers { return &numbers{} }, func(n *numbers) { n.list = n.list[:0] }
	options.Deliver = func(ctx context.Context, n *numbers) error {
		if deliver != nil {
			if err := deliver(ctx, n); err != nil {
				return err
			}
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, i := range n.list {
			h.seen[i%lanes] = append(h.seen[i%lanes], i)
		}
		return nil
	}
	h.Sender = Start(t.Context(), options)
	t.Cleanup(h.Abort)
	return h
}

func (h *harness) add(ctx context.Context, i int) error {
	lane := i % len(h.seen)
	n, err := h.Current(ctx, lane)
	if err != nil {
		return err
	}
	if n.list = append(n.list, i); len(n.list) < 5 {
		return nil
	}
	return h.Hand(ctx, lane)
}

func TestWhatTakesOneLaneKeepsItsOrder(t *testing.T) {
	h := start(t, 3, Options[numbers]{})
	for i := range 1000 {
		if err := h.add(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	total := 0
	for lane, seen := range h.seen {
		total += len(seen)
		if !slices.IsSorted(seen) {
			t.Errorf("lane %d saw %v", lane, seen)
		}
	}
	if total != 1000 {
		t.Errorf("%d of 1000 are delivered", total)
	}
	if err := errors.Join(h.Close(t.Context()), h.Close(t.Context())); err != nil {
		t.Error(err)
	}
}

func TestRefusedRowsAreToldBeforeFlushReturns(t *testing.T) {
	told := 0 // by this goroutine alone, or the race detector says so
	var h *harness
	b := table.NewBatch(rows)
	b.Append(row{N: 7})
	h = start(t, 2, Options[numbers]{
		Refused: func(r driver.RefusedRow) {
			if told++; r.Rows.Batch.Len() != 1 || r.Rows.Kind != table.Provisional || r.Attempts != 3 {
				t.Errorf("told of %+v", r)
			}
		},
		Deliver: func(context.Context, *numbers) error {
			r := Row{Rows: table.Rows{Batch: b, Kind: table.Provisional}, Attempts: 3}
			return h.Refuse(r.Refused(driver.RefusedInvalid, "", errors.New("because")))
		},
	})
	for i := range 100 {
		if err := h.add(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Flush(t.Context()); err != nil || told != 20 || h.Stats().Refused != 20 {
		t.Errorf("told of %d; %v", told, err)
	}
}

func TestACallThatFailsForGoodEndsTheSender(t *testing.T) {
	fault := &driver.Error{Doing: "write to", Object: "here", Class: driver.ErrPermission}
	h := start(t, 2, Options[numbers]{Deliver: func(ctx context.Context, _ *numbers) error { return fault }})
	var err error
	for i := 0; err == nil; i++ {
		err = h.add(t.Context(), i)
	}
	if !errors.Is(err, driver.ErrPermission) || !errors.Is(h.Close(t.Context()), driver.ErrPermission) {
		t.Errorf("the error is %v", err)
	}
}

func TestFaultsThatPassAreWaitedForAndTold(t *testing.T) {
	tries, told := 0, 0
	var h *harness
	h = start(t, 1, Options[numbers]{Deliver: func(ctx context.Context, _ *numbers) error {
		return h.Insist(ctx, func() error {
			if tries++; tries < 4 {
				return &driver.Error{Class: []error{driver.ErrThrottled, driver.ErrUnavailable}[tries%2]}
			}
			return nil
		})
	}})
	h.ctx = driver.WithRetries(h.ctx, func(error) { told++ })
	if err := errors.Join(h.add(t.Context(), 0), h.Flush(t.Context())); err != nil || tries != 4 || told != 3 || h.Stats().Faults != 3 || h.LastFault() != nil {
		t.Errorf("%v after %d tries, told %d, %v", err, tries, told, h.LastFault())
	}
}
