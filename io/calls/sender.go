// Package calls gathers rows into the calls of a sink, of which several are under way
// at a time, and keeps what every such sink has to keep: the order of rows of one
// identity, how much is in memory, which rows are refused, why it ended.
package calls

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"millrace/io/driver"
	"millrace/schemas/table"
)

// Options are what a sink does with its calls, which are C.
type Options[C any] struct {
	Place string // for messages
	Lanes int
	Each  int // calls of a lane under way at a time; 0 is 1, which keeps their order
	New   func() *C
	// Deliver sends a call until each of its rows is stored or refused. It ends with
	// ctx. An error ends the sink. Each call under way has its own goroutine.
	Deliver func(ctx context.Context, c *C) error
	// Reset empties a call that was delivered.
	Reset func(c *C)
	// Refused is that of driver.SinkOptions.
	Refused func(driver.RefusedRow)
}

// Sender sends calls in lanes. The calls of a lane go one after the other unless the
// options have more of them under way, so rows that always take the same lane keep
// their order. Besides those under way, one call of each lane is filled. One goroutine uses it, besides those of Deliver, for which are Refuse,
// Count, Faulty and Well.
type Sender[C any] struct {
	options Options[C]
	ctx     context.Context // of the calls; ends with the sink, for a cause
	end     context.CancelCauseFunc
	lanes   []lane[C]
	sending sync.WaitGroup
	closed  bool

	mu       sync.Mutex
	stats    Stats
	refusals []driver.RefusedRow // not told yet
	fault    error               // the latest that may pass; nil once a call went well
}

type lane[C any] struct {
	free, full chan *C
	current    *C // nil or one that is not free
}

// Stats count rows unless they say otherwise.
type Stats struct {
	Written int64 // taken by Write
	Stored  int64
	Stale   int64 // there already, in their version or a later one
	Refused int64
	Faults  int64 // calls that failed and were made again
	Calls   int64 // that brought rows
}

// errClosed is why the calls of a closed sink end.
var errClosed = errors.New("the sink is closed")

// Start starts the lanes. They end with Close, and not with ctx.
func Start[C any](ctx context.Context, o Options[C]) *Sender[C] {
	s := &Sender[C]{options: o, lanes: make([]lane[C], o.Lanes)}
	each := max(1, o.Each)
	s.ctx, s.end = context.WithCancelCause(context.WithoutCancel(ctx))
	for i := range s.lanes {
		l := &s.lanes[i]
		l.free, l.full = make(chan *C, each+1), make(chan *C)
		for range cap(l.free) {
			l.free <- o.New()
		}
		for range each {
			s.sending.Go(func() { s.send(l) })
		}
	}
	return s
}

// send delivers the calls of a lane until there are no more.
func (s *Sender[C]) send(l *lane[C]) {
	for c := range l.full {
		if s.ctx.Err() == nil {
			if err := s.options.Deliver(s.ctx, c); err != nil {
				s.end(err)
			}
		}
		s.options.Reset(c)
		l.free <- c
	}
}

// Context ends with ctx and with the sink, for the cause of whichever is first.
func (s *Sender[C]) Context(ctx context.Context) (merged context.Context, cancel func()) {
	merged, end := context.WithCancelCause(s.ctx)
	stop := context.AfterFunc(ctx, func() { end(context.Cause(ctx)) })
	return merged, func() { stop(); end(nil) }
}

// Current is the call that a lane fills. It waits for one to be free, and tells of
// refused rows meanwhile.
func (s *Sender[C]) Current(ctx context.Context, lane int) (*C, error) {
	l := &s.lanes[lane]
	if l.current != nil {
		return l.current, nil
	}
	select {
	case l.current = <-l.free:
		s.tell()
		return l.current, nil
	case <-ctx.Done():
	case <-s.ctx.Done():
	}
	return nil, s.Failure(ctx)
}

// Hand sends the call that a lane fills.
func (s *Sender[C]) Hand(ctx context.Context, lane int) error {
	l := &s.lanes[lane]
	if l.current == nil {
		return nil
	}
	select {
	case l.full <- l.current:
		l.current = nil
		return nil
	case <-ctx.Done():
	case <-s.ctx.Done():
	}
	return s.Failure(ctx)
}

