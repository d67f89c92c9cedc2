package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"millrace/internal/testenv/install"
	"millrace/runners/flink/cluster"
	"millrace/runners/flink/dist"
	"millrace/runners/flink/process"
)

const (
	streamName  = "access-logs"
	shards      = 4
	parallelism = 2

	kinesisTimeout = time.Minute
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
	// No submission of the demo is noted for the user.
	if err := os.Setenv("XDG_CACHE_HOME", filepath.Join(s.dir, "cache")); err != nil {
		return err
	}
	s.cluster, err = cluster.Up(ctx, cluster.Options{
		Dir: s.dir, Dist: s.flink, Slots: parallelism, QuickStart: true, DieWithParent: true, Temporary: true,
	})
	if err != nil {
		return err
	}
	d.step("starting kinesis-local, with a stream of %d shards", shards)
	// Its ports must be free when it takes them, which no one can promise.
	for tries := 3; ; tries-- {
		if err = d.startKinesis(ctx); err == nil || tries == 1 || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return err
	}
	return createStream(ctx)
}

// startKinesis starts the server and points the AWS SDK at it, here and in all
// that is started later.
func (d *demo) startKinesis(ctx context.Context) error {
	root, err := install.Root()
	if err != nil {
		return err
	}
	plain, tls, err := freePorts()
	if err != nil {
		return err
	}
	script, log := d.servers.kinesisLocal, d.path("logs", "kinesis.log")
	server, err := process.Start(process.Command{
		Name:  "kinesis-local",
		Args:  []string{"node", "--require", filepath.Join(root, "internal", "testenv", "preload.cjs"), script},
		Env:   []string{fmt.Sprint("KINESIS_MOCK_PLAIN_PORT=", plain), fmt.Sprint("KINESIS_MOCK_TLS_PORT=", tls), "KINESIS_MOCK_CERT_PATH=" + filepath.Join(filepath.Dir(script), "server.json")},
		Dir:   d.servers.dir,
		Group: d.servers.cluster.Group(), // with which it ends
		Out:   log,
	})
	if err != nil {
		return err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", plain)
	ctx, cancel := context.WithTimeoutCause(ctx, kinesisTimeout, fmt.Errorf("it does not listen on %s after %v", addr, kinesisTimeout))
	defer cancel()
	for {
		if conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr); err == nil {
			return errors.Join(conn.Close(), os.Setenv("AWS_ENDPOINT_URL_KINESIS", "http://"+addr))
		}
		select {
		case <-server.Ended():
			return fmt.Errorf("starting kinesis-local: it ended (%s); its last lines:\n%s", server.State(), process.Tail(log))
		case <-ctx.Done():
			return fmt.Errorf("starting kinesis-local: %w; its last lines:\n%s", context.Cause(ctx), process.Tail(log))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// freePorts are two that nobody listens on now.
func freePorts() (a, b int, err error) {
	var ports [2]int
	for i := range ports {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, 0, fmt.Errorf("choosing a port: %w", err)
		}
		defer listener.Close()
		ports[i] = listener.Addr().(*net.TCPAddr).Port
	}
	return ports[0], ports[1], nil
}

func createStream(ctx context.Context) error {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("reading the AWS configuration: %w", err)
	}
	client := kinesis.NewFromConfig(cfg)
	if _, err := client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: aws.String(streamName), ShardCount: aws.Int32(shards)}); err != nil {
		return fmt.Errorf("making the stream %s: %w", streamName, err)
	}
	err = kinesis.NewStreamExistsWaiter(client, func(o *kinesis.StreamExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second
	}).Wait(ctx, &kinesis.DescribeStreamInput{StreamName: aws.String(streamName)}, kinesisTimeout)
	if err != nil {
		return fmt.Errorf("waiting for the stream %s: %w", streamName, err)
	}
	return nil
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
