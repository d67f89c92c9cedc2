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
	v := b.servers.flink.Versions
	fmt.Fprintf(b.out, "# Live benchmarks of %s\n\n", time.Now().UTC().Format(time.DateOnly))
	fmt.Fprintf(b.out, "    go run ./internal/benchlive %s\n\n", strings.Join(os.Args[1:], " "))
	fmt.Fprintf(b.out, "- machine: %s, %d cores, %s of memory, %s/%s\n", machine.CPU(), runtime.NumCPU(), machine.Memory(), runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(b.out, "- load average at the start: %s (%d is all cores busy)\n", machine.Load(), runtime.NumCPU())
	fmt.Fprintf(b.out, "- millrace %s, %s; Flink %s, Beam's runner %s, Go SDK %s\n", commit, runtime.Version(), v.Flink, v.Runner, v.SDK)
	fmt.Fprintf(b.out, "- on these cores run, besides the job: the stream (kinesalite), the JobManager, the job server at each start, this program\n\n")
}