// Failure is why the sink has ended, or ends as ctx does; nil when it has not. An
// ended sink stays so.
func (s *Sender[C]) Failure(ctx context.Context) error {
	if ctx.Err() != nil {
		s.end(context.Cause(ctx))
	}
	cause := context.Cause(s.ctx)
	var known *driver.Error
	switch fault := s.LastFault(); {
	case cause == nil || errors.As(cause, &known):
		return cause
	case fault != nil:
		return fmt.Errorf("write to %s: %w; before that: %w", s.options.Place, cause, fault)
	}
	return fmt.Errorf("write to %s: %w", s.options.Place, cause)
}

// End ends the sink for a cause.
func (s *Sender[C]) End(cause error) { s.end(cause) }

// Write adds the rows of a batch, which is to be of a schema, one after the other, and
// counts them.
func (s *Sender[C]) Write(ctx context.Context, schema *table.Schema, rows table.Rows, add func(ctx context.Context, rows table.Rows, row int) error) error {
	if have := rows.Batch.Schema(); have != schema {
		return fmt.Errorf("write to %s: rows of %s, but it was opened for %s", s.options.Place, have.ID(), schema.ID())
	}
	if rows.Batch.Len() == 0 {
		return nil
	}
	if err := s.Failure(ctx); err != nil {
		return err
	}
	for row := range rows.Batch.Len() {
		if err := add(ctx, rows, row); err != nil {
			return err
		}
	}
	s.written(rows.Batch.Len())
	return nil
}

// written counts rows that were taken, and tells of refused ones.
func (s *Sender[C]) written(rows int) {
	s.Count(func(st *Stats) { st.Written += int64(rows) })
	s.tell()
}

// Flush returns when all that was filled is delivered.
func (s *Sender[C]) Flush(ctx context.Context) error {
	for i := range s.lanes {
		if err := s.Hand(ctx, i); err != nil {
			return err
		}
	}
	for i := range s.lanes { // what is free is delivered
		var all []*C
		for l := &s.lanes[i]; len(all) < cap(l.free); {
			select {
			case c := <-l.free:
				all = append(all, c)
				continue
			case <-ctx.Done():
			case <-s.ctx.Done():
			}
			return s.Failure(ctx)
		}
		for _, c := range all {
			s.lanes[i].free <- c
		}
	}
	if err := s.Failure(ctx); err != nil {
		return err
	}
	s.tell()
	return nil
}

// Close flushes and ends the lanes. A sink that has failed ends at once, with what it
// failed with.
func (s *Sender[C]) Close(ctx context.Context) error {
	if s.closed {
		return nil
	}
	s.closed = true
	err := s.Failure(ctx)
	if err == nil {
		err = s.Flush(ctx)
	}
	s.end(errClosed)
	for i := range s.lanes {
		close(s.lanes[i].full)
	}
	s.sending.Wait()
	return err
}

// Abort ends the sink at once, as it is.
func (s *Sender[C]) Abort() {
	s.end(errClosed)
	_ = s.Close(s.ctx) // what it failed with is known
}

// Refuse keeps a refused row until it can be told of. Where nobody takes refused rows,
// it ends the sink, with the error it returns.
func (s *Sender[C]) Refuse(row driver.RefusedRow) error {
	if s.options.Refused == nil {
		err := &driver.Error{
			Doing: "write to", Object: s.options.Place, Class: driver.ErrInvalid,
			Cause: fmt.Errorf("a row is refused (%s), and nobody takes refused rows: %w", row.Reason, row.Err),
			Cure:  "mend what is there or what makes such rows; none was dropped",
		}
		s.end(err)
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Refused++
	s.refusals = append(s.refusals, row)
	return nil
}

// tell tells of refused rows, on the goroutine of the sink's caller.
func (s *Sender[C]) tell() {
	s.mu.Lock()
	rows := s.refusals
	s.refusals = nil
	s.mu.Unlock()
	for _, row := range rows {
		s.options.Refused(row)
	}
}

// Count changes the figures.
func (s *Sender[C]) Count(change func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.stats)
}

// Stats tells how far the sink is.
func (s *Sender[C]) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Faulty notes that a call failed and is made again.
func (s *Sender[C]) Faulty(ctx context.Context, err error) {
	s.mu.Lock()
	s.stats.Faults++
	s.fault = err
	s.mu.Unlock()
	driver.Retried(ctx, err)
}

// Well notes that a call went well.
func (s *Sender[C]) Well() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = nil
}

// LastFault is why calls are made again at the moment.
func (s *Sender[C]) LastFault() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}
