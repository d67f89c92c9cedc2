package main

import (
	"context"
	"fmt"
	"strings"

	"millrace/internal/machine"
)

// describe prints when and where the figures were taken, and of what.
func (b *bencher) describe(ctx context.Context) {
	var with []string
	if b.python != "" {
		if u, err := b.command(ctx, b.python, "-c", "import duckdb; print(duckdb.__version__)").measure(); err == nil {
			with = append(with, "DuckDB "+strings.TrimSpace(string(u.out)))
		}
	}
	fmt.Fprintf(b.out, "%s\n", machine.Report(ctx, "Benchmarks", "internal/bench", with...))
}
