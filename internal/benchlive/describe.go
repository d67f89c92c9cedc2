package main

import (
	"context"
	"fmt"

	"millrace/internal/machine"
)

// describe prints when and where the figures were taken, and of what.
func (b *bencher) describe(ctx context.Context) {
	v := b.servers.flink.Versions
	fmt.Fprint(b.out, machine.Report(ctx, "Live benchmarks", "internal/benchlive", "Flink "+v.Flink, "Beam's runner "+v.Runner, "Go SDK "+v.SDK))
	fmt.Fprint(b.out, "- on these cores run, besides the job: the stream (kinesalite), the JobManager, the job server at each start, this program\n\n")
}
