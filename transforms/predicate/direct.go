package predicate

import (
	"bytes"
	"math"
	"regexp"

	celast "cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"millrace/schemas/table"
)

// builder turns a checked expression into loops over columns.
type builder struct{ schema *table.Schema }

// build returns false for an expression of another form.
func build(s *table.Schema, e celast.Expr) (node, bool) { return (&builder{s}).node(e) }

func (b *builder) node(e celast.Expr) (node, bool) {
	switch e.Kind() { //nolint:exhaustive // the rest is left to the interpreter
	case celast.LiteralKind:
		if v, ok := e.AsLiteral().(types.Bool); ok {
			return constant(answer(bool(v))), true
		}
	case celast.IdentKind:
		if col, ok := b.column(e, table.Bool); ok {
			return flag(col), true
		}
	case celast.CallKind:
		return b.call(e.AsCall())
	}
	return nil, false
}

// column is the number of the column that a name stands for, if it is of a kind.
func (b *builder) column(e celast.Expr, kinds ...table.Kind) (int, bool) {
	if e.Kind() != celast.IdentKind {
		return 0, false
	}
	col, ok := b.schema.Index(e.AsIdent())
	for _, k := range kinds {
		if ok && b.schema.Columns[col].Kind == k {
			return col, true
		}
	}
	return 0, false
}

func (b *builder) call(c celast.CallExpr) (node, bool) {
	args := c.Args()
	if c.IsMemberFunction() {
		return b.method(c)
	}
	switch c.FunctionName() {
	case operators.LogicalNot:
		if x, ok := b.node(args[0]); ok {
			return not{x}, true
		}
	case operators.LogicalAnd, operators.LogicalOr:
		out := junction{end: yes}
		if c.FunctionName() == operators.LogicalAnd {
			out.end = no
		}
		for _, a := range args {
			x, ok := b.node(a)
			if !ok {
				return nil, false
			}
			out.parts = append(out.parts, x)
		}
		return out, true
	case operators.In:
		return b.in(args[0], args[1])
	case operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		return b.comparison(c.FunctionName(), args[0], args[1])
	}
	return nil, false
}

// method is a test of a text column with a constant.
func (b *builder) method(c celast.CallExpr) (node, bool) {
	col, ok := b.column(c.Target(), table.String)
	if !ok || len(c.Args()) != 1 || c.Args()[0].Kind() != celast.LiteralKind {
		return nil, false
	}
	s, ok := c.Args()[0].AsLiteral().(types.String)
	if !ok {
		return nil, false
	}
	want := []byte(s)
	switch c.FunctionName() {
	case "startsWith":
		return text{col, unknown, func(v []byte) bool { return bytes.HasPrefix(v, want) }}, true
	case "endsWith":
		return text{col, unknown, func(v []byte) bool { return bytes.HasSuffix(v, want) }}, true
	case "contains":
		return text{col, unknown, func(v []byte) bool { return bytes.Contains(v, want) }}, true
	case "matches":
		if re, err := regexp.Compile(string(s)); err == nil {
			return text{col, unknown, re.Match}, true
		}
	}
	return nil, false
}

// in is a column in a list of constants.
func (b *builder) in(e, list celast.Expr) (node, bool) {
	if list.Kind() != celast.ListKind || list.AsList().Size() == 0 {
		return nil, false
	}
	texts, numbers := map[string]bool{}, map[int64]bool{}
	for _, x := range list.AsList().Elements() {
		if x.Kind() != celast.LiteralKind {
			return nil, false
		}
		switch v := x.AsLiteral().(type) {
		case types.String:
			texts[string(v)] = true
		case types.Int:
			numbers[int64(v)] = true
		default:
			return nil, false
		}
	}
	if col, ok := b.column(e, table.String); ok && len(numbers) == 0 {
		return text{col, no, func(v []byte) bool { return texts[string(v)] }}, true
	}
	if col, ok := b.column(e, table.Int32, table.Int64); ok && len(texts) == 0 {
		return number{col, no, func(v int64) uint8 { return answer(numbers[v]) }}, true
	}
	return nil, false
}

