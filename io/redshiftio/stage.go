package redshiftio

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"time"

	"millrace/io/lakeio"
	"millrace/io/rowjson"
	"millrace/schemas/ddl"
	"millrace/schemas/table"
)

// staged is a load as it lies on S3. Its names are made of its content: a load that is
// made again has the same objects, and those that a crash left behind are overwritten or
// lie there without harm.
type staged struct {
	id       string
	rows     int
	file     *object
	manifest *object
}

func (s *staged) fileKey(c *config) string     { return c.table.Name + "/" + s.id + ".parquet" }
func (s *staged) manifestKey(c *config) string { return c.table.Name + "/" + s.id + ".manifest" }

// stage makes a load of rows.
func (s *Sink) stage(items []item) (*staged, error) {
	c := s.config
	b := c.staging(items)
	sum := sha256.New()
	sum.Write([]byte(c.table.Name + "\x00" + c.schema.ID() + "\x00"))
	var file object
	if err := lakeio.WriteParquet(io.MultiWriter(&file, sum), b); err != nil {
		return nil, err
	}
	st := &staged{id: hex.EncodeToString(sum.Sum(nil)[:16]), rows: len(items), file: &file, manifest: &object{}}
	type meta struct {
		Length int `json:"content_length"` // Redshift wants it of columnar files
	}
	type entry struct {
		URL       string `json:"url"`
		Mandatory bool   `json:"mandatory"`
		Meta      meta   `json:"meta"`
	}
	text, err := json.Marshal(map[string][]entry{"entries": {{c.stage + "/" + st.fileKey(c), true, meta{file.size}}}})
	_, _ = st.manifest.Write(text) // never fails
	return st, err
}

// object is bytes for the stage in parts, so that growing copies none of them.
type object struct {
	parts [][]byte
	size  int
}

const partBytes = 256 << 10

func (o *object) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		last := len(o.parts) - 1
		if last < 0 || len(o.parts[last]) == partBytes {
			o.parts = append(o.parts, make([]byte, 0, partBytes))
			last++
		}
		took := min(len(p), partBytes-len(o.parts[last]))
		o.parts[last] = append(o.parts[last], p[:took]...)
		p = p[took:]
	}
	o.size += n
	return n, nil
}

func (o *object) reader() io.Reader {
	var parts []io.Reader
	for _, part := range o.parts {
		parts = append(parts, bytes.NewReader(part))
	}
	return io.MultiReader(parts...)
}

// put writes the objects of a load, its manifest last.
func (s *Sink) put(ctx context.Context, st *staged) error {
	for _, o := range []struct {
		key  string
		body *object
	}{{st.fileKey(s.config), st.file}, {st.manifestKey(s.config), st.manifest}} {
		if _, err := s.store.Put(ctx, o.key, o.body.reader(), lakeio.PutOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// removeTimeout is how long a load that is done waits for its objects to go.
const removeTimeout = 10 * time.Second

// remove removes the objects of a load. Those that it cannot remove do no harm.
func (s *Sink) remove(ctx context.Context, st *staged) {
	ctx, cancel := context.WithTimeout(ctx, removeTimeout)
	defer cancel()
	_ = s.store.Delete(ctx, st.manifestKey(s.config), st.fileKey(s.config))
}

// staging is the columns of the table of the staged rows, in its order: Redshift fills
// columns by their place.
func (c *config) stagingSchema() *table.Schema {
	s := &table.Schema{Name: c.schema.Name, Version: c.schema.Version}
	for _, column := range c.schema.Columns {
		if column.Kind == table.UUID { // the warehouse has no type for ids
			column.Kind = table.String
			column = column.WithoutDictionary()
		}
		s.Columns = append(s.Columns, column)
	}
	for _, column := range c.table.Columns()[len(c.schema.Columns):] {
		own := table.Column{Name: column.Name, Kind: column.Kind}
		if column.Name == ddl.RowKey {
			own = own.WithoutDictionary()
		}
		s.Columns = append(s.Columns, own)
	}
	return s
}

// staging gathers rows column by column, as the warehouse is to have them.
func (c *config) staging(items []item) *table.Batch {
	b := table.NewBatch(c.stagingSchema())
	var text []byte
	for col, column := range c.schema.Columns {
		codes := coder{into: b, col: col}
		for i := range items {
			from, row := items[i].rows.Batch, int(items[i].row)
			switch {
			case from.Null(col, row):
				b.PutNull(col)
			case column.Kind == table.String || column.Kind == table.Bytes:
				codes.put(from, row)
			case column.Kind == table.UUID:
				text = rowjson.AppendUUID(text[:0], from.UUIDBytes(col, row))
				b.PutText(col, text)
			default:
				b.PutInt(col, from.Int(col, row))
			}
		}
	}
	for col := len(c.schema.Columns); col < len(b.Schema().Columns); col++ {
		name := b.Schema().Columns[col].Name
		for i := range items {
			switch kind := items[i].rows.Kind; name {
			case ddl.RowKey:
				b.PutString(col, items[i].id)
			case ddl.Sealed:
				b.PutBool(col, kind != table.Provisional)
			case ddl.Withdrawn:
				b.PutBool(col, kind == table.Withdrawn)
			}
		}
	}
	for range items {
		b.EndRow()
	}
	c.spareDictionaries(b)
	return b
}

// spareDictionaries has texts that hardly repeat written as they are: Parquet's
// dictionaries take some four times their memory. The schema is the batch's own.
func (c *config) spareDictionaries(b *table.Batch) {
	columns := b.Schema().Columns
	for i := range columns {
		if k := columns[i].Kind; k != table.String && k != table.Bytes || columns[i].Plain() {
			continue
		}
		if _, distinct := b.Codes(i); 2*distinct > b.Len() {
			columns[i] = columns[i].WithoutDictionary()
		}
	}
}

// coder puts texts of batches into a column; each is looked up once.
type coder struct {
	into  *table.Batch
	col   int
	known map[*table.Batch][]uint32 // code of the batch -> code of the column + 1
	last  *table.Batch
	codes []uint32
}

func (k *coder) put(from *table.Batch, row int) {
	codes, distinct := from.Codes(k.col)
	if from != k.last {
		if k.known == nil {
			k.known = map[*table.Batch][]uint32{}
		}
		if k.codes = k.known[from]; k.codes == nil {
			k.codes = make([]uint32, distinct)
			k.known[from] = k.codes
		}
		k.last = from
	}
	code := codes[row]
	if k.codes[code] == 0 {
		k.codes[code] = k.into.Intern(k.col, from.DictValue(k.col, code)) + 1
	}
	k.into.PutCode(k.col, k.codes[code]-1)
}
