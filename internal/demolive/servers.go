package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"millrace/internal/localservers"
	"millrace/runners/flink/cluster"
	"millrace/runners/flink/dist"
)

const (
	streamName  = "access-logs"
	shards      = 4
	parallelism = 2
)

// servers are what runs beside the programs of the demo.
type servers struct {
	flink        dist.Distribution
	kinesisLocal string // script

	dir     string // of the cluster; temporary
	cluster *cluster.Cluster
}

// startServers starts a Flink cluster and a Kinesis server with a stream.
func (d *demo) startServers(ctx context.Context) (err error) {
	s := &d.servers
	d.step("starting Flink %s: a JobManager and a TaskManager with %d slots", s.flink.Versions.Flink, parallelism)
	if s.dir, err = os.MkdirTemp("", "millrace-demo-live-"); err != nil {
		return err
	}
	if err := localservers.Isolate(filepath.Join(s.dir, "cache")); err != nil {
		return err
	}
	s.cluster, err = cluster.Up(ctx, cluster.Options{
		Dir: s.dir, Dist: s.flink, Slots: parallelism, QuickStart: true, DieWithParent: true, Temporary: true,
	})
	if err != nil {
		return err
	}
	d.step("starting kinesis-local, with a stream of %d shards", shards)
	stream, err := d.place().KinesisLocal(ctx, s.kinesisLocal)
	if err != nil {
		return err
	}
	return stream.CreateStream(ctx, streamName, shards)
}

// place is where programs run: beside the servers while there are some.
func (d *demo) place() localservers.Place {
	p := localservers.Place{Dir: d.servers.dir, Logs: d.path("logs")}
	if c := d.servers.cluster; c != nil {
		p.Group, p.Temp = c.Group(), filepath.Join(c.Dir(), "tmp")
	}
	return p
}

// stopServers ends the cluster and with it all processes of the demo. The second
// time it does nothing.
func (d *demo) stopServers(ctx context.Context) error {
	c := d.servers.cluster
	if c == nil {
		return nil
	}
	d.servers.cluster = nil
	d.step("ending Flink and Kinesis")
	return c.Down(context.WithoutCancel(ctx))
}

// end leaves no process, and after a failure the logs of Flink.
func (d *demo) end(ctx context.Context, failed bool) error {
	logs := filepath.Join(d.servers.dir, "logs")
	if _, err := os.Stat(logs); err == nil && failed && d.servers.dir != "" {
		kept := d.path("logs", "flink")
		if err := errors.Join(os.RemoveAll(kept), os.CopyFS(kept, os.DirFS(logs))); err == nil {
			fmt.Fprintf(os.Stderr, "demo-live: logs are in %s\n", d.shown(d.path("logs")))
		}
	}
	err := d.stopServers(ctx)
	if d.servers.dir != "" {
		err = errors.Join(err, os.RemoveAll(d.servers.dir))
	}
	return err
}
