package lakeio

import (
	"context"
	"errors"
	"io"

	"millrace/io/driver"
	"millrace/schemas/record"
)

// readAhead is how many blocks wait for the caller while the next is being
// read; with the one in the caller's hands and the one being filled, a reader
// holds about four blocks.
const readAhead = 2

// Open starts reading in a goroutine of its own, so that fetching and
// decompressing run beside the caller's work.
func (s *Source) Open(ctx context.Context, split driver.Split) (driver.Reader, error) {
	if split.Compression != "" && split.Compression != gzipName || split.Start < 0 || split.Length < split.Start || split.End > split.Length {
		return nil, &driver.Error{Doing: "read", Object: split.Name, Class: driver.ErrInvalid, Cause: errors.New("the split is not one of a log source")}
	}
	ctx, cancel := context.WithCancel(ctx)
	open := s.openLines
	if split.Schema != "" {
		open = s.openArchive
	}
	r, err := open(ctx, split)
	if err != nil {
		cancel()
		return nil, err
	}
	r.cancel = cancel
	go r.run(ctx)
	return r, nil
}

type reader struct {
	split  driver.Split
	cancel context.CancelFunc
	taken  func() int64 // stored bytes read
	// produce gives the blocks to emit, in its own goroutine, and frees what it
	// holds. It stops at an error.
	produce func(emit func(record.Block) error) error
	blocks  chan record.Block // closed at the end
	err     error             // io.EOF or why not; written before blocks is closed
}

func newReader(split driver.Split, taken func() int64) *reader {
	return &reader{split: split, taken: taken, blocks: make(chan record.Block, readAhead)}
}

func (s *Source) openLines(ctx context.Context, split driver.Split) (*reader, error) {
	lines := &lineCutter{block: int(s.cut.block), maxLine: int(s.cut.maxLine), end: split.End, length: -1, base: split.Start}
	file := logFile{name: split.Name, size: split.Length, version: split.Version}
	var raw *windows
	if split.Compression == gzipName {
		raw = newWindows(ctx, s.tree, file, 0, split.Length)
		content, _, err := decompress(split.Name, raw)
		if err != nil {
			_ = raw.Close()
			return nil, err
		}
		lines.r = content
	} else {
		lines.length = split.Length
		if split.Start > 0 {
			lines.base-- // to see whether a line ends there
		}
		raw = newWindows(ctx, s.tree, file, lines.base, split.End-lines.base+cutAhead)
		lines.r = raw
		if err := raw.open(); err != nil {
			return nil, err
		}
	}
	r := newReader(split, raw.taken.Load)
	r.produce = func(emit func(record.Block) error) error {
		defer raw.Close()
		return readLines(split, lines, emit)
	}
	return r, nil
}

func readLines(split driver.Split, lines *lineCutter, emit func(record.Block) error) error {
	if split.Start > 0 {
		if err := lines.skipTorn(); err != nil {
			return err
		}
	}
	for {
		run, err := lines.next()
		if err == io.EOF { //nolint:errorlint // the cutter's own; one inside another error is a fault
			return nil
		}
		if err != nil {
			return err
		}
		err = emit(record.Block{
			Source: split.Source, Name: split.Name, Format: split.Format, Near: split.Near, Base: run.base,
			Data: run.data, Duplicate: split.Duplicate, Oversize: run.oversize,
		})
		if err != nil {
			return err
		}
	}
}

func (r *reader) run(ctx context.Context) {
	defer close(r.blocks)
	r.err = r.produce(func(b record.Block) error {
		select {
		case r.blocks <- b:
			return context.Cause(ctx)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	if r.err == nil {
		r.err = io.EOF
	}
}

func (r *reader) Next(ctx context.Context) (record.Block, error) {
	if err := context.Cause(ctx); err != nil {
		return record.Block{}, err
	}
	select {
	case block, ok := <-r.blocks:
		if !ok {
			return record.Block{}, r.err
		}
		return block, nil
	case <-ctx.Done():
		return record.Block{}, context.Cause(ctx)
	}
}

// Progress is the stored bytes read so far, read-ahead included.
func (r *reader) Progress() int64 { return min(r.taken(), r.split.Size) }

// Close stops the goroutine and waits for it.
func (r *reader) Close() error {
	r.cancel()
	for range r.blocks { //revive:disable-line:empty-block -- what was read ahead is dropped
	}
	return nil
}

var _ interface {
	driver.Reader
	driver.Progress
} = (*reader)(nil)