var flipped = map[string]string{
	operators.Equals: operators.Equals, operators.NotEquals: operators.NotEquals,
	operators.Less: operators.Greater, operators.LessEquals: operators.GreaterEquals,
	operators.Greater: operators.Less, operators.GreaterEquals: operators.LessEquals,
}

func (b *builder) comparison(op string, x, y celast.Expr) (node, bool) {
	if x.Kind() == celast.LiteralKind {
		x, y, op = y, x, flipped[op]
	}
	if y.Kind() != celast.LiteralKind {
		return nil, false
	}
	null := unknown
	switch op {
	case operators.Equals:
		null = no
	case operators.NotEquals:
		null = yes
	}
	return b.compare(op, x, y.AsLiteral(), null)
}

func (b *builder) compare(op string, x celast.Expr, value ref.Val, null uint8) (node, bool) {
	switch v := value.(type) {
	case types.Null:
		if col, ok := b.column(x, table.String, table.Int32, table.Int64, table.Float64, table.Bool, table.Time); ok && null != unknown {
			return isNull{col, null == no}, true
		}
	case types.String:
		if col, ok := b.column(x, table.String); ok {
			return text{col, null, textTest(op, []byte(v))}, true
		}
	case types.Int:
		if col, ok := b.column(x, table.Int32, table.Int64); ok {
			return number{col, null, intTest(op, int64(v))}, true
		}
	case types.Double:
		if col, ok := b.column(x, table.Float64); ok && !math.IsNaN(float64(v)) {
			return number{col, null, floatTest(op, float64(v))}, true
		}
	case types.Bool:
		if col, ok := b.column(x, table.Bool); ok && null != unknown {
			want := bool(v) == (op == operators.Equals)
			return number{col, null, func(v int64) uint8 { return answer((v != 0) == want) }}, true
		}
	}
	return nil, false
}

func textTest(op string, want []byte) func([]byte) bool {
	switch op {
	case operators.Equals:
		return func(v []byte) bool { return bytes.Equal(v, want) }
	case operators.NotEquals:
		return func(v []byte) bool { return !bytes.Equal(v, want) }
	}
	sign := signs(op)
	return func(v []byte) bool { return sign(bytes.Compare(v, want)) }
}

func intTest(op string, want int64) func(int64) uint8 {
	switch op {
	case operators.Equals:
		return func(v int64) uint8 { return answer(v == want) }
	case operators.NotEquals:
		return func(v int64) uint8 { return answer(v != want) }
	case operators.Less:
		return func(v int64) uint8 { return answer(v < want) }
	case operators.LessEquals:
		return func(v int64) uint8 { return answer(v <= want) }
	case operators.Greater:
		return func(v int64) uint8 { return answer(v > want) }
	default:
		return func(v int64) uint8 { return answer(v >= want) }
	}
}

// floatTest takes the bits of a float. What is no number equals nothing, and
// is neither less nor greater.
func floatTest(op string, want float64) func(int64) uint8 {
	if op == operators.Equals || op == operators.NotEquals {
		equal := op == operators.Equals
		return func(bits int64) uint8 { return answer((math.Float64frombits(uint64(bits)) == want) == equal) }
	}
	sign := signs(op)
	return func(bits int64) uint8 {
		switch v := math.Float64frombits(uint64(bits)); {
		case v < want:
			return answer(sign(-1))
		case v > want:
			return answer(sign(1))
		case v == want:
			return answer(sign(0))
		}
		return no
	}
}

func signs(op string) func(int) bool {
	switch op {
	case operators.Less:
		return func(c int) bool { return c < 0 }
	case operators.LessEquals:
		return func(c int) bool { return c <= 0 }
	case operators.Greater:
		return func(c int) bool { return c > 0 }
	default:
		return func(c int) bool { return c >= 0 }
	}
}
