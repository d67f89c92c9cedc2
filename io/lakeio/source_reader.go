package lakeio

import (
	"context"
	"errors"

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
	ctx, cancel := context.WithCancel(ctx)
	r := &reader{source: s, split: split, cancel: cancel, blocks: make(chan record.Block, readAhead)}
	lines, err := r.open(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	go r.run(ctx, lines)
	return r, nil
}

type reader struct {
	source *Source
	split  driver.Split
	cancel context.CancelFunc
	raw    *windows
	blocks chan record.Block // closed at the end
	err    error             // io.EOF or why not; written before blocks is closed
}

func (r *reader) open(ctx context.Context) (*lineCutter, error) {
	s := r.split
	if s.Compression != "" && s.Compression != gzipName || s.Start < 0 || s.Length < s.Start || s.End > s.Length {
		return nil, &driver.Error{Doing: "read", Object: s.Name, Class: driver.ErrInvalid, Cause: errors.New("the split is not one of a log source")}
	}
	cut := r.source.cut
	lines := &lineCutter{block: int(cut.block), maxLine: int(cut.maxLine), end: s.End, length: -1, base: s.Start}
	file := logFile{name: s.Name, size: s.Length, version: s.Version}
	if s.Compression == gzipName {
		r.raw = newWindows(ctx, r.source.tree, file, 0, s.Length)
		content, _, err := decompress(s.Name, r.raw)
		if err != nil {
			_ = r.raw.Close()
			return nil, err
		}
		lines.r = content
		return lines, nil
	}
	lines.length = s.Length
	if s.Start > 0 {
		lines.base-- // to see whether a line ends there
	}
	r.raw = newWindows(ctx, r.source.tree, file, lines.base, s.End-lines.base+cutAhead)
	lines.r = r.raw
	return lines, r.raw.open()
}

func (r *reader) run(ctx context.Context, lines *lineCutter) {
	defer close(r.blocks)
	defer r.raw.Close()
	r.err = r.read(ctx, lines)
}

func (r *reader) read(ctx context.Context, lines *lineCutter) error {
	if r.split.Start > 0 {
		if err := lines.skipTorn(); err != nil {
			return err
		}
	}
	for {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		run, err := lines.next()
		if err != nil {
			return err // io.EOF, too
		}
		block := record.Block{
			Source: r.split.Source, Name: r.split.Name, Format: r.split.Format, Base: run.base,
			Data: run.data, Duplicate: r.split.Duplicate, Oversize: run.oversize,
		}
		select {
		case r.blocks <- block:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
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
func (r *reader) Progress() int64 { return min(r.raw.taken.Load(), r.split.Size) }

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
