package predicate

import "millrace/schemas/table"

// The answers of a predicate about a row.
const (
	no uint8 = iota
	yes
	unknown
)

func answer(b bool) uint8 {
	if b {
		return yes
	}
	return no
}

// node answers for all rows of a batch: out has as many places.
type node interface {
	eval(s *scratch, b *table.Batch, out []uint8)
}

// scratch is memory that nodes use for a while, as a stack.
type scratch struct {
	columns [][]uint8
	depth   int
	table   []uint8
}

func (s *scratch) take(n int) []uint8 {
	if s.depth == len(s.columns) {
		s.columns = append(s.columns, nil)
	}
	c := &s.columns[s.depth]
	if cap(*c) < n {
		*c = make([]uint8, n)
	}
	s.depth++
	return (*c)[:n]
}

func (s *scratch) give() { s.depth-- }

// answers returns a place for each code of a dictionary.
func (s *scratch) answers(n int) []uint8 {
	if cap(s.table) < n {
		s.table = make([]uint8, n)
	}
	return s.table[:n]
}

type constant uint8

func (c constant) eval(_ *scratch, _ *table.Batch, out []uint8) {
	for i := range out {
		out[i] = uint8(c)
	}
}

// flag is a bool column.
type flag int

func (f flag) eval(s *scratch, b *table.Batch, out []uint8) {
	number{int(f), unknown, func(v int64) uint8 { return answer(v != 0) }}.eval(s, b, out)
}

type not struct{ of node }

func (n not) eval(s *scratch, b *table.Batch, out []uint8) {
	n.of.eval(s, b, out)
	for i, v := range out {
		out[i] = [...]uint8{no: yes, yes: no, unknown: unknown}[v]
	}
}

// junction is && (end: no) or || (end: yes): one part with the answer end decides;
// without, one unknown part leaves it unknown.
type junction struct {
	parts []node
	end   uint8
}

func (j junction) eval(s *scratch, b *table.Batch, out []uint8) {
	j.parts[0].eval(s, b, out)
	more := s.take(len(out))
	for _, p := range j.parts[1:] {
		p.eval(s, b, more)
		if j.end == no {
			for i, v := range more {
				out[i] = and[out[i]&3][v&3]
			}
		} else {
			for i, v := range more {
				out[i] = or[out[i]&3][v&3]
			}
		}
	}
	s.give()
}

var (
	and = [4][4]uint8{no: {no, no, no}, yes: {no, yes, unknown}, unknown: {no, unknown, unknown}}
	or  = [4][4]uint8{no: {no, yes, unknown}, yes: {yes, yes, yes}, unknown: {unknown, yes, unknown}}
)

type isNull struct {
	col  int
	want bool
}

func (n isNull) eval(_ *scratch, b *table.Batch, out []uint8) {
	for i := range out {
		out[i] = answer(b.Null(n.col, i) == n.want)
	}
}

// number tests a column of numbers or booleans.
type number struct {
	col  int
	null uint8
	test func(int64) uint8
}

func (n number) eval(_ *scratch, b *table.Batch, out []uint8) {
	nullable := b.Schema().Columns[n.col].Null
	for i := range out {
		if nullable && b.Null(n.col, i) {
			out[i] = n.null
			continue
		}
		out[i] = n.test(b.Int(n.col, i))
	}
}

// text tests a column of text.
type text struct {
	col  int
	null uint8
	test func([]byte) bool
}

func (t text) eval(s *scratch, b *table.Batch, out []uint8) {
	byCode(s, b, t.col, t.null, func(code uint32, _ int) uint8 { return answer(t.test(b.DictValue(t.col, code))) }, out)
}

// byCode answers once for each text of a column, or once for each row where there
// are fewer rows than texts.
func byCode(s *scratch, b *table.Batch, col int, null uint8, test func(code uint32, row int) uint8, out []uint8) {
	const open = unknown + 1
	codes, distinct := b.Codes(col)
	if distinct > len(out) {
		for i, code := range codes[:len(out)] {
			if table.IsNullCode(code) {
				out[i] = null
			} else {
				out[i] = test(code, i)
			}
		}
		return
	}
	answers := s.answers(distinct)
	for i := range answers {
		answers[i] = open
	}
	for i, code := range codes[:len(out)] {
		if table.IsNullCode(code) {
			out[i] = null
			continue
		}
		if answers[code] == open {
			answers[code] = test(code, i)
		}
		out[i] = answers[code]
	}
}
