package lakeio

import (
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"

	"millrace/schemas/table"
)

// A batch has each text once and knows it by its code, and so has a column of a Parquet file by
// its index in the dictionary. The library would look each text of each row up by its bytes.
// What follows has it take indexes instead: a batch's codes are translated by a table, and only
// the first of each code leads to its text. The files are the same, byte by byte.
//
// The library asks the type of a column for its dictionary, and the type of that for what
// buffers a page. Both are ours here, around those that the library makes.

// codedType is the type of a column of texts that come as codes.
type codedType struct {
	parquet.Type
	made func(column int, d *codedDictionary)
}

// NewDictionary makes that of one row group.
func (t *codedType) NewDictionary(column, values int, data encoding.Values) parquet.Dictionary {
	d := &codedDictionary{Dictionary: t.Type.NewDictionary(column, values, data), plain: t.Type}
	t.made(column, d)
	return d
}

// codedNode is a node with such a type.
type codedNode struct {
	parquet.Node
	typ parquet.Type
}

func (n *codedNode) Type() parquet.Type { return n.typ }

// codedDictionary is the dictionary of a column in one row group, which belongs to one
// goroutine. Whoever writes a column gives it the codes first, by take, and then the column
// writer as many values, of which only the nulls tell anything.
type codedDictionary struct {
	parquet.Dictionary
	plain    parquet.Type
	column   int // of the batches
	batches  []*table.Batch
	indexes  [][]int32 // by batch, then code: index plus one; 0 for none yet
	taken    []int32   // indexes, of which a buffer has
	given    int       // as many
	buffered bool
	full     bool // pages have texts from now on, in this row group, and values must be texts
	one      [1]parquet.Value
}

// begin begins a row group, whose codes are from these batches.
func (d *codedDictionary) begin(column int, batches []*table.Batch) {
	d.column, d.batches, d.indexes = column, batches, make([][]int32, len(batches))
	d.taken, d.given, d.full = slices.Grow(d.taken[:0], writeRows), 0, false
}

// Type is that of pages of indexes.
func (d *codedDictionary) Type() parquet.Type { return &codedIndexes{d.Dictionary.Type(), d} }

// take takes codes of a batch, and those that stand for null.
func (d *codedDictionary) take(batch int, codes []uint32) {
	if d.given == len(d.taken) {
		d.taken, d.given = d.taken[:0], 0
	}
	known := d.indexes[batch]
	if known == nil {
		_, distinct := d.batches[batch].Codes(d.column)
		known = make([]int32, distinct)
		d.indexes[batch] = known
	}
	for _, code := range codes {
		if table.IsNullCode(code) {
			continue
		}
		if known[code] == 0 {
			d.taken = append(d.taken, 0)
			d.one[0] = parquet.ByteArrayValue(d.batches[batch].DictValue(d.column, code))
			d.Insert(d.taken[len(d.taken)-1:], d.one[:])
			known[code] = d.taken[len(d.taken)-1] + 1
			continue
		}
		d.taken = append(d.taken, known[code]-1)
	}
}

// codedIndexes is the type of pages that have indexes into a dictionary.
type codedIndexes struct {
	parquet.Type
	dict *codedDictionary
}

// NewColumnBuffer is called once for pages of indexes. When the dictionary has become too large
// it is called again, for pages of texts.
func (t *codedIndexes) NewColumnBuffer(column, values int) parquet.ColumnBuffer {
	if t.dict.buffered {
		return t.dict.plain.NewColumnBuffer(column, values)
	}
	t.dict.buffered = true
	return &codedBuffer{ColumnBuffer: t.Type.NewColumnBuffer(column, 0), typ: t, column: column, indexes: make([]int32, 0, values)}
}

// codedBuffer gathers the indexes of a page.
type codedBuffer struct {
	parquet.ColumnBuffer // an empty one, for what no writer asks
	typ                  *codedIndexes
	column               int
	indexes              []int32
}

// WriteValues takes as many of the indexes that the dictionary has taken.
func (b *codedBuffer) WriteValues(values []parquet.Value) (int, error) {
	d := b.typ.dict
	if n := len(b.indexes) + len(values); n > cap(b.indexes) {
		b.indexes = append(make([]int32, 0, 2*n), b.indexes...) // pages are few and long
	}
	b.indexes = append(b.indexes, d.taken[d.given:d.given+len(values)]...)
	d.given += len(values)
	return len(values), nil
}

func (b *codedBuffer) Len() int    { return len(b.indexes) }
func (b *codedBuffer) Cap() int    { return cap(b.indexes) }
func (b *codedBuffer) Size() int64 { return 4 * int64(len(b.indexes)) }
func (b *codedBuffer) Reset()      { b.indexes = b.indexes[:0] }

// Page is what is written next. After that the library goes on without a dictionary that is
// larger than what genericWriter allows.
func (b *codedBuffer) Page() parquet.Page {
	b.typ.dict.full = b.typ.dict.Size() > dictMaxBytes
	return &codedPage{b.page(b.indexes), b}
}

func (b *codedBuffer) page(indexes []int32) parquet.Page {
	return b.typ.Type.NewPage(b.column, len(indexes), encoding.Int32Values(indexes))
}

// codedPage is a page of indexes.
type codedPage struct {
	parquet.Page
	buffer *codedBuffer
}

// Bounds looks at each index once: of the many that a page has, few differ.
func (p *codedPage) Bounds() (least, greatest parquet.Value, ok bool) {
	seen := make([]bool, p.buffer.typ.dict.Len())
	var different []int32
	for _, index := range p.buffer.indexes {
		if !seen[index] {
			seen[index] = true
			different = append(different, index)
		}
	}
	return p.buffer.page(different).Bounds()
}
