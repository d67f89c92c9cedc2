package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"millrace/internal/localservers"
	"millrace/internal/maskkey"
	"millrace/internal/testenv/install"
	"millrace/runners/flink/cluster"
	"millrace/runners/flink/dist"
)

const parallelism = 2

// servers are what runs beside the programs that are measured.
type servers struct {
	flink   dist.Distribution
	cluster *cluster.Cluster
	kinesis *localservers.Kinesis
}

// prepare starts a Flink cluster and kinesalite, which takes and gives far more
// than a real stream.
func (b *bencher) prepare(ctx context.Context) (err error) {
	if b.millrace, err = localservers.Binary(b.millrace); err != nil {
		return err
	}
	if b.dir, err = filepath.Abs(b.dir); err != nil {
		return err
	}
	if b.servers.flink, err = localservers.Flink(ctx, b.log); err != nil {
		return err
	}
	script, err := install.Kinesalite(ctx, b.log)
	if err != nil {
		return err
	}
	for _, name := range []string{"lake", "logs", "flink", "stream", "input", "millrace"} {
		if err := os.RemoveAll(b.path(name)); err != nil {
			return err
		}
	}
	for _, name := range []string{"logs", "flink", "input"} {
		if err := os.MkdirAll(b.path(name), 0o755); err != nil {
			return err
		}
	}
	_, key, _, err := maskkey.Default(b.dir)
	if err != nil {
		return err
	}
	b.key = maskkey.FileRef(key)
	if err := localservers.Isolate(b.path("flink", "cache")); err != nil {
		return err
	}
	b.step("starting Flink")
	b.servers.cluster, err = cluster.Up(ctx, cluster.Options{
		Dir: b.path("flink"), Dist: b.servers.flink, Slots: parallelism, DieWithParent: true, Temporary: true,
	})
	if err != nil {
		return err
	}
	b.step("starting kinesalite")
	b.servers.kinesis, err = b.place().Kinesalite(ctx, script, b.path("stream"))
	return err
}

// place is where servers and programs run.
func (b *bencher) place() localservers.Place {
	return localservers.Place{Dir: b.dir, Logs: b.path("logs"), Group: b.servers.cluster.Group()}
}

// end ends all processes and removes streams and lakes; logs stay.
func (b *bencher) end(ctx context.Context) error {
	var errs []error
	if c := b.servers.cluster; c != nil {
		logs := b.path("logs", "flink")
		errs = append(errs, os.CopyFS(logs, os.DirFS(b.path("flink", "logs"))), c.Down(ctx))
	}
	for _, name := range []string{"lake", "flink", "stream", "input"} {
		errs = append(errs, os.RemoveAll(b.path(name)))
	}
	return errors.Join(errs...)
}
