package transforms

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"millrace/schemas/anomaly"
	"millrace/schemas/table"
	"millrace/transforms/alerts"
)

// CheckAlerts reports everything that is wrong with rules over inputs.
func CheckAlerts(rules []alerts.Rule, inputs map[string]AlertInput) error {
	var faults []error
	names := slices.Sorted(maps.Keys(inputs))
	for i := range rules {
		r := &rules[i]
		in, ok := inputs[r.Input]
		if !ok {
			cure := alerts.Suggest(r.Input, names)
			if r.Input == anomaly.Rows.Name {
				cure = ": scores are made with the setting anomalies, --set anomalies=true"
			}
			faults = append(faults, placed(r, fmt.Errorf("rule %s, input: there is no %s to watch%s", r.Name, r.Input, cure)))
			continue
		}
		if _, err := newRuleReader(r, in.Schema); err != nil {
			faults = append(faults, placed(r, err))
		}
	}
	return errors.Join(faults...)
}

// placed says where a rule was written.
func placed(r *alerts.Rule, err error) error {
	if r.At == "" {
		return err
	}
	return fmt.Errorf("%s: %w", r.At, err)
}

// ruleReader reads rows as a rule watches them.
type ruleReader struct {
	rule         *alerts.Rule
	schema       *table.Schema
	where, per   []whereCell
	by           []int // columns
	field, while int   // -1 for none
	time         int   // -1 for the day column
	sparse       bool  // zeros tell nothing
	late         int   // tells rows that are in no window; -1 for none
	buf          []byte
}

// whereCell is a value that a column must have.
type whereCell struct {
	col     int
	want    string
	number  int64 // the same as a column of whole numbers holds it
	numbers bool  // whether the column is one
	never   bool  // no value of the column is written like this
}

func newWhereCell(schema *table.Schema, col int, want string) whereCell {
	c := whereCell{col: col, want: want}
	switch schema.Columns[col].Kind { //nolint:exhaustive // the others are compared as text
	case table.Int32, table.Int64, table.Time, table.Date:
		c.numbers = true
		n, err := strconv.ParseInt(want, 10, 64)
		c.number, c.never = n, err != nil || strconv.FormatInt(n, 10) != want
	}
	return c
}

func (c *whereCell) matches(b *table.Batch, row int) bool {
	if c.numbers && !b.Null(c.col, row) {
		return !c.never && b.Int(c.col, row) == c.number
	}
	if k := b.Schema().Columns[c.col].Kind; k == table.String || k == table.Bytes {
		return string(b.Text(c.col, row)) == c.want // null is the empty text
	}
	return string(appendCell(nil, b, c.col, row)) == c.want
}

func newRuleReader(r *alerts.Rule, schema *table.Schema) (ruleReader, error) {
	out := ruleReader{rule: r, schema: schema, field: -1, while: -1, time: -1, late: -1}
	var faults []error
	find := func(what, name string) int {
		i, ok := schema.Index(name)
		if !ok {
			faults = append(faults, fmt.Errorf("rule %s, %s: %s has no column %s%s", r.Name, what, r.Input, name, alerts.Suggest(name, columnNames(schema))))
			return -1
		}
		return i
	}
	number := func(what, name string) int {
		i := find(what, name)
		if i >= 0 && !numeric(schema.Columns[i].Kind) {
			faults = append(faults, fmt.Errorf("rule %s, %s: column %s of %s is no number but a %s", r.Name, what, name, r.Input, schema.Columns[i].Kind))
		}
		return i
	}
	if r.Field != "" {
		out.field = number("field", r.Field)
	}
	if r.WhileField != "" {
		out.while = number("while_field", r.WhileField)
	}
	cells := func(what string, matches []alerts.Match) (cells []whereCell) {
		for _, m := range matches {
			if i := find(what, m.Column); i >= 0 {
				cells = append(cells, newWhereCell(schema, i, m.Value))
			}
		}
		return cells
	}
	out.where, out.per = cells("where", r.Where), cells("per", r.Per)
	for _, name := range r.By {
		out.by = append(out.by, find("by", name))
	}
	if i, ok := schema.Index("late"); ok && schema.Columns[i].Kind == table.Bool {
		out.late = i
	}
	return out, errors.Join(faults...)
}

