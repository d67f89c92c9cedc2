package testenv

import (
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"millrace/internal/localservers"
	"millrace/internal/testenv/install"
)

// KinesisServer is a Kinesis server of its own for one test.
type KinesisServer struct {
	*Server
	Endpoint string // http://host:port
	TLSAddr  string // host:port of HTTPS with a self-signed certificate, for KPL; Kinesalite has none
}

// Kinesis starts kinesis-local and points the AWS SDK at it:
// AWS_ENDPOINT_URL_KINESIS, test credentials, region. It splits, merges and
// changes shard counts as Kinesis does, and does not throttle; keep a shard
// below 3,000 records, above which it is slow (Kinesalite is not).
func Kinesis(t testing.TB) *KinesisServer {
	t.Helper()
	isolateAWS(t)
	script := tool(t, install.KinesisLocal)
	plain, tls, data := freePort(t), freePort(t), t.TempDir()
	c, err := localservers.KinesisLocal(script, plain, tls)
	if err != nil {
		t.Fatal(err)
	}
	return newKinesis(t, "kinesis-local", plain, fmt.Sprintf("127.0.0.1:%d", tls), func() *exec.Cmd {
		cmd := command(c)
		cmd.Env = append(cmd.Env,
			// A stream is busy for so long, the default of 500ms being for people to see.
			"CREATE_STREAM_DURATION=50ms", "DELETE_STREAM_DURATION=50ms",
			"SPLIT_SHARD_DURATION=50ms", "MERGE_SHARDS_DURATION=50ms", "UPDATE_SHARD_COUNT_DURATION=50ms",
			// It saves its streams when it ends, for the next start; not every 5s.
			"SHOULD_PERSIST_DATA=true", "PERSIST_INTERVAL=1h", "PERSIST_PATH="+data)
		return cmd
	})
}

func newKinesis(t testing.TB, name string, plain int, tls string, command func() *exec.Cmd) *KinesisServer {
	t.Helper()
	addr := fmt.Sprintf("127.0.0.1:%d", plain)
	s := &KinesisServer{Endpoint: "http://" + addr, TLSAddr: tls}
	s.Server = newServer(t, name, addr, command)
	t.Setenv("AWS_ENDPOINT_URL_KINESIS", s.Endpoint)
	return s
}

// command runs a server.
func command(c localservers.Command) *exec.Cmd {
	cmd := exec.Command(c.Args[0], c.Args[1:]...)
	cmd.Env = append(os.Environ(), c.Env...)
	return cmd
}

// Client is a client of the server.
func (s *KinesisServer) Client(t testing.TB) *kinesis.Client {
	t.Helper()
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatalf("load the AWS configuration: %v", err)
	}
	return kinesis.NewFromConfig(cfg, func(o *kinesis.Options) { o.BaseEndpoint = aws.String(s.Endpoint) })
}

// CreateStream makes a stream of that many shards, ready for use.
func (s *KinesisServer) CreateStream(t testing.TB, stream string, shards int) {
	t.Helper()
	_, err := s.Client(t).CreateStream(t.Context(), &kinesis.CreateStreamInput{
		StreamName: &stream, ShardCount: aws.Int32(int32(shards)),
	})
	s.settled(t, stream, "create", err)
}

// DeleteStream removes a stream and returns when it is gone.
func (s *KinesisServer) DeleteStream(t testing.TB, stream string) {
	t.Helper()
	client := s.Client(t)
	if _, err := client.DeleteStream(t.Context(), &kinesis.DeleteStreamInput{StreamName: &stream}); err != nil {
		s.fatal(t, stream, "delete", err)
	}
	err := kinesis.NewStreamNotExistsWaiter(client, func(o *kinesis.StreamNotExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 20*time.Millisecond, time.Second
	}).Wait(t.Context(), &kinesis.DescribeStreamInput{StreamName: &stream}, startTimeout)
	if err != nil {
		s.fatal(t, stream, "delete", err)
	}
}

