package transforms

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"millrace/internal/settings"
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
			faults = append(faults, placed(r, fmt.Errorf("rule %s, input: there is no %s to watch%s", r.Name, r.Input, settings.Suggest(r.Input, names))))
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
	columns      map[string]int // of where and by
	field, while int            // -1 for none
	sparse       bool           // zeros tell nothing
	late         int            // tells rows that are in no window; -1 for none
}

func newRuleReader(r *alerts.Rule, schema *table.Schema) (ruleReader, error) {
	out := ruleReader{rule: r, schema: schema, columns: map[string]int{}, field: -1, while: -1, late: -1}
	var faults []error
	find := func(what, name string) int {
		i, ok := schema.Index(name)
		if !ok {
			faults = append(faults, fmt.Errorf("rule %s, %s: %s has no column %s%s", r.Name, what, r.Input, name, settings.Suggest(name, columnNames(schema))))
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
	for _, m := range r.Where {
		out.columns[m.Column] = find("where", m.Column)
	}
	for _, name := range r.By {
		out.columns[name] = find("by", name)
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

// key is that of a row, if the rule watches it.
func (r *ruleReader) key(b *table.Batch, row int) (key string, watched bool) {
	return r.rule.KeyOf(func(name string) string { return cellText(b, r.columns[name], row) })
}

// read gives the readings of rows by the key that the rule watches.
func (r *ruleReader) read(b *table.Batch) map[string][]alerts.Reading {
	out := map[string][]alerts.Reading{}
	for row := range b.Len() {
		if r.late >= 0 && b.Bool(r.late, row) {
			continue // late is in no window
		}
		key, watched := r.key(b, row)
		if !watched {
			continue
		}
		reading := alerts.Reading{Time: rowTime(b, row), Value: cellNumber(b, r.field, row)}
		if r.while >= 0 {
			reading.While = cellNumber(b, r.while, row)
		}
		if r.field < 0 {
			reading.Value = 1
		}
		if r.sparse && reading.Value == 0 && reading.While == 0 {
			continue
		}
		out[key] = append(out[key], reading)
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

// cellText is a value as where and by of a rule have it.
func cellText(b *table.Batch, col, row int) string {
	if b.Null(col, row) {
		return ""
	}
	switch b.Schema().Columns[col].Kind {
	case table.String, table.Bytes:
		return string(b.Text(col, row))
	case table.Float64:
		return strconv.FormatFloat(b.Float(col, row), 'g', -1, 64)
	case table.Bool:
		return strconv.FormatBool(b.Bool(col, row))
	case table.UUID:
		return fmt.Sprintf("%x", b.UUID(col, row))
	default:
		return strconv.FormatInt(b.Int(col, row), 10)
	}
}
