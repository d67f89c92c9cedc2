package transforms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"

	"millrace/internal/failure"
	"millrace/schemas/ledger"
	"millrace/schemas/record"
	"millrace/schemas/table"
)

// blockCore does the work of a DoFn over blocks on one goroutine, which owns it.
type blockCore = coreOf[*record.Block]

// coreOf does the work of a DoFn over elements of a type.
type coreOf[T any] interface {
	// process gives what became enough to go on, perhaps nothing.
	process(T) output
	// takeLast gives everything that is left at the end of a bundle.
	takeLast() output
	close()
}

// output is what a core has ready to go on.
type output struct {
	events, bad, late, raw *table.Batch // nil for none
	vault                  *table.Batch // goes with raw, see Vault
	group                  string       // of the rows, see table.Rows
	fragments, partials    []keyed
	funnels, steps         []keyed     // fragments
	series                 *deviceRows // nil for none
	ledger                 []byte
	last                   bool // of the bundle
	err                    error
}

type keyed struct {
	key  string
	blob []byte
}

func (o *output) empty() bool {
	for _, rows := range []*table.Batch{o.events, o.bad, o.late, o.raw, o.vault} {
		if rows != nil && rows.Len() > 0 {
			return false
		}
	}
	return o.series == nil && o.ledger == nil && o.err == nil && len(o.fragments)+len(o.partials)+len(o.funnels)+len(o.steps) == 0
}

// ofRoll says whose the rows are, which are all of one block: its roll's, with their account.
func (o *output) ofRoll(block *record.Block, l ledger.Ledger) {
	part := ledger.Part{Roll: block.Roll, Ledger: l, Close: block.Close, Read: int64(block.Records())}
	if o.vault != nil {
		part.Vault = int64(o.vault.Len())
	}
	o.group = block.Roll
	var err error
	o.ledger, err = json.Marshal(part)
	o.err = errors.Join(o.err, err)
}

// blockCores spread the blocks of a DoFn over cores.
type blockCores = coresOf[*record.Block]

// coresOf spread the elements of a DoFn over cores.
type coresOf[T any] struct {
	run    string
	flush  []chan struct{} // to each core: end of the bundle
	blocks chan T          // to whichever core is free
	ready  chan output     // from the cores
	quit   chan struct{}
}

func (b *coresOf[T]) start(run string, cores []coreOf[T]) {
	b.run, b.blocks, b.ready, b.quit = run, make(chan T), make(chan output), make(chan struct{})
	for _, c := range cores {
		flush := make(chan struct{})
		b.flush = append(b.flush, flush)
		go serve(c, b.blocks, flush, b.ready, b.quit)
	}
}

func (b *coresOf[T]) stop() {
	if b.quit != nil {
		close(b.quit)
	}
	b.flush, b.quit = nil, nil
}

// serve processes blocks until quit is closed.
func serve[T any](c coreOf[T], blocks <-chan T, flush <-chan struct{}, ready chan<- output, quit <-chan struct{}) {
	defer c.close()
	for {
		var out output
		select {
		case block := <-blocks:
			out = guarded(func() output { return c.process(block) })
			if out.empty() {
				continue
			}
		case <-flush:
			out = guarded(c.takeLast)
			out.last = true
		case <-quit:
			return
		}
		select {
		case ready <- out:
		case <-quit:
			return
		}
	}
}

// guarded makes an error of a panic: here it would end the process, whose last words
// nobody hears where a runner has started it.
func guarded(work func() output) (out output) {
	defer func() {
		if cause := recover(); cause != nil {
			out = output{err: fmt.Errorf("panic: %v\n%s", cause, debug.Stack())}
		}
	}()
	return work()
}

// process hands the block to a core and does not wait for it: meanwhile the next
// block is read. Only this goroutine may emit, so it does for the cores.
func (b *coresOf[T]) process(ctx context.Context, block T, to *emitters) error {
	for {
		select {
		case b.blocks <- block:
			return nil
		case out := <-b.ready:
			if err := to.emit(out); err != nil {
				return failure.Note(b.run, err)
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// finish asks each core for everything that is left, once the block in hand is done.
func (b *coresOf[T]) finish(to *emitters) error {
	for _, flush := range b.flush {
		go func(quit <-chan struct{}) {
			select {
			case flush <- struct{}{}:
			case <-quit:
			}
		}(b.quit)
	}
	for finished := 0; finished < len(b.flush); {
		out := <-b.ready
		if err := to.emit(out); err != nil {
			return failure.Note(b.run, err)
		}
		if out.last {
			finished++
		}
	}
	return nil
}

// emitters are where the outputs of a DoFn over blocks go. Those of outputs that its
// cores never give are nil.
type emitters struct {
	events, bad, late, raw func(table.Rows)
	fragments, partials    func(string, []byte)
	funnels                func(string, []byte)
	ledgers                func([]byte)
	steps                  func(string, []byte)
	series                 func(*deviceRows)
}

func (to *emitters) emit(out output) error {
	for _, rows := range []struct {
		*table.Batch
		emit func(table.Rows)
	}{{out.events, to.events}, {out.bad, to.bad}, {out.late, to.late}, {out.raw, to.raw}, {out.vault, to.raw}} {
		if rows.Batch != nil && rows.Len() > 0 {
			rows.emit(table.Rows{Batch: rows.Batch, Group: out.group})
		}
	}
	for _, p := range out.fragments {
		to.fragments(p.key, p.blob)
	}
	for _, p := range out.partials {
		to.partials(p.key, p.blob)
	}
	for _, p := range out.funnels {
		to.funnels(p.key, p.blob)
	}
	for _, p := range out.steps {
		to.steps(p.key, p.blob)
	}
	if out.series != nil {
		to.series(out.series)
	}
	if out.ledger != nil {
		to.ledgers(out.ledger)
	}
	return out.err
}
