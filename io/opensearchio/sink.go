package opensearchio

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"millrace/io/driver"
	"millrace/schemas/pii"
	"millrace/schemas/table"
)

// Sink writes the rows of a schema; see the package for what it guarantees.
//
// Rows gather into bulks, and as many bulks as the URL says are on their way at a
// time. Batches are held until their rows are stored.
type Sink struct {
	config  *config
	client  *client
	options driver.SinkOptions
	path    string // of bulks
	encoder *encoder

	ctx     context.Context // of the calls; ends with the sink, for a cause
	end     context.CancelCauseFunc
	ready   bool // the template is there
	free    chan *bulk
	full    chan *bulk
	current *bulk // nil or one that is not free
	sending sync.WaitGroup
	closed  bool

	mu       sync.Mutex
	stats    Stats
	refusals []driver.RefusedRow // not told yet
	fault    error               // the latest that may pass; nil once a call went well
}

// Stats count rows unless they say otherwise.
type Stats struct {
	Written int64 // taken by Write
	Stored  int64
	Stale   int64 // there already, in their version or a later one
	Refused int64
	Retried int64 // put off by OpenSearch and sent again
	Faults  int64 // calls that failed and were made again
	Calls   int64 // bulks sent
}

var _ driver.Sink = (*Sink)(nil)

// errClosed is why the calls of a closed sink end.
var errClosed = errors.New("the sink is closed")

// Open opens an index, or one for each day, or a data stream, for rows of a schema:
//
//	opensearch://HOST:PORT/INDEX
//	opensearch+https://HOST/INDEX-{day}?compress=gzip&login_env=OPENSEARCH_LOGIN
//
// Nothing is sent before the first row. A schema that holds unmasked personal data
// is refused.
func Open(ctx context.Context, url string, schema *table.Schema, options driver.SinkOptions) (*Sink, error) {
	c, err := parse(url, schema)
	if err != nil {
		return nil, err
	}
	if err := pii.Refuse(schema.RowType()); err != nil {
		return nil, fmt.Errorf("write rows of %s to %s: %w", schema.ID(), c.place, err)
	}
	client, err := newClient(ctx, c)
	if err != nil {
		return nil, err
	}
	s := &Sink{
		config: c, client: client, options: options, encoder: newEncoder(c), path: "/_bulk?" + answerFilter,
		free: make(chan *bulk, c.calls+1), full: make(chan *bulk),
	}
	if !c.index.daily {
		s.path = "/" + c.index.before + s.path
	}
	s.ctx, s.end = context.WithCancelCause(context.WithoutCancel(ctx))
	for range cap(s.free) {
		s.free <- &bulk{}
	}
	for range c.calls {
		s.sending.Go(s.send)
	}
	return s, nil
}

// send delivers bulks until there are no more.
func (s *Sink) send() {
	for b := range s.full {
		if s.ctx.Err() == nil {
			if err := s.deliver(s.ctx, b); err != nil {
				s.end(err)
			}
		}
		b.reset()
		s.free <- b
	}
}

// Write implements driver.Sink.
func (s *Sink) Write(ctx context.Context, rows table.Rows) error {
	if rows.Batch.Schema() != s.config.schema {
		return fmt.Errorf("write to %s: rows of %s, but it was opened for %s", s.config.place, rows.Batch.Schema().ID(), s.config.schema.ID())
	}
	if rows.Batch.Len() == 0 {
		return nil
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	for row := range rows.Batch.Len() {
		if err := s.add(ctx, rows, row); err != nil {
			return err
		}
	}
	s.count(func(st *Stats) { st.Written += int64(rows.Batch.Len()) })
	s.tell()
	return nil
}

// prepare sees to the template, once.
func (s *Sink) prepare(ctx context.Context) error {
	if s.ready {
		return s.failure(ctx)
	}
	merged, cancel := context.WithCancelCause(s.ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })()
	if err := s.insist(merged, func() error { return s.client.prepare(merged) }); err != nil {
		s.end(err)
		return s.failure(ctx)
	}
	s.ready = true
	return nil
}