// Shards lists the shards of a stream, open and closed, oldest first.
func (s *KinesisServer) Shards(t testing.TB, stream string) []types.Shard {
	t.Helper()
	client := s.Client(t)
	var shards []types.Shard
	for input := (&kinesis.ListShardsInput{StreamName: &stream}); ; {
		page, err := client.ListShards(t.Context(), input)
		if err != nil {
			s.fatal(t, stream, "list shards", err)
		}
		shards = append(shards, page.Shards...)
		if page.NextToken == nil {
			return shards
		}
		input = &kinesis.ListShardsInput{NextToken: page.NextToken}
	}
}

// Split halves the hash range of an open shard and returns its two children.
func (s *KinesisServer) Split(t testing.TB, stream, shard string) []types.Shard {
	t.Helper()
	shards := s.Shards(t, stream)
	i := slices.IndexFunc(shards, func(c types.Shard) bool { return *c.ShardId == shard })
	if i < 0 {
		t.Fatalf("split %s of stream %s: no such shard", shard, stream)
	}
	middle := hashKey(t, shards[i].HashKeyRange.StartingHashKey)
	middle.Add(middle, hashKey(t, shards[i].HashKeyRange.EndingHashKey)).Add(middle, big.NewInt(1)).Rsh(middle, 1)
	_, err := s.Client(t).SplitShard(t.Context(), &kinesis.SplitShardInput{
		StreamName: &stream, ShardToSplit: &shard, NewStartingHashKey: aws.String(middle.String()),
	})
	s.settled(t, stream, "split "+shard, err)
	return s.children(t, stream, shard)
}

// Merge joins two open shards whose hash ranges touch and returns their child.
func (s *KinesisServer) Merge(t testing.TB, stream, shard, adjacent string) types.Shard {
	t.Helper()
	_, err := s.Client(t).MergeShards(t.Context(), &kinesis.MergeShardsInput{
		StreamName: &stream, ShardToMerge: &shard, AdjacentShardToMerge: &adjacent,
	})
	s.settled(t, stream, "merge "+shard+" and "+adjacent, err)
	children := s.children(t, stream, shard)
	if len(children) != 1 {
		t.Fatalf("merge %s and %s of stream %s: %d children, want 1", shard, adjacent, stream, len(children))
	}
	return children[0]
}

// UpdateShardCount replaces all open shards by that many even ones. Kinesalite
// has no such operation.
func (s *KinesisServer) UpdateShardCount(t testing.TB, stream string, shards int) {
	t.Helper()
	_, err := s.Client(t).UpdateShardCount(t.Context(), &kinesis.UpdateShardCountInput{
		StreamName: &stream, TargetShardCount: aws.Int32(int32(shards)), ScalingType: types.ScalingTypeUniformScaling,
	})
	s.settled(t, stream, fmt.Sprintf("update to %d shards", shards), err)
}

func (s *KinesisServer) children(t testing.TB, stream, parent string) []types.Shard {
	t.Helper()
	return slices.DeleteFunc(s.Shards(t, stream), func(c types.Shard) bool {
		return aws.ToString(c.ParentShardId) != parent && aws.ToString(c.AdjacentParentShardId) != parent
	})
}

// settled waits until the stream is active again after an operation that
// ended with err.
func (s *KinesisServer) settled(t testing.TB, stream, operation string, err error) {
	t.Helper()
	if err != nil {
		s.fatal(t, stream, operation, err)
	}
	err = kinesis.NewStreamExistsWaiter(s.Client(t), func(o *kinesis.StreamExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 20*time.Millisecond, time.Second
	}).Wait(t.Context(), &kinesis.DescribeStreamInput{StreamName: &stream}, startTimeout)
	if err != nil {
		s.fatal(t, stream, operation, err)
	}
}

func (s *KinesisServer) fatal(t testing.TB, stream, operation string, err error) {
	t.Helper()
	t.Fatalf("%s: stream %s: %v; log of %s:\n%s", operation, stream, err, s.name, s.Log())
}

func hashKey(t testing.TB, decimal *string) *big.Int {
	t.Helper()
	n, ok := new(big.Int).SetString(aws.ToString(decimal), 10)
	if !ok {
		t.Fatalf("hash key %q is not a decimal number", aws.ToString(decimal))
	}
	return n
}
