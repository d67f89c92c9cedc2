package lakeio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"

	"millrace/io/driver"
	"millrace/schemas/raw"
	"millrace/schemas/record"
)

// archiveRows is how many rows are taken from the columns at a time.
const archiveRows = 1024

// gatherAhead is how many blocks' worth of records are held while blocks fill.
const gatherAhead = 8

// archiveReader reads the rows of one file of a raw archive. Rows of many logs
// and shards alternate there, so it gathers them into blocks, each of one source:
// what a record becomes does not depend on its neighbours, as each says when it
// came and when it was noted.
type archiveReader struct {
	split  driver.Split
	format string // instead of what the rows say
	block  int    // bytes
	emit   func(record.Block) error

	open  map[blockKey]*record.Block
	order []blockKey // of open, by first record
	held  int        // bytes in open
	last  origin
}

type origin struct {
	source, sequence string
	position         int64
}

// blockKey is what the records of a block have in common.
type blockKey struct {
	source, format, keyID string
	stream                bool // records have sequence numbers
	duplicate             bool
}

// archiveRow is a row; equal texts share their memory and the payload is a view.
type archiveRow struct {
	source, sequence, format, keyID  string
	position, noted, arrival, length int64
	payload                          []byte
}

// openArchive starts reading a split of a raw archive.
func (s *Source) openArchive(ctx context.Context, split driver.Split) (*reader, error) {
	in := &ranges{ctx: ctx, tree: s.tree, file: logFile{name: split.Name, size: split.Length, version: split.Version}}
	if _, err := in.keep(max(0, split.Length-identityBytes), identityBytes); err != nil {
		return nil, err
	}
	file, err := guardedOpen(in)
	if err != nil {
		return nil, err
	}
	r := newReader(split, in.progress)
	r.produce = func(emit func(record.Block) error) (err error) {
		defer recoverParquet(split.Name, &err)
		a := &archiveReader{split: split, format: s.format, block: int(s.cut.block), emit: emit, open: map[blockKey]*record.Block{}, last: origin{position: -1}}
		for _, group := range file.RowGroups() {
			if err := a.group(in, file, group); err != nil {
				return err
			}
		}
		return a.flush()
	}
	return r, nil
}

func guardedOpen(in *ranges) (file *parquet.File, err error) {
	defer recoverParquet(in.file.name, &err)
	return archiveFile(in)
}

