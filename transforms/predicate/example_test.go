package predicate_test

import (
	"fmt"

	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms/predicate"
)

func Example() {
	compiler, err := predicate.NewCompiler(weblog.Events)
	if err != nil {
		panic(err)
	}
	if _, err := compiler.Compile(`statsu == 200`); err != nil {
		fmt.Println(err.Error()[:52])
	}
	cart, err := compiler.Compile(`path == "/cart" && status < 400`)
	if err != nil {
		panic(err)
	}
	posts, err := compiler.Compile(`method == "POST"`)
	if err != nil {
		panic(err)
	}
	post, path := "POST", "/cart"
	events := table.NewBatch(weblog.Events)
	events.Append(weblog.Event{Path: &path, Status: 200})
	events.Append(weblog.Event{Path: &path, Status: 500, Method: &post})
	events.Append(weblog.Event{Path: &path, Status: 302, Method: &post})
	fmt.Println(predicate.NewEvaluator(cart, posts).Masks(events))
	// Output:
	// column 1: unknown field statsu, did you mean status?
	// [1 2 3]
}
