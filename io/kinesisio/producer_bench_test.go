package kinesisio

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// sinkhole accepts everything at once.
type sinkhole struct{ shards putServer }

func (s *sinkhole) PutRecords(_ context.Context, in *kinesis.PutRecordsInput, _ ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error) {
	out := &kinesis.PutRecordsOutput{Records: make([]types.PutRecordsResultEntry, len(in.Records))}
	for i, r := range in.Records {
		user := Record{Key: *r.PartitionKey}
		if r.ExplicitHashKey != nil {
			user.ExplicitHashKey = *r.ExplicitHashKey
		}
		shard := s.shards.shardFor(user.hash())
		out.Records[i].ShardId = &shard
	}
	return out, nil
}

func (s *sinkhole) ListShards(ctx context.Context, in *kinesis.ListShardsInput, _ ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error) {
	return s.shards.ListShards(ctx, in)
}

// BenchmarkProducer measures what a Producer does besides its calls: queues,
// lanes, packing, acknowledging.
func BenchmarkProducer(b *testing.B) {
	const size = 200 // bytes of a log line
	for name, opt := range producerModes {
		b.Run(name, func(b *testing.B) {
			hole := &sinkhole{}
			hole.shards.shards = newPutServer(4).shards
			p, err := newProducer(b.Context(), b.Context(), hole, testPlace, defaultRecord, opt)
			if err != nil {
				b.Fatal(err)
			}
			keys := make([]string, 1000)
			for i := range keys {
				keys[i] = fmt.Sprint("server-", i)
			}
			data := make([]byte, size)
			b.SetBytes(size)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if err := p.Put(b.Context(), Record{Key: keys[n%len(keys)], Data: data}); err != nil {
					b.Fatal(err)
				}
				n++
			}
			if err := p.Close(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkAggregate measures packing alone.
func BenchmarkAggregate(b *testing.B) {
	const size = 200
	data := make([]byte, size)
	var a aggregate
	out := make([]byte, 0, 1<<20)
	keys := []string{"web-01", "web-02", "web-03", "web-04"}
	b.SetBytes(size)
	for i := 0; b.Loop(); i++ {
		if !a.add(keys[i%len(keys)], "", data, 128<<10) {
			out = a.appendTo(out[:0])
			a.reset()
		}
	}
}
