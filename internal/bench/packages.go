package main

import (
	"bytes"
	"context"
	"fmt"
)

// benchmarked are the packages whose Go benchmarks belong to the picture.
var benchmarked = []string{
	"./transforms/decode", "./transforms/mask", "./transforms/accesslog", "./transforms/sessions", "./transforms/rollup", "./schemas/table", "./io/lakeio",
}

// packages prints the Go benchmarks of the parts, each on one core.
func (b *bencher) packages(ctx context.Context) error {
	fmt.Fprintln(b.log, "benchmarks of the parts")
	args := append([]string{"test", "-run=^$", "-bench=.", "-benchtime=300ms", "-cpu=1"}, benchmarked...)
	u, err := b.command(ctx, "go", args...).measure()
	if err != nil {
		return err
	}
	fmt.Fprint(b.out, "## Parts, one core each\n\n")
	for line := range bytes.Lines(u.out) {
		if bytes.HasPrefix(line, []byte("Benchmark")) || bytes.HasPrefix(line, []byte("pkg:")) {
			fmt.Fprintf(b.out, "    %s", line)
		}
	}
	fmt.Fprintln(b.out)
	return nil
}
