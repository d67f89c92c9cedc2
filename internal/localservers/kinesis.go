package localservers

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"millrace/internal/testenv/install"
	"millrace/runners/flink/process"
)

const (
	kinesisTimeout = 3 * time.Minute
	kinesisTries   = 3
)

// Command is how a server is started.
type Command struct{ Args, Env []string }

// KinesisLocal runs script, kinesis-local's main.js, on two ports of loopback: the
// second one is for HTTPS, with a self-signed certificate.
func KinesisLocal(script string, plain, tls int) (Command, error) {
	root, err := install.Root()
	return Command{
		Args: append(node(root, "preload.cjs"), script),
		Env: []string{
			fmt.Sprint("KINESIS_MOCK_PLAIN_PORT=", plain), fmt.Sprint("KINESIS_MOCK_TLS_PORT=", tls),
			"KINESIS_MOCK_CERT_PATH=" + filepath.Join(filepath.Dir(script), "server.json"),
		},
	}, err
}

// Kinesalite runs script, kinesalite's cli.js, on a port of loopback; the folder
// holds its streams.
func Kinesalite(script string, port int, folder string) (Command, error) {
	root, err := install.Root()
	return Command{Args: append(node(root, "preload.cjs", "keep.cjs"), script, "--port", fmt.Sprint(port), "--path", folder,
		"--shardLimit", "100", "--createStreamMs", "50", "--deleteStreamMs", "50", "--updateStreamMs", "50")}, err
}

// node runs a server with scripts of this package loaded before it.
func node(root string, preload ...string) []string {
	args := []string{"node"}
	for _, name := range preload {
		args = append(args, "--require", filepath.Join(root, "internal", "localservers", name))
	}
	return args
}

// Kinesis is a running server.
type Kinesis struct {
	*process.Process
	Client *kinesis.Client

	name, log string
}

// KinesisLocal starts kinesis-local and points the AWS SDK at it, in this program
// and in all that is started later.
func (p Place) KinesisLocal(ctx context.Context, script string) (*Kinesis, error) {
	return p.startKinesis(ctx, "kinesis-local", func(ports []int) (Command, error) { return KinesisLocal(script, ports[0], ports[1]) })
}

// Kinesalite starts kinesalite likewise. It takes and gives far more than a real
// stream; folder holds its streams.
func (p Place) Kinesalite(ctx context.Context, script, folder string) (*Kinesis, error) {
	return p.startKinesis(ctx, "kinesalite", func(ports []int) (Command, error) { return Kinesalite(script, ports[0], folder) })
}

func (p Place) startKinesis(ctx context.Context, name string, command func(ports []int) (Command, error)) (k *Kinesis, err error) {
	// Its ports must be free when it takes them, which no one can promise.
	for range kinesisTries {
		if k, err = p.tryKinesis(ctx, name, command); err == nil || ctx.Err() != nil {
			break
		}
	}
	return k, err
}

func (p Place) tryKinesis(ctx context.Context, name string, command func(ports []int) (Command, error)) (*Kinesis, error) {
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	c, err := command(ports)
	if err != nil {
		return nil, err
	}
	k := &Kinesis{name: name, log: p.log("kinesis")}
	k.Process, err = process.Start(process.Command{Name: name, Args: c.Args, Env: c.Env, Dir: p.Dir, Group: p.Group, Out: k.log})
	if err != nil {
		return nil, err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", ports[0])
	if err := k.await(ctx, addr); err != nil {
		return nil, err
	}
	if err := os.Setenv("AWS_ENDPOINT_URL_KINESIS", "http://"+addr); err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	k.Client = kinesis.NewFromConfig(cfg)
	return k, nil
}

// await returns when the server listens.
func (k *Kinesis) await(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, kinesisTimeout, fmt.Errorf("it does not listen on %s after %v", addr, kinesisTimeout))
	defer cancel()
	for {
		if conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr); err == nil {
			return conn.Close()
		}
		select {
		case <-k.Ended():
			return fmt.Errorf("starting %w", k.Fault())
		case <-ctx.Done():
			return fmt.Errorf("starting %s: %w; its last lines:\n%s", k.name, context.Cause(ctx), process.Tail(k.log))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Fault tells how the server ended; it waits for that.
func (k *Kinesis) Fault() error {
	return fmt.Errorf("%s: it ended (%s); its last lines:\n%s", k.name, k.State(), process.Tail(k.log))
}

// CreateStream makes an empty stream and returns when it can be used.
func (k *Kinesis) CreateStream(ctx context.Context, name string, shards int) error {
	_, err := k.Client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: aws.String(name), ShardCount: aws.Int32(int32(shards))}) //nolint:gosec // far below 2^31
	if err != nil {
		return fmt.Errorf("making the stream %s: %w", name, err)
	}
	err = kinesis.NewStreamExistsWaiter(k.Client, func(o *kinesis.StreamExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second
	}).Wait(ctx, &kinesis.DescribeStreamInput{StreamName: aws.String(name)}, kinesisTimeout)
	if err != nil {
		return fmt.Errorf("waiting for the stream %s: %w", name, err)
	}
	return nil
}
