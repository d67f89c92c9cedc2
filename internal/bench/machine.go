package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// describe prints when and where the figures were taken, and of what.
func (b *bencher) describe(ctx context.Context) {
	commit := "unknown commit"
	if out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output(); err == nil {
		commit = strings.TrimSpace(string(out))
	}
	fmt.Fprintf(b.out, "# Benchmarks of %s\n\n", time.Now().UTC().Format(time.DateOnly))
	fmt.Fprintf(b.out, "    go run ./internal/bench %s\n\n", strings.Join(os.Args[1:], " "))
	fmt.Fprintf(b.out, "- machine: %s, %d cores, %s of memory, %s/%s\n", cpuModel(), runtime.NumCPU(), memory(), runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(b.out, "- load average at the start: %s (%d is all cores busy)\n", loadAverage(), runtime.NumCPU())
	fmt.Fprintf(b.out, "- millrace %s, %s", commit, runtime.Version())
	if b.python != "" {
		if u, err := b.command(ctx, b.python, "-c", "import duckdb; print(duckdb.__version__)").measure(); err == nil {
			fmt.Fprintf(b.out, "; DuckDB %s", strings.TrimSpace(string(u.out)))
		}
	}
	fmt.Fprint(b.out, "\n\n")
}

// cpuModel, memory and loadAverage read what Linux tells; elsewhere they say so.
func cpuModel() string { return procLine("/proc/cpuinfo", "model name") }

func memory() string {
	var kib int64
	if _, err := fmt.Sscan(procLine("/proc/meminfo", "MemTotal"), &kib); err != nil {
		return unknown
	}
	return fmt.Sprintf("%.1f GiB", float64(kib)/(1<<20))
}

func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(b))
	if err != nil || len(fields) < 3 {
		return unknown
	}
	return strings.Join(fields[:3], " ")
}

const unknown = "unknown"

// procLine is the value of the first line "name: value".
func procLine(path, name string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return unknown
	}
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return unknown
}
