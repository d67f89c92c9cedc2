package lakeio

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"millrace/internal/columns"
	"millrace/internal/parquetlimit"
	"millrace/schemas/table"
)

// ColumnFile reads some columns of a file of the lake, whole row groups at a time,
// for those who compute over many rows: texts that the file has in a dictionary are
// not looked at again for each row. Several goroutines may read row groups of one
// file at the same time.
type ColumnFile struct {
	schema *table.Schema
	groups []parquet.RowGroup
	wanted []wantedColumn
}

// wantedColumn is a column of the schema, and where it is in the file; below 0, it was
// added to the schema since.
type wantedColumn struct{ col, at int }

// OpenColumns opens a file for the columns of the schema that are named by number.
func OpenColumns(file columns.File, schema *table.Schema, wanted []int) (c *ColumnFile, err error) {
	defer recoverDamage(&err)
	opened, err := parquetlimit.Open(file, file.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(256<<10))
	if err != nil {
		return nil, err
	}
	c = &ColumnFile{schema: schema, groups: opened.RowGroups()}
	for _, col := range wanted {
		w := wantedColumn{col: col, at: -1}
		if leaf, there := opened.Schema().Lookup(schema.Columns[col].Name); there {
			if err := sameKind(&schema.Columns[col], leaf.Node); err != nil {
				return nil, err
			}
			w.at = leaf.ColumnIndex
		} else if !schema.Columns[col].Null {
			return nil, fmt.Errorf("%w %q: was the lake written by another version?", columns.ErrNoColumn, schema.Columns[col].Name)
		}
		c.wanted = append(c.wanted, w)
	}
	return c, nil
}

func recoverDamage(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the Parquet file is damaged: %v", p)
	}
}

// sameKind refuses a file whose column has another physical type than the schema's.
func sameKind(c *table.Column, n parquet.Node) error {
	if got, want := n.Type().Kind(), parquetNode(*c, lakeFlavor).Type().Kind(); got != want {
		return fmt.Errorf("column %q is %v in the file, %v in this version", c.Name, got, want)
	}
	return nil
}

// Groups is the number of row groups.
func (c *ColumnFile) Groups() int { return len(c.groups) }

// ReadGroup appends the rows of a row group to an empty batch. Columns that were not
// asked for have no values: nothing may touch them.
func (c *ColumnFile) ReadGroup(ctx context.Context, group int, into *table.Batch) (err error) {
	defer recoverDamage(&err)
	g := c.groups[group]
	rows := int(g.NumRows())
	chunks := g.ColumnChunks()
	for _, w := range c.wanted {
		if err := ctx.Err(); err != nil {
			return err
		}
		if w.at < 0 {
			for range rows {
				into.PutNull(w.col)
			}
			continue
		}
		r := chunkReader{batch: into, col: w.col, kind: c.schema.Columns[w.col].Kind}
		if err := r.chunk(chunks[w.at], rows); err != nil {
			return fmt.Errorf("column %s: %w", c.schema.Columns[w.col].Name, err)
		}
	}
	for range rows {
		into.EndRow()
	}
	return nil
}

// chunkReader appends the values of a column of a row group to a batch.
type chunkReader struct {
	batch *table.Batch
	col   int
	kind  table.Kind
	codes []uint32 // of the batch, by index of the dictionary, plus 1; 0 is not known yet
	texts parquet.Dictionary
}

func (r *chunkReader) chunk(chunk parquet.ColumnChunk, rows int) error {
	pages := chunk.Pages()
	defer pages.Close()
	for have := 0; have < rows; {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		if have += int(page.NumValues()); have > rows {
			return fmt.Errorf("more values than the %d rows", rows)
		}
		err = r.page(page)
		parquet.Release(page)
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *chunkReader) page(page parquet.Page) error {
	data, n := page.Data(), int(page.NumValues())
	dict, levels := page.Dictionary(), page.DefinitionLevels()
	var put func(i int)
	have := 0
	switch {
	case dict != nil && isText(r.kind):
		indexes := data.Int32()
		if r.texts != dict {
			r.texts, r.codes = dict, make([]uint32, dict.Len())
		}
		if have = len(indexes); levels == nil && have >= n {
			for _, i := range indexes[:n] {
				r.batch.PutCode(r.col, r.code(i))
			}
			return nil
		}
		put = func(i int) { r.batch.PutCode(r.col, r.code(indexes[i])) }
	case dict != nil:
		indexes := data.Int32()
		values := dict.Page().Data()
		if r.kind == table.Int32 {
			numbers := values.Int32()
			put = func(i int) { r.batch.PutInt(r.col, int64(numbers[indexes[i]])) }
		} else {
			return fmt.Errorf("a dictionary of %v, which this program does not write", r.kind)
		}
		have = len(indexes)
	case isText(r.kind):
		text, ends := data.ByteArray()
		put, have = func(i int) { r.batch.PutText(r.col, text[ends[i]:ends[i+1]]) }, len(ends)-1
	case r.kind == table.UUID:
		ids, _ := data.FixedLenByteArray()
		put, have = func(i int) { r.batch.PutUUID(r.col, table.ID(ids[16*i:16*i+16])) }, len(ids)/16
	case r.kind == table.Bool:
		bits := data.Boolean()
		put, have = func(i int) { r.batch.PutInt(r.col, int64(bits[i/8]>>(i%8)&1)) }, 8*len(bits)
	case r.kind == table.Float64:
		numbers := data.Double()
		put, have = func(i int) { r.batch.PutFloat(r.col, numbers[i]) }, len(numbers)
	case r.kind == table.Int32 || r.kind == table.Date:
		numbers := data.Int32()
		put, have = func(i int) { r.batch.PutInt(r.col, int64(numbers[i])) }, len(numbers)
	default:
		numbers := data.Int64()
		put, have = func(i int) { r.batch.PutInt(r.col, numbers[i]) }, len(numbers)
	}
	return r.each(n, have, levels, put)
}

// each puts the values of a page, of which there are so many, and its nulls.
func (r *chunkReader) each(n, have int, levels []byte, put func(int)) error {
	at := 0
	for i := range n {
		if levels != nil && levels[i] == 0 {
			r.batch.PutNull(r.col)
			continue
		}
		if at == have {
			return fmt.Errorf("%d values in a page of %d", have, n)
		}
		put(at)
		at++
	}
	return nil
}

// code is the batch's code of a text in the file's dictionary.
func (r *chunkReader) code(i int32) uint32 {
	if r.codes[i] == 0 {
		r.codes[i] = r.batch.Intern(r.col, r.texts.Index(i).ByteArray()) + 1
	}
	return r.codes[i] - 1
}
