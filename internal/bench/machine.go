package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"millrace/internal/machine"
)

// describe prints when and where the figures were taken, and of what.
func (b *bencher) describe(ctx context.Context) {
	commit := "unknown commit"
	if out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output(); err == nil {
		commit = strings.TrimSpace(string(out))
	}
	fmt.Fprintf(b.out, "# Benchmarks of %s\n\n", time.Now().UTC().Format(time.DateOnly))
	fmt.Fprintf(b.out, "    go run ./internal/bench %s\n\n", strings.Join(os.Args[1:], " "))
	fmt.Fprintf(b.out, "- machine: %s, %d cores, %s of memory, %s/%s\n", machine.CPU(), runtime.NumCPU(), machine.Memory(), runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(b.out, "- load average at the start: %s (%d is all cores busy)\n", machine.Load(), runtime.NumCPU())
	fmt.Fprintf(b.out, "- millrace %s, %s", commit, runtime.Version())
	if b.python != "" {
		if u, err := b.command(ctx, b.python, "-c", "import duckdb; print(duckdb.__version__)").measure(); err == nil {
			fmt.Fprintf(b.out, "; DuckDB %s", strings.TrimSpace(string(u.out)))
		}
	}
	fmt.Fprint(b.out, "\n\n")
}
