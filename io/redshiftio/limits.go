package redshiftio

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"millrace/io/driver"
	"millrace/schemas/table"
)

// maxRow is how many bytes a row that COPY loads has at most.
const maxRow = 4 << 20

// Times and days that are loaded: years of four digits.
const (
	firstMillis, lastMillis = -62_135_596_800_000, 253_402_300_799_999 // 0001-01-01 to 9999-12-31
	firstDay, lastDay       = -719_162, 2_932_896
)

// limits are those of a table, by column. Rows that do not keep them are refused before
// they are staged: a row that COPY refuses takes its whole load with it.
type limits struct {
	config *config
	most   []int   // bytes of a text; 0 for no limit
	faults [][]int // of the batch looked at last, by column and code: 0 not known, else one of those below, or its length + textFine
}

const (
	textUnknown = iota
	textNul
	textBroken
	textFine // and its length
)

// unfit is why a row cannot be loaded.
type unfit struct {
	reason     driver.RefusalReason
	text, cure string
}

// newLimits takes the widths of columns that the table has, by name.
func newLimits(c *config, widths map[string]int) *limits {
	l := &limits{config: c, most: make([]int, len(c.schema.Columns)), faults: make([][]int, len(c.schema.Columns))}
	for i, column := range c.table.Columns()[:len(l.most)] {
		l.most[i] = column.Bytes
		if width, known := widths[column.Name]; known && column.Kind == table.String {
			l.most[i] = width
		}
	}
	return l
}

// look begins with a batch. What holds of a text is found once, not once a row.
func (l *limits) look(b *table.Batch) {
	for i, c := range l.config.schema.Columns {
		if c.Kind == table.String || c.Kind == table.Bytes {
			_, distinct := b.Codes(i)
			l.faults[i] = append(l.faults[i][:0], make([]int, distinct)...)
		}
	}
}

// unfit tells what of a row of the batch looked at cannot be loaded; nil when all can.
func (l *limits) unfit(b *table.Batch, row int) *unfit {
	total := 0
	for i := range l.config.schema.Columns {
		c := &l.config.schema.Columns[i]
		switch c.Kind {
		case table.String, table.Bytes:
			codes, _ := b.Codes(i)
			if table.IsNullCode(codes[row]) {
				continue
			}
			known := &l.faults[i][codes[row]]
			if *known == textUnknown {
				*known = examine(b.DictValue(i, codes[row]), c.Kind)
			}
			size := *known - textFine
			switch {
			case *known == textNul:
				return &unfit{driver.RefusedInvalid, "the text of " + c.Name + " holds a zero byte, which Redshift takes in no text", ""}
			case *known == textBroken:
				return &unfit{driver.RefusedInvalid, "the text of " + c.Name + " is no UTF-8", ""}
			case l.most[i] > 0 && size > l.most[i]:
				return &unfit{driver.RefusedTooLarge, fmt.Sprintf("%s has %d bytes, and the table's column takes %d", c.Name, size, l.most[i]), "widen the column (ALTER COLUMN ... TYPE VARCHAR), up to 65535"}
			}
			total += size
		case table.Time, table.Date:
			if b.Null(i, row) {
				continue
			}
			low, high := int64(firstMillis), int64(lastMillis)
			if c.Kind == table.Date {
				low, high = firstDay, lastDay
			}
			if v := b.Int(i, row); v < low || v > high {
				return &unfit{driver.RefusedInvalid, c.Name + " is not of the years 1 to 9999", ""}
			}
		default:
		}
	}
	if total+16*len(l.config.schema.Columns) > maxRow {
		return &unfit{driver.RefusedTooLarge, fmt.Sprintf("a row has %d bytes, and Redshift loads rows of %d", total, maxRow), ""}
	}
	if v := l.config.version; v >= 0 && b.Int(v, row) < 0 {
		return &unfit{driver.RefusedInvalid, "the version is negative", ""}
	}
	return nil
}

func examine(text []byte, kind table.Kind) int {
	switch {
	case kind == table.Bytes:
	case bytes.IndexByte(text, 0) >= 0:
		return textNul
	case !utf8.Valid(text):
		return textBroken
	}
	return textFine + len(text)
}
