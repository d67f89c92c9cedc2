package table

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"unsafe"
)

// nullCode stands for null in the codes of a text column.
const nullCode = math.MaxUint32

// Batch holds rows column by column. A row is appended by one Put for each
// column, in any order, followed by EndRow. It is not safe for concurrent use.
//
// A column holds less than 4 GiB of text, and a batch that is to be encoded at
// most 2^24 rows. Writers take a batch away by Len and Size long before; a Put
// beyond 4 GiB panics rather than damage what is there.
type Batch struct {
	schema *Schema
	rows   int
	cols   []vector
}

// vector is one column. Numbers, times and booleans lie in ints, UUIDs in fixed,
// text in a dictionary (values) and one code a row.
type vector struct {
	ints  []int64
	fixed []byte
	nulls []bool // of a nullable column that is not text
	codes []uint32
	dict  dictionary
}

// NewBatch returns an empty batch.
func NewBatch(s *Schema) *Batch { return &Batch{schema: s, cols: make([]vector, len(s.Columns))} }

// Fresh returns an empty batch with room for as much as b holds and a little more, for
// those who fill one batch after another: these differ in length, and a column that must
// grow by one costs as much as the whole of it.
func (b *Batch) Fresh() *Batch { return b.Another()() }

// Another gives what Fresh gives, when it is called, and holds on to nothing of b.
func (b *Batch) Another() func() *Batch {
	type room struct{ ints, fixed, nulls, codes, texts, arena, slots int }
	rooms, schema := make([]room, len(b.cols)), b.schema
	more := func(n int) int { return n + n/16 }
	for i := range b.cols {
		c := &b.cols[i]
		rooms[i] = room{more(len(c.ints)), more(len(c.fixed)), more(len(c.nulls)), more(len(c.codes)), more(len(c.dict.ends)), more(len(c.dict.arena)), len(c.dict.slots)}
		if b.AllNull(i) {
			rooms[i] = room{}
		}
	}
	return func() *Batch {
		f := NewBatch(schema)
		for i, r := range rooms {
			f.cols[i] = vector{
				ints: make([]int64, 0, r.ints), fixed: make([]byte, 0, r.fixed), nulls: make([]bool, 0, r.nulls), codes: make([]uint32, 0, r.codes),
				dict: dictionary{arena: make([]byte, 0, r.arena), ends: make([]uint32, 0, r.texts), slots: make([]slot, r.slots)},
			}
		}
		return f
	}
}

// Schema is what the columns follow.
func (b *Batch) Schema() *Schema { return b.schema }

// Len is the number of rows.
func (b *Batch) Len() int { return b.rows }

// Size estimates the memory the rows take, in bytes.
func (b *Batch) Size() int {
	n := 0
	for i := range b.cols {
		c := &b.cols[i]
		n += 8*len(c.ints) + len(c.fixed) + len(c.nulls) + 4*len(c.codes) + len(c.dict.arena) + 4*len(c.dict.ends)
	}
	return n
}

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() {
	b.rows = 0
	for i := range b.cols {
		c := &b.cols[i]
		c.shorten(0, 0, 0, 0)
		c.dict.reset()
	}
}

// PutInt appends a number, Time (ms) or Date (days) to a column.
func (b *Batch) PutInt(col int, v int64) {
	c := &b.cols[col]
	c.ints = append(c.ints, v)
	if b.schema.Columns[col].Null {
		c.nulls = append(c.nulls, false)
	}
}

// PutFloat appends to a Float64 column.
func (b *Batch) PutFloat(col int, v float64) { b.PutInt(col, int64(math.Float64bits(v))) }

// PutBool appends to a Bool column.
func (b *Batch) PutBool(col int, v bool) {
	var i int64
	if v {
		i = 1
	}
	b.PutInt(col, i)
}

// PutText appends to a String or Bytes column. The bytes are copied. A String
// must be valid UTF-8.
func (b *Batch) PutText(col int, v []byte) {
	code, ok := b.latest(col, v)
	if !ok {
		code = b.Intern(col, v)
	}
	b.PutCode(col, code)
}

// PutString appends to a String column.
func (b *Batch) PutString(col int, v string) {
	// The bytes are read only: Intern copies what it keeps.
	b.PutText(col, unsafe.Slice(unsafe.StringData(v), len(v)))
}

// latest is the code of a text that is the one of the row before: rows in order have many
// of these, and comparing is cheaper than looking up.
func (b *Batch) latest(col int, v []byte) (code uint32, ok bool) {
	c := &b.cols[col]
	if len(c.codes) == 0 || b.schema.Columns[col].plain {
		return 0, false
	}
	code = c.codes[len(c.codes)-1]
	return code, code != nullCode && bytes.Equal(c.dict.value(code), v)
}

