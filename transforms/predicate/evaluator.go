package predicate

import (
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"millrace/schemas/table"
)

// MaxPredicates is how many an evaluator answers at once.
const MaxPredicates = 64

// Evaluator asks predicates about the rows of batches. It belongs to one goroutine.
type Evaluator struct {
	predicates []*Predicate
	scratch    scratch
	answers    []uint8
	masks      []uint64
	row        activation
	direct     bool
}

// NewEvaluator returns an evaluator of at most MaxPredicates predicates of one
// schema.
func NewEvaluator(predicates ...*Predicate) *Evaluator {
	return &Evaluator{predicates: predicates, direct: true}
}

// newInterpreter returns one that leaves everything to CEL's interpreter.
func newInterpreter(predicates ...*Predicate) *Evaluator {
	return &Evaluator{predicates: predicates}
}

// Masks answers for each row of a batch: bit i is set when the row satisfies predicate
// i. What it returns is valid until the next call. It allocates nothing once it has
// grown, unless a predicate is not Direct.
func (e *Evaluator) Masks(b *table.Batch) []uint64 {
	n := b.Len()
	if cap(e.masks) < n {
		e.masks, e.answers = make([]uint64, n), make([]uint8, n)
	}
	masks, answers := e.masks[:n], e.answers[:n]
	clear(masks)
	for bit, p := range e.predicates {
		if p.direct != nil && e.direct {
			p.direct.eval(&e.scratch, b, answers)
		} else {
			e.interpret(p, b, answers)
		}
		for i, a := range answers {
			masks[i] |= uint64(a&yes) << bit // yes is 1, and neither no nor unknown has that bit
		}
	}
	return masks
}

// interpret asks the interpreter row by row, or once for each text where the
// predicate reads nothing but a column of text.
func (e *Evaluator) interpret(p *Predicate, b *table.Batch, out []uint8) {
	e.row.predicate, e.row.batch = p, b
	if len(p.columns) == 1 {
		for _, col := range p.columns {
			if b.Schema().Columns[col].Kind == table.String && !b.Schema().Columns[col].Null {
				byCode(&e.scratch, b, col, unknown, func(_ uint32, row int) uint8 { return e.row.ask(row) }, out)
				return
			}
		}
	}
	for i := range out {
		out[i] = e.row.ask(i)
	}
}

// activation gives the interpreter the values of a row.
type activation struct {
	predicate *Predicate
	batch     *table.Batch
	row       int
}

func (a *activation) ask(row int) uint8 {
	a.row = row
	v, _, err := a.predicate.program.Eval(a)
	if b, ok := v.(types.Bool); ok && err == nil {
		return answer(bool(b))
	}
	return unknown
}

// Parent is there for cel.Activation.
func (a *activation) Parent() cel.Activation { return nil }

// ResolveName is the value of a column.
func (a *activation) ResolveName(name string) (any, bool) {
	col, ok := a.predicate.columns[name]
	if !ok {
		return nil, false
	}
	if a.batch.Null(col, a.row) {
		return types.NullValue, true
	}
	switch a.batch.Schema().Columns[col].Kind {
	case table.String:
		return types.String(a.batch.Text(col, a.row)), true
	case table.Int32, table.Int64:
		return types.Int(a.batch.Int(col, a.row)), true
	case table.Float64:
		return types.Double(a.batch.Float(col, a.row)), true
	case table.Bool:
		return types.Bool(a.batch.Bool(col, a.row)), true
	case table.Time:
		return types.Timestamp{Time: time.UnixMilli(a.batch.Int(col, a.row)).UTC()}, true
	case table.Date, table.UUID, table.Bytes:
	}
	return nil, false
}
