package funnels

import (
	"errors"

	"github.com/goccy/go-yaml/ast"
)

// DecodeQuestions reads questions of a kind from the value of its YAML key, as in
//
//	window_funnels:
//	  - name: buy
//	    steps:
//	      - {name: look, where: path.startsWith("/product")}
//	      - {name: paid, where: path == "/checkout"}
//	    within: 24h                    # or 7d
//	    modes: [strict_order, allow_reentry]
//	retention:
//	  - name: returning
//	    conditions: [{name: home, where: path == "/"}, {name: cart, where: path == "/cart"}]
//	sequences:
//	  - name: gave_up
//	    conditions: [{name: cart, where: path == "/cart"}, {name: home, where: path == "/"}]
//	    pattern: (?1)(?t<=3600)(?2)    # times in seconds
//
// Faults are reported as those of Decode are.
func DecodeQuestions(kind string, list ast.Node, file string) ([]Question, error) {
	y := yamlDecoder{file: file}
	var out []Question
	for _, n := range y.list(list, kind) {
		out = append(out, y.question(kind, n))
	}
	return out, errors.Join(y.faults...)
}

func (y *yamlDecoder) question(kind string, n ast.Node) Question {
	q := Question{Kind: kind, At: y.at(n)}
	word := kinds[kind].condition
	keys := reader{"name": y.text("name", &q.Name), word + "s": y.steps(word, &q.Conditions)}
	required := []string{"name", word + "s"}
	switch kind {
	case WindowFunnels:
		keys["within"], keys["modes"] = y.within(&q.Within), y.modes(&q.Modes)
		required = append(required, "within")
	case Sequences:
		keys["pattern"] = func(v ast.Node) {
			q.Pattern.At = y.at(v)
			y.text("pattern", &q.Pattern.Value)(v)
		}
		required = append(required, "pattern")
	}
	y.mapping(n, "a "+kinds[kind].what, keys, required...)
	return q
}

func (y *yamlDecoder) modes(into *[]Text) func(ast.Node) {
	return func(n ast.Node) {
		for _, m := range y.list(n, "modes") {
			mode := Text{At: y.at(m)}
			y.text("modes", &mode.Value)(m)
			*into = append(*into, mode)
		}
	}
}
