package lakeio

import (
	"fmt"
	"io"
	"reflect"
	"runtime"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/snappy"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"millrace/schemas/table"
)

// Everything that decides the bytes of a file is pinned here: equal rows give
// equal files, whatever machine or build wrote them.
const (
	dictMaxBytes = 8 << 20
	pageBytes    = 1 << 20
	// schemaKey is the file metadata that names schema and version.
	schemaKey = "millrace.schema"
)

// cut is how rows are divided into row groups and files.
type cut struct {
	groupRows int   // rows of a row group
	fileBytes int64 // ends a file at the next row group
}

var lakeCut = cut{groupRows: 128 << 10, fileBytes: 256 << 20}

var (
	codec     = &zstd.Codec{Level: zstd.SpeedFastest}
	createdBy = parquet.CreatedBy("millrace", "1", "lake")
)

// orderedGroup is a group node whose fields keep the order of the schema;
// parquet.Group sorts them by name.
type orderedGroup struct {
	parquet.Group
	fields []parquet.Field
}

func (g orderedGroup) Fields() []parquet.Field { return g.fields }

type orderedField struct {
	parquet.Node
	name string
}

func (f *orderedField) Name() string { return f.name }

func (f *orderedField) Value(base reflect.Value) reflect.Value {
	return base.MapIndex(reflect.ValueOf(f.name))
}

// flavor is what files are for.
type flavor uint8

const (
	lakeFlavor     flavor = iota // what this suite reads again
	exchangeFlavor               // see WriteParquet
)

// ParquetSchema is the file schema of a row type.
func ParquetSchema(s *table.Schema) *parquet.Schema { return parquetSchema(s, lakeFlavor, nil) }

// parquetSchema is the file schema of rows. made, if any, is told of the dictionary of each column
// of texts and row group, which then takes codes.
func parquetSchema(s *table.Schema, f flavor, made func(column int, d *codedDictionary)) *parquet.Schema {
	g := orderedGroup{Group: parquet.Group{}}
	for _, c := range s.Columns {
		n := parquetNode(c, f)
		if made != nil && isText(c.Kind) && !c.Plain() {
			n = &codedNode{n, &codedType{n.Type(), made}}
		}
		g.Group[c.Name] = n
		g.fields = append(g.fields, &orderedField{Node: n, name: c.Name})
	}
	return parquet.NewSchema(s.Name, g)
}

func parquetNode(c table.Column, f flavor) parquet.Node {
	var n parquet.Node
	switch c.Kind {
	case table.String:
		n = parquet.String()
	case table.Bytes:
		n = parquet.Leaf(parquet.ByteArrayType)
	case table.Int32:
		n = parquet.Int(32)
	case table.Int64:
		n = parquet.Int(64)
	case table.Float64:
		n = parquet.Leaf(parquet.DoubleType)
	case table.Bool:
		n = parquet.Leaf(parquet.BooleanType)
	case table.Time:
		if n = parquet.Timestamp(parquet.Millisecond); f == exchangeFlavor {
			n = parquet.Leaf(parquet.Int96Type)
		}
	case table.Date:
		n = parquet.Date()
	case table.UUID:
		n = parquet.UUID()
	default:
		panic("lakeio: column " + c.Name + " has no Parquet type")
	}
	switch {
	case isText(c.Kind) && !c.Plain(), c.Kind == table.Int32:
		n = parquet.Encoded(n, &parquet.RLEDictionary)
	case c.Kind != table.Bool:
		n = parquet.Encoded(n, &parquet.Plain)
	}
	if f == exchangeFlavor {
		n = parquet.Compressed(n, &snappy.Codec{})
	} else {
		n = parquet.Compressed(n, codec)
	}
	if c.Null {
		n = parquet.Optional(n)
	}
	return n
}

// piece is a run of rows of one batch.
type piece struct {
	batch    *table.Batch
	from, to int
}

// parquetWriter writes pieces to one file. Row groups are encoded on several
// cores and committed in order.
type parquetWriter struct {
	w       *parquet.GenericWriter[any]
	schema  *table.Schema
	flavor  flavor
	coded   []*codedDictionary // by column: of the row group writer made last; nil for none
	group   int                // rows of a row group
	pending []piece
	rows    int // in pending
	running []*rowGroup
	free    []*rowGroup // committed: their memory is used again
	limit   int
	total   int64
	ends    []int64 // bytes of the file after each committed row group
}

type rowGroup struct {
	w     *parquet.ConcurrentRowGroupWriter
	coded []*codedDictionary // by column; nil for none
	done  chan error
}

func (rg *rowGroup) wait() error { return <-rg.done }

func newParquetWriter(out io.Writer, s *table.Schema, groupRows int) *parquetWriter {
	return newFlavoredWriter(out, s, groupRows, lakeFlavor)
}