func columnNames(s *table.Schema) (names []string) {
	for _, c := range s.Columns {
		names = append(names, c.Name)
	}
	return names
}

func numeric(k table.Kind) bool {
	return k == table.Int32 || k == table.Int64 || k == table.Float64 || k == table.Bool
}

// key is that of a row, if the rule watches it, as alerts.Rule.KeyOf writes it. It is
// valid until the next call.
func (r *ruleReader) key(b *table.Batch, row int) (key []byte, watched bool) {
	if !allMatch(r.where, b, row) {
		return nil, false
	}
	return r.groupKey(b, row), true
}

func allMatch(cells []whereCell, b *table.Batch, row int) bool {
	for i := range cells {
		if !cells[i].matches(b, row) {
			return false
		}
	}
	return true
}

// groupKey is the key of a row, watched or not.
func (r *ruleReader) groupKey(b *table.Batch, row int) []byte {
	r.buf = r.buf[:0]
	for i, col := range r.by {
		if i > 0 {
			r.buf = append(r.buf, ',')
		}
		r.buf = append(append(r.buf, r.rule.By[i]...), '=')
		r.buf = appendCell(r.buf, b, col, row)
	}
	return r.buf
}

// when is the time of a row in milliseconds.
func (r *ruleReader) when(b *table.Batch, row int) int64 {
	if r.time < 0 {
		return rowTime(b, row)
	}
	return b.Int(r.time, row)
}

// divided makes a reading of a row of a rule with per: it may count above the line, below
// it, or on both sides.
func (r *ruleReader) divided(reading *alerts.Reading, above, below bool) {
	value := reading.Value
	if !above {
		reading.Value = math.NaN()
	}
	switch {
	case !below || math.IsNaN(value) || math.IsInf(value, 0):
	case r.rule.Aggregate == alerts.Count:
		reading.While = 1
	default:
		reading.While = value
	}
}

// read gives the readings of rows by the key that the rule watches.
func (r *ruleReader) read(b *table.Batch) map[string]*[]alerts.Reading {
	out := map[string]*[]alerts.Reading{}
	for row := range b.Len() {
		if r.late >= 0 && b.Bool(r.late, row) {
			continue // late is in no window
		}
		above := allMatch(r.where, b, row)
		below := len(r.per) > 0 && allMatch(r.per, b, row)
		if !above && !below {
			continue
		}
		key := r.groupKey(b, row)
		reading := alerts.Reading{Time: r.when(b, row), Value: cellNumber(b, r.field, row)}
		if r.while >= 0 {
			reading.While = cellNumber(b, r.while, row)
		}
		if r.field < 0 {
			reading.Value = 1
		}
		if len(r.per) > 0 {
			r.divided(&reading, above, below)
		}
		if r.sparse && (reading.Value == 0 || !above) && reading.While == 0 {
			continue
		}
		of := out[string(key)]
		if of == nil {
			of = &[]alerts.Reading{}
			out[string(key)] = of
		}
		*of = append(*of, reading)
	}
	return out
}

// rowTime is the time of a row in milliseconds: its day column, which may be a day.
func rowTime(b *table.Batch, row int) int64 {
	by := b.Schema().DayBy
	if t := b.Int(by, row); b.Schema().Columns[by].Kind != table.Date {
		return t
	}
	return b.DayOf(row) * day.Milliseconds()
}

// cellNumber is NaN for null.
func cellNumber(b *table.Batch, col, row int) float64 {
	switch {
	case col < 0 || b.Null(col, row):
		return math.NaN()
	case b.Schema().Columns[col].Kind == table.Float64:
		return b.Float(col, row)
	}
	return float64(b.Int(col, row))
}

// appendCell appends a value as where and by of a rule have it: nothing for null.
func appendCell(dst []byte, b *table.Batch, col, row int) []byte {
	if b.Null(col, row) {
		return dst
	}
	switch b.Schema().Columns[col].Kind {
	case table.String, table.Bytes:
		return append(dst, b.Text(col, row)...)
	case table.Float64:
		return strconv.AppendFloat(dst, b.Float(col, row), 'g', -1, 64)
	case table.Bool:
		return strconv.AppendBool(dst, b.Bool(col, row))
	case table.UUID:
		return hex.AppendEncode(dst, b.UUIDBytes(col, row))
	default:
		return strconv.AppendInt(dst, b.Int(col, row), 10)
	}
}
