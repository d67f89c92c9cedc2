package testenv

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/google/go-cmp/cmp"
)

// texts are the records of a shard.
func texts(records []types.Record) []string {
	var texts []string
	for _, record := range records {
		texts = append(texts, string(record.Data))
	}
	return texts
}

// count is the number of records of a stream.
func count(records map[string][]types.Record) int {
	n := 0
	for _, shard := range records {
		n += len(shard)
	}
	return n
}

// shardIDs are the names of shards.
func shardIDs(shards []types.Shard) []string {
	var ids []string
	for _, shard := range shards {
		ids = append(ids, *shard.ShardId)
	}
	return ids
}

func closed(shard types.Shard) bool { return shard.SequenceNumberRange.EndingSequenceNumber != nil }

func TestKinesisServersSplitAndMerge(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *KinesisServer{"kinesis-local": Kinesis, "kinesalite": Kinesalite} {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			server.CreateStream(t, "s", 1)
			first := *server.Shards(t, "s")[0].ShardId
			server.Put(t, "s", KinesisRecord{Key: "k", Data: []byte("1")}, KinesisRecord{Key: "k", Data: []byte("2")})

			halves := server.Split(t, "s", first)
			if len(halves) != 2 {
				t.Fatalf("split into %v, want two shards", shardIDs(halves))
			}
			if !closed(server.Shards(t, "s")[0]) {
				t.Error("a split shard is still open")
			}
			server.Put(t, "s",
				KinesisRecord{Key: "k", HashKey: *halves[0].HashKeyRange.EndingHashKey, Data: []byte("low")},
				KinesisRecord{Key: "k", HashKey: *halves[1].HashKeyRange.StartingHashKey, Data: []byte("high")})

			joined := server.Merge(t, "s", *halves[0].ShardId, *halves[1].ShardId)
			if *joined.HashKeyRange.StartingHashKey != "0" || *joined.HashKeyRange.EndingHashKey != *halves[1].HashKeyRange.EndingHashKey {
				t.Errorf("the merged shard has the hash range %v", joined.HashKeyRange)
			}
			server.Put(t, "s", KinesisRecord{Key: "k", Data: []byte("3")})

			got := map[string][]string{}
			for shard, records := range server.Records(t, "s") {
				got[shard] = texts(records)
			}
			want := map[string][]string{
				first:              {"1", "2"},
				*halves[0].ShardId: {"low"},
				*halves[1].ShardId: {"high"},
				*joined.ShardId:    {"3"},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("records by shard (-want +got):\n%s", diff)
			}
			server.DeleteStream(t, "s")
		})
	}
}

func TestKinesisChangesTheShardCount(t *testing.T) {
	server := Kinesis(t)
	server.CreateStream(t, "s", 2)
	server.UpdateShardCount(t, "s", 4)
	open := 0
	for _, shard := range server.Shards(t, "s") {
		if !closed(shard) {
			open++
		}
	}
	if open != 4 {
		t.Errorf("%d open shards, want 4", open)
	}
}

func TestEnvironmentLeadsTheSDKToKinesis(t *testing.T) {
	server := Kinesis(t)
	server.CreateStream(t, "s", 1)
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = kinesis.NewFromConfig(cfg).PutRecord(t.Context(), &kinesis.PutRecordInput{
		StreamName: aws.String("s"), PartitionKey: aws.String("k"), Data: []byte("v"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(server.Records(t, "s")); n != 1 {
		t.Errorf("%d records, want 1", n)
	}
}

func TestPutsAreCutAtTheLimits(t *testing.T) {
	server := Kinesalite(t)
	server.CreateStream(t, "s", 1)
	var records []KinesisRecord
	for i := range maxPutRecords + 1 {
		records = append(records, KinesisRecord{Key: "small", Data: fmt.Append(nil, i)})
	}
	for range 6 {
		records = append(records, KinesisRecord{Key: "large", Data: make([]byte, 1<<20-len("large"))})
	}
	server.Put(t, "s", records...)
	shards := server.Records(t, "s")
	if n := count(shards); n != len(records) {
		t.Fatalf("%d records, want %d", n, len(records))
	}
	for i, got := range shards[*server.Shards(t, "s")[0].ShardId] {
		if string(got.Data) != string(records[i].Data) {
			t.Fatalf("record %d is not the one put at that place", i)
		}
	}
}

func TestKinesisServersKeepRecordsAcrossAnOutage(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *KinesisServer{"kinesis-local": Kinesis, "kinesalite": Kinesalite} {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			server.CreateStream(t, "s", 1)
			server.Put(t, "s", KinesisRecord{Key: "k", Data: []byte("1")})
			pollUntilEnd(t, server, "s") // a server must not wait for its clients
			server.Stop()
			for _, addr := range []string{server.Addr, server.TLSAddr} {
				if conn, err := net.Dial("tcp", addr); addr != "" && err == nil {
					conn.Close()
					t.Errorf("a stopped server still listens on %s", addr)
				}
			}
			server.Start(t)
			server.Put(t, "s", KinesisRecord{Key: "k", Data: []byte("2")})
			for _, records := range server.Records(t, "s") {
				if diff := cmp.Diff([]string{"1", "2"}, texts(records)); diff != "" {
					t.Errorf("records (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// pollUntilEnd keeps asking the server about a stream, whatever it answers,
// and returns after the first answer.
func pollUntilEnd(t *testing.T, server *KinesisServer, stream string) {
	t.Helper()
	client := server.Client(t)
	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan struct{})
	var clients sync.WaitGroup
	t.Cleanup(func() { cancel(); clients.Wait() })
	clients.Go(func() {
		for first := true; ctx.Err() == nil; first = false {
			// An error is what an outage is made of.
			_, _ = client.ListShards(ctx, &kinesis.ListShardsInput{StreamName: &stream})
			if first {
				close(answered)
			}
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
	<-answered
}

func TestKinesisServersListenOnLoopbackOnly(t *testing.T) {
	local, lite := Kinesis(t), Kinesalite(t)
	for _, addr := range []string{local.Addr, local.TLSAddr, lite.Addr} {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			t.Fatal(err)
		}
		// A server that listens on every address answers on these, too.
		for _, other := range []string{"127.0.0.2", "::1"} {
			if conn, err := net.Dial("tcp", net.JoinHostPort(other, port)); err == nil {
				conn.Close()
				t.Errorf("the server on %s listens on %s as well", addr, other)
			}
		}
	}
}
