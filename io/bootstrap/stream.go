// Package bootstrap reads an archive up to a time and a stream from that time on,
// as one stream: so that a live job knows what happened before it.
package bootstrap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"millrace/io/driver"
)

// Stream is an archive, then a stream. The records of the archive that arrived
// before Until are given first; the watermark waits for them. The stream is to
// begin with the records that arrived at Until or later. What arrives when is
// what the stream itself says, in both, so no record is missed or given twice.
type Stream struct {
	Archive driver.Source
	Live    driver.Stream
	Until   time.Time
}

// cursor is where a reader stands. Its splits travel as they were planned.
type cursor struct {
	Form    int               `json:"form"`
	Splits  []json.RawMessage `json:"splits"`  // still to be read, of the archive
	Blocks  int               `json:"blocks"`  // of the first of them that were given
	Records int64             `json:"records"` // and the records in them
	First   int64             `json:"first"`   // arrival of the earliest and the latest of these
	Last    int64             `json:"last"`
	Live    driver.Cursor     `json:"live"`
}

const form = 1

// Begin spreads the archive's files over the readers.
func (s *Stream) Begin(ctx context.Context, readers int) ([]driver.Cursor, error) {
	live, err := s.Live.Begin(ctx, readers)
	if err != nil {
		return nil, err
	}
	return s.before(ctx, live)
}

// BeginAt is Begin at positions of the stream.
func (s *Stream) BeginAt(ctx context.Context, positions []byte, readers int) ([]driver.Cursor, error) {
	placer, err := s.placer()
	if err != nil {
		return nil, err
	}
	live, err := placer.BeginAt(ctx, positions, readers)
	if err != nil {
		return nil, err
	}
	return s.before(ctx, live)
}

// Positions are those of the stream. What was read of the archive they do not tell.
func (s *Stream) Positions(cursors []driver.Cursor) ([]byte, error) {
	placer, err := s.placer()
	if err != nil {
		return nil, err
	}
	live := make([]driver.Cursor, len(cursors))
	for i, text := range cursors {
		var c cursor
		if err := json.Unmarshal(text, &c); err != nil {
			return nil, fmt.Errorf("cursor %d of %d: %w", i+1, len(cursors), err)
		}
		live[i] = c.Live
	}
	return placer.Positions(live)
}

func (s *Stream) placer() (driver.Placer, error) {
	placer, ok := s.Live.(driver.Placer)
	if !ok {
		return nil, fmt.Errorf("%w: this stream does not tell positions", driver.ErrInvalid)
	}
	return placer, nil
}

// before puts the archive before where the readers of the stream begin.
func (s *Stream) before(ctx context.Context, live []driver.Cursor) ([]driver.Cursor, error) {
	splits, err := s.Archive.Splits(ctx)
	if err != nil {
		return nil, err
	}
	cursors := make([]cursor, len(live))
	for i := range cursors {
		cursors[i] = cursor{Form: form, Splits: []json.RawMessage{}, Live: live[i]}
	}
	for i, split := range rolls(splits) {
		split.Sources, split.Keys = nil, nil // they serve the plan
		b, err := json.Marshal(split)
		if err != nil {
			return nil, fmt.Errorf("planning %s: %w", split.Name, err)
		}
		c := &cursors[i%len(cursors)]
		c.Splits = append(c.Splits, b)
	}
	out := make([]driver.Cursor, len(cursors))
	for i, c := range cursors {
		if out[i], err = json.Marshal(c); err != nil {
			return nil, fmt.Errorf("planning the archive: %w", err)
		}
	}
	return out, nil
}

// rolls are splits that are rolls each: a file whole, which is read from its beginning by one
// reader, and of several copies of a file one. Copies have its identity, and so its roll.
func rolls(splits []driver.Split) (whole []driver.Split) {
	for _, s := range splits {
		if s.Duplicate {
			continue
		}
		if n := len(whole); n > 0 && s.Start > 0 && whole[n-1].Name == s.Name && whole[n-1].End == s.Start {
			whole[n-1].End = s.End
			whole[n-1].Size += s.Size
			continue
		}
		whole = append(whole, s)
	}
	return whole
}

// Notes are those of the archive and of the stream.
func (s *Stream) Notes() (notes []string) {
	for _, of := range []any{s.Archive, s.Live} {
		if n, ok := of.(driver.Noter); ok {
			notes = append(notes, n.Notes()...)
		}
	}
	return notes
}

// decodeCursor reads a cursor of this form.
func decodeCursor(at driver.Cursor) (c cursor, err error) {
	err = json.Unmarshal(at, &c)
	if err == nil && c.Form != form {
		err = fmt.Errorf("it is of form %d, this program reads form %d", c.Form, form)
	}
	if err != nil {
		return c, &driver.Error{
			Doing: "restore", Object: "a reader's position", Class: driver.ErrCorrupt, Cause: err,
			Cure: "resume with the version of the program that wrote the savepoint",
		}
	}
	return c, nil
}

// Read starts a reader at a cursor.
func (s *Stream) Read(ctx context.Context, at driver.Cursor) (driver.StreamReader, error) {
	c, err := decodeCursor(at)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	r := &reader{source: s, at: c, life: ctx, end: func() { cancel(errClosed) }}
	if len(c.Splits) == 0 {
		return r, r.startLive()
	}
	return r, nil
}

var errClosed = errors.New("the reader was closed")
