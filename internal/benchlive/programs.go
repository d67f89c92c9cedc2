package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"millrace/internal/localservers"
)

// job starts the weblogs job on the cluster, into a fresh lake. parameters are
// those of the stream.
func (b *bencher) job(ctx context.Context, stream, parameters string, more ...string) (*localservers.Program, error) {
	return b.jobOf(ctx, "weblogs", stream, parameters, more...)
}

// jobOf is job for a job of another name.
func (b *bencher) jobOf(ctx context.Context, name, stream, parameters string, more ...string) (*localservers.Program, error) {
	b.running = name
	if err := os.RemoveAll(b.path("lake")); err != nil {
		return nil, err
	}
	args := []string{
		b.millrace, "run", name, "--source", "kinesis://" + stream + "?start=trim_horizon&" + parameters,
		"--lake", b.path("lake"), "--mask-key", b.key, "--runner", "flink", "--parallelism", fmt.Sprint(parallelism),
		"--flink-master", b.servers.cluster.Master(), "--flink-home", b.servers.flink.Dir, "--progress", "none", "--no-report",
	}
	b.step("millrace run %s: %s %s", name, parameters, strings.Join(more, " "))
	return b.place().Start(ctx, "run", nil, append(args, more...)...)
}

// farm starts the simulated server farm: lines in the order of their times, which
// run with the clock.
func (b *bencher) farm(ctx context.Context, stream string, rate int, length time.Duration) (*localservers.Program, error) {
	return b.place().Start(ctx, "generate", nil, b.millrace, "generate", "weblog", "--to", "kinesis://"+stream,
		"--rate", fmt.Sprintf("%d/s", rate), "--for", length.String(), "--disorder", "-1s")
}
