package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"millrace/internal/maskkey"
	"millrace/internal/testenv/install"
	"millrace/runners/flink/cluster"
	"millrace/runners/flink/dist"
	"millrace/runners/flink/process"
)

const (
	parallelism = 2

	kinesisTimeout = time.Minute
)

// servers are what runs beside the programs that are measured.
type servers struct {
	flink   dist.Distribution
	cluster *cluster.Cluster
	kinesis *process.Process
	client  *kinesis.Client
}

// prepare starts a Flink cluster and kinesalite, which takes and gives far more
// than a real stream.
func (b *bencher) prepare(ctx context.Context) (err error) {
	if b.millrace, err = filepath.Abs(b.millrace); err != nil {
		return err
	}
	if _, err := os.Stat(b.millrace); err != nil {
		return fmt.Errorf("%w; build it with make build, or name it with -millrace", err)
	}
	if b.dir, err = filepath.Abs(b.dir); err != nil {
		return err
	}
	home, err := install.Flink(ctx, b.log)
	if err != nil {
		return err
	}
	if b.servers.flink, err = dist.Open(home); err != nil {
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
	if err := b.isolate(); err != nil {
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
	return b.startKinesis(ctx, script)
}

// isolate hides the AWS configuration and the notes of the user from all that is
// started: no account is reached.
func (b *bencher) isolate() error {
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, "AWS_") {
			continue
		}
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID":           "BENCH",
		"AWS_SECRET_ACCESS_KEY":       "not-a-secret", // for a server on loopback
		"AWS_REGION":                  "us-east-1",
		"AWS_CONFIG_FILE":             os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_EC2_METADATA_DISABLED":   "true",
		"XDG_CACHE_HOME":              b.path("flink", "cache"),
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	// Before the cluster starts, whose workers inherit it.
	return os.Setenv("AWS_ENDPOINT_URL_KINESIS", fmt.Sprintf("http://127.0.0.1:%d", port))
}

// freePort is one that nobody listens on now.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("choosing a port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// startKinesis starts the server where the AWS SDK has been pointed.
func (b *bencher) startKinesis(ctx context.Context, script string) error {
	root, err := install.Root()
	if err != nil {
		return err
	}
	addr := strings.TrimPrefix(os.Getenv("AWS_ENDPOINT_URL_KINESIS"), "http://")
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	log := b.path("logs", "kinesis.log")
	server, err := process.Start(process.Command{
		Name: "kinesalite",
		Args: []string{
			"node", "--require", filepath.Join(root, "internal", "testenv", "preload.cjs"),
			"--require", filepath.Join(root, "internal", "benchlive", "keep.cjs"), script, "--port", port, "--path", b.path("stream"),
			"--shardLimit", "100", "--createStreamMs", "50", "--deleteStreamMs", "50",
		},
		Dir:   b.dir,
		Group: b.servers.cluster.Group(), // with which it ends
		Out:   log,
	})
	if err != nil {
		return err
	}
	b.servers.kinesis = server
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("reading the AWS configuration: %w", err)
	}
	b.servers.client = kinesis.NewFromConfig(cfg)
	ctx, cancel := context.WithTimeoutCause(ctx, kinesisTimeout, fmt.Errorf("it does not listen on %s after %v", addr, kinesisTimeout))
	defer cancel()
	for {
		if conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr); err == nil {
			return conn.Close()
		}
		select {
		case <-server.Ended():
			return fmt.Errorf("starting kinesalite: it ended (%s); its last lines:\n%s", server.State(), process.Tail(log))
		case <-ctx.Done():
			return fmt.Errorf("starting kinesalite: %w; its last lines:\n%s", context.Cause(ctx), process.Tail(log))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// makeStream makes an empty one.
func (b *bencher) makeStream(ctx context.Context, name string, shards int) error {
	_, err := b.servers.client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: aws.String(name), ShardCount: aws.Int32(int32(shards))}) //nolint:gosec // far below 2^31
	if err != nil {
		return fmt.Errorf("making the stream %s: %w", name, err)
	}
	err = kinesis.NewStreamExistsWaiter(b.servers.client, func(o *kinesis.StreamExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second
	}).Wait(ctx, &kinesis.DescribeStreamInput{StreamName: aws.String(name)}, kinesisTimeout)
	if err != nil {
		return fmt.Errorf("waiting for the stream %s: %w", name, err)
	}
	return nil
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