// add puts a row into the current bulk, which goes when it is full.
func (s *Sink) add(ctx context.Context, rows table.Rows, row int) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	it := item{rows: rows, row: uint32(row)} //nolint:gosec // a batch has less than 2^32 rows
	if why := s.unfit(rows, row); why != "" {
		return s.refuse(it.refused(driver.RefusedInvalid, "", s.config.fault(why, "")))
	}
	b := s.current
	it.from = len(b.text)
	b.text = s.encoder.append(b.text, rows, row)
	it.to = len(b.text)
	if size := it.to - it.from; size > s.config.bytes {
		b.text = b.text[:it.from]
		return s.refuse(it.refused(driver.RefusedTooLarge, "", s.config.fault(fmt.Sprintf("a row is a document of %d bytes, and a call takes %d", size, s.config.bytes), "raise bytes=")))
	}
	if it.to > s.config.bytes { // it begins the next bulk
		s.current = nil
		if err := s.take(ctx); err != nil {
			return err
		}
		s.current.text = append(s.current.text, b.text[it.from:it.to]...)
		b.text = b.text[:it.from]
		it.from, it.to = 0, len(s.current.text)
		if err := s.hand(ctx, b); err != nil {
			return err
		}
	}
	b = s.current
	b.items = append(b.items, it)
	if len(b.items) < s.config.rows {
		return nil
	}
	s.current = nil
	return s.hand(ctx, b)
}

// unfit tells what of a row no index can take, empty when nothing.
func (s *Sink) unfit(rows table.Rows, row int) string {
	if v := s.encoder.version; v >= 0 {
		if version := rows.Batch.Int(v, row); version < 0 || version > maxVersion {
			return fmt.Sprintf("the version %d is not between 0 and 2^62", version)
		}
	}
	if day := rows.Batch.DayOf(row); s.config.index.daily && (day < firstDay || day > lastDay) {
		return "the day of a row is not between 1900 and 2099, and has no index"
	}
	return ""
}

// take sees to a current bulk, which waits for one to be free.
func (s *Sink) take(ctx context.Context) error {
	if s.current != nil {
		return nil
	}
	select {
	case s.current = <-s.free:
		s.tell()
		return nil
	case <-ctx.Done():
	case <-s.ctx.Done():
	}
	return s.failure(ctx)
}

// hand gives a bulk to whoever is free to send it.
func (s *Sink) hand(ctx context.Context, b *bulk) error {
	select {
	case s.full <- b:
		return nil
	case <-ctx.Done():
	case <-s.ctx.Done():
	}
	return s.failure(ctx)
}

// failure is why the sink has ended, or ends as ctx does; nil when it has not. An
// ended sink stays so.
func (s *Sink) failure(ctx context.Context) error {
	if ctx.Err() != nil {
		s.end(context.Cause(ctx))
	}
	cause := context.Cause(s.ctx)
	var known *driver.Error
	switch {
	case cause == nil || errors.As(cause, &known):
		return cause
	case s.lastFault() != nil:
		return fmt.Errorf("write to %s: %w; before that: %w", s.config.place, cause, s.lastFault())
	}
	return fmt.Errorf("write to %s: %w", s.config.place, cause)
}

// Flush implements driver.Sink.
func (s *Sink) Flush(ctx context.Context) error {
	if b := s.current; b != nil {
		s.current = nil
		if len(b.items) == 0 {
			s.free <- b
		} else if err := s.hand(ctx, b); err != nil {
			return err
		}
	}
	// What is free is delivered.
	var all []*bulk
	for range cap(s.free) {
		select {
		case b := <-s.free:
			all = append(all, b)
			continue
		case <-ctx.Done():
		case <-s.ctx.Done():
		}
		return s.failure(ctx)
	}
	for _, b := range all {
		s.free <- b
	}
	if err := s.failure(ctx); err != nil {
		return err
	}
	s.tell()
	return nil
}

// Close implements driver.Sink. A sink that has failed ends at once, with what it
// failed with.
func (s *Sink) Close(ctx context.Context) error {
	if s.closed {
		return nil
	}
	s.closed = true
	err := s.failure(ctx)
	if err == nil {
		err = s.Flush(ctx)
	}
	s.end(errClosed)
	close(s.full)
	s.sending.Wait()
	s.client.http.CloseIdleConnections()
	return err
}

// refuse keeps a refused row until it can be told of.
func (s *Sink) refuse(row driver.RefusedRow) error {
	if s.options.Refused == nil {
		err := &driver.Error{
			Doing: "write to", Object: s.config.place, Class: driver.ErrInvalid,
			Cause: fmt.Errorf("a row is refused (%s), and nobody takes refused rows: %w", row.Reason, row.Err),
			Cure:  "mend the index or what makes such rows; none was dropped",
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
func (s *Sink) tell() {
	s.mu.Lock()
	rows := s.refusals
	s.refusals = nil
	s.mu.Unlock()
	for _, row := range rows {
		s.options.Refused(row)
	}
}

func (s *Sink) count(change func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.stats)
}

func (s *Sink) noteFault(ctx context.Context, err error) {
	s.mu.Lock()
	s.stats.Faults++
	s.fault = err
	s.mu.Unlock()
	driver.Retried(ctx, err)
}

func (s *Sink) noFault() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = nil
}

func (s *Sink) lastFault() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

// Stats tells how far the sink is.
func (s *Sink) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}
