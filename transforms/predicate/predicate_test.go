package predicate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/schemas/table"
)

type row struct {
	ID     table.ID     `col:"id" doc:"id"`
	Time   table.Millis `col:"time,sort1,day" doc:"time"`
	Path   string       `col:"path" mask:"scanned" doc:"path"`
	Method *string      `col:"method,null" mask:"none" doc:"method"`
	Trace  *string      `col:"trace,null,plain" mask:"none" doc:"trace"`
	Status int32        `col:"status" doc:"status"`
	Bytes  *int64       `col:"bytes,null" doc:"bytes"`
	Load   *float64     `col:"load,null" doc:"load"`
	Bot    bool         `col:"bot" doc:"bot"`
	Cached *bool        `col:"cached,null" doc:"cached"`
}

var rows = table.MustOf[row]("predicate.test", 1)

func compiler(t testing.TB) *Compiler {
	t.Helper()
	c, err := NewCompiler(rows)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func compile(t testing.TB, texts ...string) (out []*Predicate) {
	t.Helper()
	c := compiler(t)
	for _, text := range texts {
		p, err := c.Compile(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		out = append(out, p)
	}
	return out
}

func ptr[T any](v T) *T { return &v }

func TestAPredicateHoldsForTheRowsItDescribes(t *testing.T) {
	b := table.NewBatch(rows)
	b.Append(row{Path: "/product/1", Method: ptr("GET"), Status: 200, Bytes: ptr(int64(10)), Load: ptr(0.5), Cached: ptr(true)})
	b.Append(row{Path: "/cart", Status: 404, Bot: true})
	b.Append(row{Path: "/checkout", Method: ptr("POST"), Status: 302, Load: ptr(math.NaN()), Cached: ptr(false), Time: 1747476300000})
	for text, want := range map[string]string{
		`true`:                  "111",
		`bot`:                   "010",
		`!bot`:                  "101",
		`bot == false`:          "101",
		`cached`:                "100",
		`!cached`:               "001",
		`cached == null`:        "010",
		`cached != true`:        "011",
		`path == "/cart"`:       "010",
		`"/cart" == path`:       "010",
		`path.startsWith("/c")`: "011",
		`path.endsWith("t") || path.contains("duct")`: "111",
		`path.matches("^/(cart|product/[0-9]+)$")`:    "110",
		`path in ["/cart", "/checkout"]`:              "011",
		`path < "/d"`:                                 "011",
		`method == "GET"`:                             "100",
		`method != "GET"`:                             "011",
		`method == null`:                              "010",
		`method in ["GET", "HEAD"]`:                   "100",
		`!(method in ["GET", "HEAD"])`:                "011",
		`method.startsWith("P")`:                      "001",
		`!method.startsWith("P")`:                     "100",
		`method.startsWith("P") || status == 404`:     "011",
		`status == 404 || method.startsWith("P")`:     "011",
		`!(method.startsWith("P") && status == 200)`:  "111",
		`status >= 300 && status < 400`:               "001",
		`400 <= status`:                               "010",
		`status in [200, 302]`:                        "101",
		`bytes > 5`:                                   "100",
		`load < 1.0`:                                  "100",
		`load == 0.5`:                                 "100",
		`load != 0.5`:                                 "011",
		`size(path) > 5`:                              "101",
		`status / 0 == 1 || bot`:                      "010",
		`status % 100 == 4`:                           "010",
		`time > timestamp("2025-01-01T00:00:00Z")`:    "001",
		`time.getFullYear() == 2025`:                  "001",
		`path == method`:                              "000",
	} {
		for i, e := range []*Evaluator{NewEvaluator(compile(t, text)...), newInterpreter(compile(t, text)...)} {
			got := ""
			for _, m := range e.Masks(b) {
				got += fmt.Sprint(m)
			}
			if got != want {
				t.Errorf("%s holds for %s, want %s (evaluator %d)", text, got, want, i)
			}
		}
	}
}

func TestAnExpressionThatIsWrongIsExplained(t *testing.T) {
	fields := " (there are bot, bytes, cached, load, method, path, status, time, trace)"
	for text, want := range map[string]string{
		`paht == "/cart"`:            "column 1: unknown field paht, did you mean path?" + fields,
		`bot && zzzzz == 1`:          "column 8: unknown field zzzzz" + fields,
		`path.startWith("/")`:        "column 15: unknown function startWith, did you mean startsWith? (there are contains, double, duration, endsWith, getDayOfWeek, getHours, int, matches, size, startsWith, string, timestamp)",
		`id == "x"`:                  "column 1: field id is a uuid, of which predicates can ask nothing",
		`status == "200"`:            "column 8: found no matching overload for '_==_' applied to '(int, string)'",
		`method < 3`:                 "column 8: found no matching overload for '_<_' applied to '(wrapper(string), int)'",
		`status`:                     "the expression gives a int, and should give true or false",
		`  `:                         `the expression is empty; write for example path == "/cart", or true for every event`,
		`paht == "x" && sttus == 1`:  "column 1: unknown field paht, did you mean path?" + fields + "\ncolumn 16: unknown field sttus, did you mean status?" + fields,
		strings.Repeat("x", 5000):    "the expression is 5000 bytes long, and can have 4096",
		`path.matches("(")`:          "column 1: error parsing regexp: missing closing ): `(`",
		`[path].exists(x, x == "1")`: "column 14: unknown function exists (there are contains, double, duration, endsWith, getDayOfWeek, getHours, int, matches, size, startsWith, string, timestamp)",
	} {
		_, err := compiler(t).Compile(text)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.40s: %v\nwant %s", text, err, want)
		}
	}
	if _, err := compiler(t).Compile(`path == `); err == nil || !strings.HasPrefix(err.Error(), "column 9: Syntax error") {
		t.Errorf("half an expression: %v", err)
	}
	if _, err := compiler(t).Compile(strings.Repeat("(", 2000)); err == nil {
		t.Error("2,000 parentheses are accepted")
	}
}

// randomExpression draws one that the checker accepts.
func randomExpression(r *rand.Rand, depth int) string {
	if depth > 0 && r.IntN(3) > 0 {
		x, y := randomExpression(r, depth-1), randomExpression(r, depth-1)
		return []string{"(" + x + " && " + y + ")", "(" + x + " || " + y + ")", "!" + x}[r.IntN(3)]
	}
	cmpOp := []string{"==", "!=", "<", "<=", ">", ">="}[r.IntN(6)]
	text := []string{"path", "method", "trace"}[r.IntN(3)]
	word := fmt.Sprintf("%q", randomText(r))
	switch r.IntN(14) {
	case 0, 1:
		return "(" + text + " " + cmpOp + " " + word + ")"
	case 2:
		return "(" + word + " " + cmpOp + " " + text + ")"
	case 3, 4:
		return fmt.Sprintf("%s.%s(%s)", text, []string{"startsWith", "endsWith", "contains"}[r.IntN(3)], word)
	case 5:
		return fmt.Sprintf(`%s.matches("a|b+$")`, text)
	case 6:
		return fmt.Sprintf("(%s in [%s, %q])", text, word, randomText(r))
	case 7:
		return fmt.Sprintf("(status %s %d)", cmpOp, r.IntN(4)-1)
	case 8:
		return fmt.Sprintf("(%d %s bytes)", r.IntN(4)-1, cmpOp)
	case 9:
		return fmt.Sprintf("(%s in [%d, %d])", []string{"status", "bytes"}[r.IntN(2)], r.IntN(4), r.IntN(4)-1)
	case 10:
		return fmt.Sprintf("(load %s %d.5)", cmpOp, r.IntN(3))
	case 11:
		return []string{"bot", "cached", "true", "false"}[r.IntN(4)]
	case 12:
		return fmt.Sprintf("(%s %s %t)", []string{"bot", "cached"}[r.IntN(2)], []string{"==", "!="}[r.IntN(2)], r.IntN(2) == 0)
	default:
		return fmt.Sprintf("(%s %s null)", []string{"method", "trace", "bytes", "load", "cached"}[r.IntN(5)], []string{"==", "!="}[r.IntN(2)])
	}
}

func randomText(r *rand.Rand) string {
	return []string{"", "a", "b", "ab", "ba", "bb", "abc"}[r.IntN(7)]
}

func maybe[T any](r *rand.Rand, v T) *T {
	if r.IntN(3) == 0 {
		return nil
	}
	return &v
}

func randomBatch(r *rand.Rand) *table.Batch {
	b := table.NewBatch(rows)
	for range r.IntN(30) {
		load := float64(r.IntN(4)) / 2
		if r.IntN(5) == 0 {
			load = math.NaN()
		}
		b.Append(row{
			Path: randomText(r), Method: maybe(r, randomText(r)), Trace: maybe(r, randomText(r)), Status: r.Int32N(4) - 1,
			Bytes: maybe(r, r.Int64N(4)-1), Load: maybe(r, load), Bot: r.IntN(2) == 0, Cached: maybe(r, r.IntN(2) == 0),
		})
	}
	if b.Len() > 0 && r.IntN(4) == 0 {
		b.Rewind(b.Len() / 3) // fewer rows than texts
	}
	return b
}

func TestLoopsAndInterpreterGiveTheSameAnswers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	c := compiler(t)
	held := 0
	for range 3000 {
		var ps []*Predicate
		for range 3 {
			text := randomExpression(r, 3)
			p, err := c.Compile(text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if !p.Direct() {
				t.Fatalf("%s is not direct", text)
			}
			ps = append(ps, p)
		}
		fast, slow := NewEvaluator(ps...), newInterpreter(ps...)
		for range 2 {
			b := randomBatch(r)
			got, want := fast.Masks(b), slow.Masks(b)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%v (-interpreter +loops):\n%s", ps, diff)
			}
			for _, m := range got {
				if m != 0 {
					held++
				}
			}
		}
	}
	if held < 1000 {
		t.Errorf("%d rows satisfied anything", held)
	}
}

