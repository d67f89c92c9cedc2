package predicate

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	celast "cel.dev/cel-go/common/ast"

	"millrace/internal/nearest"
	"millrace/schemas/table"
)

// Limits of an expression.
const (
	maxLength  = 4096
	maxDepth   = 50
	maxNodes   = 1000
	maxRegexp  = 2000   // instructions
	maxCost    = 100000 // of one evaluation by the interpreter, in CEL's units
	maxSuggest = 80     // names in an error
)

// Compiler compiles predicates over the columns of one schema.
type Compiler struct {
	schema *table.Schema
	env    *cel.Env
	fields []string // that have a type, by name
}

// NewCompiler returns a compiler for the rows of a schema.
func NewCompiler(schema *table.Schema) (*Compiler, error) {
	c := &Compiler{schema: schema}
	options := []cel.EnvOption{
		cel.ClearMacros(), cel.ParserExpressionSizeLimit(maxLength), cel.ParserRecursionLimit(maxDepth),
		cel.ExpressionNestingDepthLimit(maxDepth), cel.ExpressionNodeLimit(maxNodes), cel.RegexProgramSizeLimit(maxRegexp),
		cel.DefaultUTCTimeZone(true),
	}
	for _, col := range schema.Columns {
		t, ok := typeOf(col.Kind)
		if !ok {
			continue
		}
		if col.Null {
			t = cel.NullableType(t)
		}
		options = append(options, cel.Variable(col.Name, t))
		c.fields = append(c.fields, col.Name)
	}
	slices.Sort(c.fields)
	var err error
	if c.env, err = cel.NewEnv(options...); err != nil {
		return nil, fmt.Errorf("predicates over %s: %w", schema.ID(), err)
	}
	return c, nil
}

func typeOf(k table.Kind) (*cel.Type, bool) {
	switch k {
	case table.String:
		return cel.StringType, true
	case table.Int32, table.Int64:
		return cel.IntType, true
	case table.Float64:
		return cel.DoubleType, true
	case table.Bool:
		return cel.BoolType, true
	case table.Time:
		return cel.TimestampType, true
	case table.Date, table.UUID, table.Bytes:
	}
	return nil, false
}

// Predicate is a compiled expression. It does not change and can be shared.
type Predicate struct {
	text    string
	schema  *table.Schema
	direct  node // nil when the interpreter has to do it
	program cel.Program
	columns map[string]int // that the expression reads
}

// String is the expression as it was written.
func (p *Predicate) String() string { return p.text }

// Columns are the numbers of the columns that the expression reads, in their order.
func (p *Predicate) Columns() []int { return slices.Sorted(maps.Values(p.columns)) }

// Direct tells whether the predicate runs without the interpreter.
func (p *Predicate) Direct() bool { return p.direct != nil }

// Compile checks an expression. All faults are reported together, a line each,
// with their column, counted from 1, and what would be right.
func (c *Compiler) Compile(text string) (*Predicate, error) {
	if strings.TrimSpace(text) == "" {
		return nil, errors.New(`the expression is empty; write for example path == "/cart", or true for every event`)
	}
	if len(text) > maxLength {
		return nil, fmt.Errorf("the expression is %d bytes long, and can have %d", len(text), maxLength)
	}
	ast, issues := c.env.Compile(text)
	if issues.Err() != nil {
		return nil, c.explain(text, issues)
	}
	if t := ast.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.NullableType(cel.BoolType)) {
		return nil, fmt.Errorf("the expression gives a %s, and should give true or false", t)
	}
	program, err := c.env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(maxCost))
	if err != nil {
		return nil, fmt.Errorf("column 1: %w", err)
	}
	p := &Predicate{text: text, schema: c.schema, program: program, columns: map[string]int{}}
	native := ast.NativeRep()
	for _, e := range celast.MatchDescendants(celast.NavigateAST(native), celast.KindMatcher(celast.IdentKind)) {
		if col, ok := c.schema.Index(e.AsIdent()); ok {
			p.columns[e.AsIdent()] = col
		}
	}
	if root := celast.NavigateAST(native); root.Kind() == celast.IdentKind {
		if col, ok := c.schema.Index(root.AsIdent()); ok {
			p.columns[root.AsIdent()] = col
		}
	}
	p.direct, _ = build(c.schema, native.Expr())
	return p, nil
}

// explain turns what the checker says into one line a fault.
func (c *Compiler) explain(text string, issues *cel.Issues) error {
	var faults []error
	for _, e := range issues.Errors() {
		where := fmt.Sprintf("column %d", e.Location.Column()+1)
		if line := e.Location.Line(); line > 1 {
			where = fmt.Sprintf("line %d of the expression, %s", line, where)
		}
		message, _, _ := strings.Cut(e.Message, "\n")
		if name, ok := strings.CutPrefix(message, "undeclared reference to '"); ok {
			name, _, _ = strings.Cut(name, "'")
			message = c.unknown(text, name)
		}
		faults = append(faults, fmt.Errorf("%s: %s", where, message))
	}
	if len(faults) == 0 {
		return issues.Err()
	}
	return errors.Join(faults...)
}

// functions that a mistyped one may have meant.
var functions = []string{"contains", "endsWith", "matches", "size", "startsWith", "int", "double", "string", "timestamp", "duration", "getHours", "getDayOfWeek"}

// unknown explains a name that means nothing.
func (c *Compiler) unknown(text, name string) string {
	if col, ok := c.schema.Index(name); ok {
		return fmt.Sprintf("field %s is a %s, of which predicates can ask nothing", name, c.schema.Columns[col].Kind)
	}
	if strings.Contains(text, name+"(") {
		return "unknown function " + name + suggest(name, functions)
	}
	return "unknown field " + name + suggest(name, c.fields)
}

func suggest(name string, valid []string) string {
	list := ""
	if len(valid) <= maxSuggest {
		list = " (there are " + strings.Join(slices.Sorted(slices.Values(valid)), ", ") + ")"
	}
	if near := nearest.Name(name, valid); near != "" {
		return ", did you mean " + near + "?" + list
	}
	return list
}