// Intern returns the code of a text in a column's dictionary, for callers that
// put the same text often: the code stays valid until Reset.
func (b *Batch) Intern(col int, v []byte) uint32 {
	d := &b.cols[col].dict
	if b.schema.Columns[col].plain {
		return d.append(v)
	}
	return d.intern(v)
}

// PutCode appends a text known to Intern.
func (b *Batch) PutCode(col int, code uint32) {
	c := &b.cols[col]
	c.codes = append(c.codes, code)
}

// PutUUID appends to a UUID column.
func (b *Batch) PutUUID(col int, v ID) {
	c := &b.cols[col]
	c.fixed = append(c.fixed, v[:]...)
	if b.schema.Columns[col].Null {
		c.nulls = append(c.nulls, false)
	}
}

// PutNull appends a null.
func (b *Batch) PutNull(col int) {
	c := &b.cols[col]
	switch k := b.schema.Columns[col].Kind; {
	case k.text():
		c.codes = append(c.codes, nullCode)
	case k == UUID:
		c.fixed = append(c.fixed, make([]byte, 16)...)
		c.nulls = append(c.nulls, true)
	default:
		c.ints = append(c.ints, 0)
		c.nulls = append(c.nulls, true)
	}
}

// PadNulls gives the columns from first to last a null for every closed row in which
// nothing was put: so who fills them rarely need not put a null for each row. It is to
// be called before the next Put of these columns and before the batch is used; Rewind
// can come before it.
func (b *Batch) PadNulls(first, last int) {
	for i := first; i <= last; i++ {
		c := &b.cols[i]
		switch k := b.schema.Columns[i].Kind; {
		case k.text():
			c.codes = pad(c.codes, nullCodes[:], nullCode, b.rows-len(c.codes))
		case k == UUID:
			n := b.rows - len(c.fixed)/16
			c.fixed, c.nulls = pad(c.fixed, zeroIDs[:], 0, 16*n), pad(c.nulls, marked[:], true, n)
		default:
			n := b.rows - len(c.ints)
			c.ints, c.nulls = pad(c.ints, zeros[:], 0, n), pad(c.nulls, marked[:], true, n)
		}
	}
}

// appendMany appends n times the same, none if n is negative.
func appendMany[T any](to []T, v T, n int) []T {
	if n <= 0 {
		return to
	}
	from := len(to)
	to = slices.Grow(to, n)[:from+n]
	for i := range to[from:] {
		to[from+i] = v
	}
	return to
}

// SetInt replaces a number, Time or Date.
func (b *Batch) SetInt(col, row int, v int64) {
	c := &b.cols[col]
	if isLent(c.ints, zeros[:]) {
		c.ints = slices.Clone(c.ints)
	}
	c.ints[row] = v
}

// Rewind goes back to so many rows and drops what was put after them, a row
// begun included. Their texts stay in the dictionaries until Reset.
func (b *Batch) Rewind(rows int) {
	b.rows = rows
	for i, col := range b.schema.Columns {
		c := &b.cols[i]
		marks := rows
		if !col.Null || col.Kind.text() {
			marks = 0
		}
		c.shorten(min(len(c.codes), rows), min(len(c.ints), rows), min(len(c.fixed), 16*rows), min(len(c.nulls), marks))
	}
}

// EndRow closes a row.
func (b *Batch) EndRow() { b.rows++ }

// Check reports a column that did not get exactly one value for every row, a
// null where the schema allows none, or a number beyond the column's type. It is
// meant for tests and for decoded data.
func (b *Batch) Check() error {
	for i, col := range b.schema.Columns {
		c := &b.cols[i]
		n := len(c.ints)
		switch {
		case col.Kind.text():
			n = len(c.codes)
		case col.Kind == UUID:
			n = len(c.fixed) / 16
		}
		if n != b.rows {
			return fmt.Errorf("batch of %s: column %s has %d values for %d rows", b.schema.ID(), col.Name, n, b.rows)
		}
		nullable := !col.Kind.text() && col.Null
		if nullable && len(c.nulls) != b.rows || !nullable && len(c.nulls) != 0 {
			return fmt.Errorf("batch of %s: column %s has %d null marks for %d rows", b.schema.ID(), col.Name, len(c.nulls), b.rows)
		}
		if low, high, bounded := col.Kind.bounds(); bounded {
			for _, v := range c.ints {
				if v < low || v > high {
					return fmt.Errorf("batch of %s: column %s: %d is no %s", b.schema.ID(), col.Name, v, col.Kind)
				}
			}
		}
		if isLent(c.codes, nullCodes[:]) && col.Null {
			continue
		}
		for _, code := range c.codes {
			if code == nullCode && !col.Null {
				return fmt.Errorf("batch of %s: column %s holds a null and allows none", b.schema.ID(), col.Name)
			}
			if code != nullCode && int(code) >= len(c.dict.ends) {
				return fmt.Errorf("batch of %s: column %s: code %d of %d", b.schema.ID(), col.Name, code, len(c.dict.ends))
			}
		}
	}
	return nil
}

