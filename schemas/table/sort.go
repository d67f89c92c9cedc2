package table

import (
	"cmp"
	"slices"
)

// keyed is a row number beside its most significant sort value, so that most
// comparisons touch nothing else.
type keyed struct {
	first int64
	row   uint32
}

// Sorted returns the row numbers in the schema's order. It costs one pass when
// the rows already lie in order, as those of a log mostly do.
func (b *Batch) Sorted() []uint32 {
	order := make([]uint32, b.rows)
	inOrder := true
	for i := range order {
		order[i] = uint32(i)
		if i > 0 && inOrder && Compare(b, i-1, b, i) > 0 {
			inOrder = false
		}
	}
	if inOrder {
		return order
	}
	first := b.schema.Order[0]
	if b.schema.Columns[first].Kind.text() || b.schema.Columns[first].Kind == UUID {
		slices.SortStableFunc(order, func(i, j uint32) int { return Compare(b, int(i), b, int(j)) })
		return order
	}
	keys := make([]keyed, b.rows)
	for i, v := range b.cols[first].ints {
		keys[i] = keyed{v, uint32(i)}
	}
	slices.SortFunc(keys, func(x, y keyed) int {
		if c := cmp.Compare(x.first, y.first); c != 0 {
			return c
		}
		if c := Compare(b, int(x.row), b, int(y.row)); c != 0 {
			return c
		}
		return cmp.Compare(x.row, y.row)
	})
	for i, k := range keys {
		order[i] = k.row
	}
	return order
}

// Gather appends the named rows of src to b, which must be empty and of the same
// schema. Dictionaries shrink to what the rows use.
func (b *Batch) Gather(src *Batch, rows []uint32) {
	if b.rows != 0 || b.schema != src.schema {
		panic("table: gathering rows of " + src.schema.ID() + " into a batch of " + b.schema.ID() + " that must be empty and of the same schema")
	}
	b.rows = len(rows)
	for col := range b.cols {
		to, from := &b.cols[col], &src.cols[col]
		switch k := b.schema.Columns[col].Kind; {
		case k.text():
			gatherText(to, from, rows)
		case k == UUID:
			for _, r := range rows {
				to.fixed = append(to.fixed, from.fixed[16*r:16*r+16]...)
			}
		default:
			for _, r := range rows {
				to.ints = append(to.ints, from.ints[r])
			}
		}
		if len(from.nulls) > 0 {
			for _, r := range rows {
				to.nulls = append(to.nulls, from.nulls[r])
			}
		}
	}
}

func gatherText(to, from *vector, rows []uint32) {
	renamed := make([]uint32, len(from.dict.ends)) // new code + 1
	for _, r := range rows {
		code := from.codes[r]
		if code != nullCode {
			if renamed[code] == 0 {
				renamed[code] = to.dict.append(from.dict.value(code)) + 1
			}
			code = renamed[code] - 1
		}
		to.codes = append(to.codes, code)
	}
}