// group reads the columns of a row group side by side.
func (a *archiveReader) group(in *ranges, file *parquet.File, group parquet.RowGroup) error {
	columns := make([]*columnReader, len(raw.Rows.Columns))
	for col := range columns {
		columns[col] = newColumnReader(chunkOf(file, group, col))
		defer columns[col].close()
	}
	rows := make([]archiveRow, archiveRows)
	var payloads []byte
	ends := make([]int, archiveRows)
	into := [...]func(i int, v parquet.Value){
		raw.Source:      func(i int, v parquet.Value) { rows[i].source = columns[raw.Source].text(v) },
		raw.Sequence:    func(i int, v parquet.Value) { rows[i].sequence = columns[raw.Sequence].textAsBefore(v) },
		raw.Position:    func(i int, v parquet.Value) { rows[i].position = v.Int64() },
		raw.NotedTime:   func(i int, v parquet.Value) { rows[i].noted = v.Int64() },
		raw.ArrivalTime: func(i int, v parquet.Value) { rows[i].arrival = v.Int64() },
		raw.KeyID:       func(i int, v parquet.Value) { rows[i].keyID = columns[raw.KeyID].text(v) },
		raw.Payload: func(i int, v parquet.Value) {
			payloads = append(payloads, v.ByteArray()...)
			ends[i] = len(payloads)
		},
		raw.Format: func(i int, v parquet.Value) { rows[i].format = columns[raw.Format].text(v) },
		raw.Length: func(i int, v parquet.Value) { rows[i].length = v.Int64() },
	}
	for left := group.NumRows(); left > 0; {
		n := int(min(left, archiveRows))
		left -= int64(n)
		clear(rows)
		payloads = payloads[:0]
		for col, c := range columns {
			if err := c.read(n, into[col]); err != nil {
				return in.explain(fmt.Errorf("column %s: %w", raw.Rows.Columns[col].Name, err))
			}
		}
		at := 0
		for i := range rows[:n] {
			rows[i].payload = payloads[at:ends[i]]
			at = ends[i]
			if err := a.add(&rows[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// add puts a row into the block it belongs to.
func (a *archiveReader) add(row *archiveRow) error {
	this := origin{row.source, row.sequence, row.position}
	if row.sequence != "" && row.sequence != a.last.sequence && !record.IsSequence(row.sequence) {
		return corruptParquet(a.split.Name, fmt.Errorf("a row has the sequence number %.300q", row.sequence))
	}
	// The rows are in order, so the same origin twice would be side by side.
	key := blockKey{source: row.source, keyID: row.keyID, stream: row.sequence != "", duplicate: a.split.Duplicate || this == a.last}
	if key.format = row.format; a.format != "" {
		key.format = a.format
	}
	a.last = this
	if row.length > 0 {
		b := a.begin(key)
		b.Oversize = row.length
		appendRow(b, row)
		return a.give(b)
	}
	b := a.open[key]
	if b == nil {
		b = a.begin(key)
		a.open[key] = b
		a.order = append(a.order, key)
	}
	appendRow(b, row)
	a.held += len(row.payload)
	switch {
	case len(b.Data) >= a.block:
		a.held -= len(b.Data)
		delete(a.open, key)
		a.order = slices.DeleteFunc(a.order, func(k blockKey) bool { return k == key })
		return a.give(b)
	case a.held >= gatherAhead*a.block:
		return a.flush()
	}
	return nil
}

func (a *archiveReader) begin(key blockKey) *record.Block {
	return &record.Block{
		Source: key.source, Name: a.split.Name, Format: key.format, KeyID: key.keyID, Duplicate: key.duplicate,
	}
}

// give hands a block on, without arrivals when nobody knows any.
func (a *archiveReader) give(b *record.Block) error {
	if !slices.ContainsFunc(b.Arrivals, func(ms int64) bool { return ms != 0 }) {
		b.Arrivals = nil
	}
	return a.emit(*b)
}

func appendRow(b *record.Block, row *archiveRow) {
	b.Data = append(b.Data, row.payload...)
	b.Ends = append(b.Ends, len(b.Data))
	b.Positions = append(b.Positions, row.position)
	b.Noted = append(b.Noted, row.noted)
	b.Arrivals = append(b.Arrivals, row.arrival)
	if row.sequence != "" {
		b.Sequences = append(b.Sequences, row.sequence)
	}
}

// flush gives all blocks, in the order of their first records.
func (a *archiveReader) flush() error {
	for _, key := range a.order {
		if err := a.give(a.open[key]); err != nil {
			return err
		}
	}
	clear(a.open)
	a.order, a.held = a.order[:0], 0
	return nil
}

// columnReader reads the values of a column in order. One of nil has none.
type columnReader struct {
	pages  parquet.Pages
	page   parquet.Page
	values parquet.ValueReader
	buf    [256]parquet.Value
	known  map[string]string
	last   string
}

func newColumnReader(chunk *parquet.FileColumnChunk) *columnReader {
	c := &columnReader{known: map[string]string{}}
	if chunk != nil {
		c.pages = chunk.Pages()
	}
	return c
}

// read hands on the next n values, except nulls. A value is valid until into
// returns.
func (c *columnReader) read(n int, into func(i int, v parquet.Value)) error {
	if c.pages == nil {
		return nil
	}
	for i := 0; i < n; {
		if c.page == nil {
			page, err := c.pages.ReadPage()
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			if err != nil {
				return err
			}
			c.page, c.values = page, page.Values()
		}
		got, err := c.values.ReadValues(c.buf[:min(n-i, len(c.buf))])
		for _, v := range c.buf[:got] {
			if !v.IsNull() {
				into(i, v)
			}
			i++
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err != nil {
			parquet.Release(c.page)
			c.page = nil
		}
	}
	return nil
}

// text is a value as a string; equal ones share it.
func (c *columnReader) text(v parquet.Value) string {
	b := v.ByteArray()
	s, ok := c.known[string(b)]
	if !ok {
		s = string(b)
		c.known[s] = s
	}
	return s
}

// textAsBefore is text for a column of very many texts, equal ones of which lie
// side by side: it remembers one.
func (c *columnReader) textAsBefore(v parquet.Value) string {
	if b := v.ByteArray(); c.last != string(b) {
		c.last = string(b)
	}
	return c.last
}

func (c *columnReader) close() {
	if c.page != nil {
		parquet.Release(c.page)
		c.page = nil
	}
	if c.pages != nil {
		_ = c.pages.Close()
	}
}
