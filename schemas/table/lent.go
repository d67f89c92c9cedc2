package table

// Many columns have nothing but nulls: a log without query times has none in any row. These take
// their values from memory that all batches share and nobody writes to. It is told by where it
// lies, so there is one pool for each kind of value: zeros, null codes, marks of null. Whoever makes a
// column shorter must use shortened, so that what is appended later goes elsewhere.

// lentRows is how many rows a batch has at most that borrows.
const lentRows = 1 << 17

var (
	nullCodes [lentRows]uint32
	zeros     [lentRows]int64
	zeroIDs   [16 * lentRows]byte
	marked    [lentRows]bool
)

func init() {
	for i := range nullCodes {
		nullCodes[i], marked[i] = nullCode, true
	}
}

// lend gives n values of a pool, of which each is v.
func lend[T any](pool []T, v T, n int) []T {
	if n > len(pool) {
		return appendMany[T](nil, v, n)
	}
	return pool[:n:n]
}

// pad appends n times what a pool holds, or borrows it. Who has room of his own has had other
// values before, and will again.
func pad[T any](to, pool []T, v T, n int) []T {
	if cap(to) == 0 && n > 0 {
		return lend(pool, v, n)
	}
	return appendMany(to, v, n)
}

// isLent tells whether values lie in a pool.
func isLent[T any](values, pool []T) bool { return len(values) > 0 && &values[0] == &pool[0] }

// shortened are the first n of values, which may lie in a pool.
func shortened[T any](values, pool []T, n int) []T {
	if isLent(values, pool) {
		return values[:n:n]
	}
	return values[:n]
}

// shorten leaves the first values of a column, as many as are named.
func (c *vector) shorten(codes, ints, fixed, nulls int) {
	c.codes, c.ints = shortened(c.codes, nullCodes[:], codes), shortened(c.ints, zeros[:], ints)
	c.fixed, c.nulls = shortened(c.fixed, zeroIDs[:], fixed), shortened(c.nulls, marked[:], nulls)
}

// AllNull tells of columns whose values are all null that they are. It is no proof of the contrary.
func (b *Batch) AllNull(col int) bool {
	c := &b.cols[col]
	if b.schema.Columns[col].Kind.text() {
		return b.rows > 0 && len(c.dict.ends) == 0
	}
	return isLent(c.nulls, marked[:])
}