func FuzzCompile(tf *testing.F) {
	f := mutate.Of(tf)
	for _, s := range []string{`path == "/cart"`, `!bot && status in [200, 304]`, `method.matches("^G") || bytes > -1`, `time.getHours() == 1`, `size(path) / 0 == 1`, `paht`, `((`, `"\u00e4" == path`} {
		f.Add(s)
	}
	c := compiler(f)
	b := randomBatch(rand.New(rand.NewPCG(5, 5)))
	f.Fuzz(func(t *testing.T, text string) {
		p, err := c.Compile(text)
		if err != nil {
			return
		}
		got := append([]uint64{}, NewEvaluator(p).Masks(b)...)
		if diff := cmp.Diff(append([]uint64{}, newInterpreter(p).Masks(b)...), got); diff != "" {
			t.Fatalf("%s (-interpreter +loops):\n%s", text, diff)
		}
	})
}

var benchTexts = []string{
	`path == "/" && method == "GET"`,
	`path.startsWith("/product/") && status < 400`,
	`path in ["/cart", "/basket"] && !bot`,
	`path == "/checkout" && method == "POST"`,
	`path.endsWith("/thanks") || path.matches("^/order/[0-9]+/done$")`,
}

func benchBatch() *table.Batch {
	r := rand.New(rand.NewPCG(2, 2))
	z := rand.NewZipf(r, 1.1, 10, 4999)
	b := table.NewBatch(rows)
	for range 1 << 16 {
		b.PutUUID(0, table.ID{})
		b.PutInt(1, 0)
		b.PutString(2, fmt.Sprintf("/product/%d", z.Uint64()))
		b.PutString(3, []string{"GET", "GET", "GET", "POST"}[r.IntN(4)])
		b.PutNull(4)
		b.PutInt(5, 200)
		b.PutInt(6, 200)
		b.PutFloat(7, 1)
		b.PutBool(8, r.IntN(10) == 0)
		b.PutNull(9)
		b.EndRow()
	}
	return b
}

func benchmark(b *testing.B, e *Evaluator) {
	batch := benchBatch()
	e.Masks(batch)
	b.ReportAllocs()
	for b.Loop() {
		e.Masks(batch)
	}
	b.ReportMetric(float64(b.N)*float64(batch.Len())/b.Elapsed().Seconds(), "rows/s")
}

// Five steps, with the loops and with the interpreter.
func BenchmarkLoops(b *testing.B) { benchmark(b, NewEvaluator(compile(b, benchTexts...)...)) }

func BenchmarkInterpreter(b *testing.B) { benchmark(b, newInterpreter(compile(b, benchTexts...)...)) }
