package table

import "slices"

// keyed is a row number beside its most significant sort value, to sort by that
// without a look at the rows.
type keyed struct {
	first uint64
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
		keys[i] = keyed{uint64(v) ^ 1<<63, uint32(i)} // unsigned in the same order
	}
	for i, k := range sortKeyed(keys) {
		order[i] = k.row
	}
	from := 0
	for to := 1; to <= len(order); to++ {
		if to == len(order) || b.Int(first, int(order[to])) != b.Int(first, int(order[from])) {
			b.sortTied(order[from:to])
			from = to
		}
	}
	return order
}

// sortTied sorts rows that only later columns of the order tell apart; mostly
// they lie in order.
func (b *Batch) sortTied(rows []uint32) {
	compare := func(i, j uint32) int { return Compare(b, int(i), b, int(j)) }
	if !slices.IsSortedFunc(rows, compare) {
		slices.SortStableFunc(rows, compare)
	}
}

// sortKeyed is a radix sort, stable, by digits of 11 bits from the least one up.
// Digits that all keys share cost nothing, so a log's few minutes take two
// passes.
func sortKeyed(keys []keyed) []keyed {
	const bits = 11
	differ := uint64(0)
	for _, k := range keys {
		differ |= k.first ^ keys[0].first
	}
	other := make([]keyed, len(keys))
	for shift := 0; differ>>shift != 0; shift += bits {
		if differ>>shift&(1<<bits-1) == 0 {
			continue
		}
		var starts [1<<bits + 1]int
		for _, k := range keys {
			starts[k.first>>shift&(1<<bits-1)+1]++
		}
		for digit := range 1 << bits {
			starts[digit+1] += starts[digit]
		}
		for _, k := range keys {
			at := &starts[k.first>>shift&(1<<bits-1)]
			other[*at] = k
			*at++
		}
		keys, other = other, keys
	}
	return keys
}

// Keep leaves the named rows, which are in ascending order, and drops the others. Dictionaries
// stay as they are.
func (b *Batch) Keep(rows []uint32) {
	if len(rows) == b.rows {
		return
	}
	b.rows = len(rows)
	for col := range b.cols {
		c := &b.cols[col]
		c.ints, c.codes = keep(c.ints, zeros[:], rows), keep(c.codes, nullCodes[:], rows)
		if c.nulls = keep(c.nulls, marked[:], rows); len(c.fixed) == 0 {
			continue
		}
		if isLent(c.fixed, zeroIDs[:]) {
			c.fixed = c.fixed[: 16*len(rows) : 16*len(rows)]
			continue
		}
		for i, r := range rows {
			copy(c.fixed[16*i:16*i+16], c.fixed[16*r:])
		}
		c.fixed = c.fixed[:16*len(rows)]
	}
}

// keep works run by run: most rows stay.
func keep[T any](values, pool []T, rows []uint32) []T {
	if len(values) == 0 {
		return values
	}
	if isLent(values, pool) {
		return values[:len(rows):len(rows)]
	}
	for at := 0; at < len(rows); {
		to := at + 1
		for to < len(rows) && rows[to] == rows[to-1]+1 {
			to++
		}
		copy(values[at:to], values[rows[at]:])
		at = to
	}
	return values[:len(rows)]
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
		case k == UUID && isLent(from.fixed, zeroIDs[:]):
			to.fixed = pad(to.fixed, zeroIDs[:], 0, 16*len(rows))
		case k == UUID:
			to.fixed = slices.Grow(to.fixed, 16*len(rows))
			for _, r := range rows {
				to.fixed = append(to.fixed, from.fixed[16*r:16*r+16]...)
			}
		default:
			to.ints = gather(to.ints, from.ints, zeros[:], 0, rows)
		}
		to.nulls = gather(to.nulls, from.nulls, marked[:], true, rows)
	}
}

// gather appends the named values, which lie in a pool of v if all are that.
func gather[T any](to, from, pool []T, v T, rows []uint32) []T {
	switch {
	case len(from) == 0:
		return to
	case isLent(from, pool):
		return pad(to, pool, v, len(rows))
	}
	to = slices.Grow(to, len(rows))
	for _, r := range rows {
		to = append(to, from[r])
	}
	return to
}

func gatherText(to, from *vector, rows []uint32) {
	if len(from.dict.ends) == 0 { // there are nulls alone
		to.codes = pad(to.codes, nullCodes[:], nullCode, len(rows))
		return
	}
	to.codes = slices.Grow(to.codes, len(rows))
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