// Null tells whether a value is null.
func (b *Batch) Null(col, row int) bool {
	c := &b.cols[col]
	if b.schema.Columns[col].Kind.text() {
		return c.codes[row] == nullCode
	}
	return len(c.nulls) > 0 && c.nulls[row]
}

// Int returns a number, Time or Date.
func (b *Batch) Int(col, row int) int64 { return b.cols[col].ints[row] }

// Ints are the values of a column of numbers, times or dates, a row each, and which of them are
// null: nulls is empty where the schema allows none. Both belong to the batch.
func (b *Batch) Ints(col int) (values []int64, nulls []bool) {
	return b.cols[col].ints, b.cols[col].nulls
}

// Float returns the value of a Float64 column.
func (b *Batch) Float(col, row int) float64 { return math.Float64frombits(uint64(b.Int(col, row))) }

// Bool returns the value of a Bool column.
func (b *Batch) Bool(col, row int) bool { return b.Int(col, row) != 0 }

// Text returns a text, nil when null. The bytes belong to the batch.
func (b *Batch) Text(col, row int) []byte {
	c := &b.cols[col]
	if c.codes[row] == nullCode {
		return nil
	}
	return c.dict.value(c.codes[row])
}

// UUID returns the value of a UUID column.
func (b *Batch) UUID(col, row int) ID { return ID(b.cols[col].fixed[16*row : 16*row+16]) }

// UUIDBytes returns the bytes of a UUID; they belong to the batch.
func (b *Batch) UUIDBytes(col, row int) []byte { return b.cols[col].fixed[16*row : 16*row+16] }

// Codes gives the codes of a text column, a row each (IsNullCode tells nulls),
// and the number of distinct codes; DictValue gives the text of one.
func (b *Batch) Codes(col int) (codes []uint32, distinct int) {
	return b.cols[col].codes, len(b.cols[col].dict.ends)
}

// DictValue is the text of a code.
func (b *Batch) DictValue(col int, code uint32) []byte { return b.cols[col].dict.value(code) }

// DictStrings are the texts of a column by their codes. They share one copy of all of them.
func (b *Batch) DictStrings(col int) []string {
	d := &b.cols[col].dict
	all, from := string(d.arena), uint32(0)
	texts := make([]string, len(d.ends))
	for code, to := range d.ends {
		texts[code], from = all[from:to], to
	}
	return texts
}

// IsNullCode tells whether a code of Codes stands for null.
func IsNullCode(code uint32) bool { return code == nullCode }

// DayOf is the UTC day of a row, in days since the Unix epoch.
func (b *Batch) DayOf(row int) int64 {
	v := b.Int(b.schema.DayBy, row)
	if b.schema.Columns[b.schema.DayBy].Kind == Date {
		return v
	}
	return FloorDay(v)
}

// FloorDay is the UTC day of a time in milliseconds.
func FloorDay(ms int64) int64 {
	const day = 24 * 60 * 60 * 1000
	d := ms / day
	if ms%day < 0 {
		d--
	}
	return d
}

// Compare orders row i of a against row j of b by the schema's order, and versions of
// the same row, where all are kept, from the first to the last.
func Compare(a *Batch, i int, b *Batch, j int) int {
	for _, col := range a.schema.Order {
		if c := compareColumn(a, i, b, j, col); c != 0 {
			return c
		}
	}
	if version, ok := a.schema.History(); ok {
		return compareColumn(a, i, b, j, version)
	}
	return 0
}

func compareColumn(a *Batch, i int, b *Batch, j, col int) int {
	x, y := &a.cols[col], &b.cols[col]
	switch k := a.schema.Columns[col].Kind; {
	case k.text():
		return compareTexts(x, x.codes[i], y, y.codes[j])
	case k == UUID:
		return bytes.Compare(x.fixed[16*i:16*i+16], y.fixed[16*j:16*j+16])
	case x.ints[i] < y.ints[j]:
		return -1
	case x.ints[i] > y.ints[j]:
		return 1
	}
	return 0
}

// compareTexts orders null before every text.
func compareTexts(x *vector, i uint32, y *vector, j uint32) int {
	switch {
	case i == nullCode && j == nullCode, x == y && i == j:
		return 0
	case i == nullCode:
		return -1
	case j == nullCode:
		return 1
	}
	return bytes.Compare(x.dict.value(i), y.dict.value(j))
}