func newFlavoredWriter(out io.Writer, s *table.Schema, groupRows int, f flavor) *parquetWriter {
	coded := make([]*codedDictionary, len(s.Columns))
	schema := parquetSchema(s, f, func(column int, d *codedDictionary) { coded[column] = d })
	return &parquetWriter{w: genericWriter(out, schema, s, groupRows), schema: s, flavor: f, group: groupRows, coded: coded, limit: min(runtime.GOMAXPROCS(0), settled)}
}

func genericWriter(out io.Writer, schema *parquet.Schema, s *table.Schema, groupRows int) *parquet.GenericWriter[any] {
	return parquet.NewGenericWriter[any](out, schema, createdBy,
		parquet.KeyValueMetadata(schemaKey, s.ID()),
		parquet.DataPageVersion(1),
		parquet.DataPageStatistics(false), // the column index has the same, and readers look there
		parquet.DictionaryMaxBytes(dictMaxBytes),
		parquet.PageBufferSize(pageBytes),
		parquet.MaxRowsPerRowGroup(int64(groupRows)))
}

// add appends rows. The batch must not change until close returns.
func (p *parquetWriter) add(rows piece) error {
	for rows.from < rows.to {
		n := min(rows.to-rows.from, p.group-p.rows)
		p.pending = append(p.pending, piece{rows.batch, rows.from, rows.from + n})
		p.rows += n
		p.total += int64(n)
		rows.from += n
		if p.rows == p.group {
			if err := p.startRowGroup(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *parquetWriter) startRowGroup() error {
	if len(p.running) >= p.limit {
		if err := p.commitOldest(); err != nil {
			return err
		}
	}
	rg := p.next()
	pieces := p.pending
	p.pending, p.rows = nil, 0
	p.running = append(p.running, rg)
	go func() { rg.done <- fillRowGroup(rg, p.schema, p.flavor, pieces) }()
	return nil
}

func (p *parquetWriter) next() *rowGroup {
	if n := len(p.free) - 1; n >= 0 {
		rg := p.free[n]
		p.free = p.free[:n]
		return rg
	}
	w := p.w.BeginRowGroup()
	return &rowGroup{w: w, coded: slices.Clone(p.coded), done: make(chan error, 1)}
}

func (p *parquetWriter) commitOldest() error {
	rg := p.running[0]
	p.running = p.running[1:]
	if err := rg.wait(); err != nil {
		return err
	}
	if _, err := rg.w.Commit(); err != nil {
		return fmt.Errorf("writing a row group: %w", err)
	}
	p.free = append(p.free, rg)
	p.ends = append(p.ends, p.w.Size())
	return nil
}

// settledBytes is the size of the file up to the row group begun before the last
// few: it is the same however many row groups are encoded at once.
func (p *parquetWriter) settledBytes() int64 {
	n := int(p.total)/p.group - settled
	if n <= 0 {
		return 0
	}
	return p.ends[n-1]
}

// close writes what is pending and the footer.
func (p *parquetWriter) close() error {
	if p.rows > 0 {
		if err := p.startRowGroup(); err != nil {
			return err
		}
	}
	for len(p.running) > 0 {
		if err := p.commitOldest(); err != nil {
			return err
		}
	}
	if err := p.w.Close(); err != nil {
		return fmt.Errorf("writing the footer: %w", err)
	}
	return nil
}

// abandon waits for what runs, so that no goroutine outlives the writer.
func (p *parquetWriter) abandon() {
	for _, rg := range p.running {
		_ = rg.wait()
	}
	p.running = nil
}

// writeRows is how many values are handed to a column at a time. Pages end at
// its multiples, counted from the row group's start, so they depend on the rows
// alone and not on how the rows were cut into pieces.
const writeRows = 4096

func fillRowGroup(rg *rowGroup, s *table.Schema, f flavor, pieces []piece) error {
	numbers, batches := numberBatches(pieces)
	values := make([]parquet.Value, 0, writeRows)
	for i, cw := range rg.w.ColumnWriters() {
		c := &columnValues{column: s.Columns[i], index: i, int96: f == exchangeFlavor && s.Columns[i].Kind == table.Time, coded: rg.coded[i]}
		if c.coded != nil {
			c.coded.begin(i, batches)
		}
		write := func() error {
			if _, err := cw.WriteRowValues(values); err != nil {
				return fmt.Errorf("writing column %s: %w", c.column.Name, err)
			}
			values = values[:0]
			return nil
		}
		for n, p := range pieces {
			for p.from < p.to {
				part := piece{p.batch, p.from, min(p.to, p.from+writeRows-len(values))}
				values = c.append(values, part, numbers[n])
				p.from = part.to
				if len(values) == writeRows {
					if err := write(); err != nil {
						return err
					}
				}
			}
		}
		if err := write(); err != nil {
			return err
		}
		if err := cw.Flush(); err != nil {
			return fmt.Errorf("writing column %s: %w", c.column.Name, err)
		}
	}
	return nil
}
