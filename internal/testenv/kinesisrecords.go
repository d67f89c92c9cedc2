package testenv

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Limits of one PutRecords call.
const (
	maxPutRecords = 500
	maxPutBytes   = 5 << 20
)

// KinesisRecord is a record to put.
type KinesisRecord struct {
	Key     string // partition key
	HashKey string // decimal; replaces the hash of Key when not empty
	Data    []byte
}

// Put writes records in order, in as many calls as the limits ask for.
func (s *KinesisServer) Put(t testing.TB, stream string, records ...KinesisRecord) {
	t.Helper()
	client := s.Client(t)
	for len(records) > 0 {
		var entries []types.PutRecordsRequestEntry
		for size := 0; len(entries) < min(len(records), maxPutRecords); {
			record := records[len(entries)]
			size += len(record.Key) + len(record.Data)
			if size > maxPutBytes && len(entries) > 0 {
				break
			}
			entry := types.PutRecordsRequestEntry{PartitionKey: &record.Key, Data: record.Data}
			if record.HashKey != "" {
				entry.ExplicitHashKey = &record.HashKey
			}
			entries = append(entries, entry)
		}
		output, err := client.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamName: &stream, Records: entries})
		if err != nil {
			s.fatal(t, stream, "put records", err)
		}
		if failed := aws.ToInt32(output.FailedRecordCount); failed != 0 {
			for _, r := range output.Records {
				if r.ErrorCode != nil {
					t.Fatalf("put records: stream %s: %d of %d failed: %s: %s", stream, failed, len(entries), *r.ErrorCode, aws.ToString(r.ErrorMessage))
				}
			}
			t.Fatalf("put records: stream %s: %d of %d failed, and the server does not say why", stream, failed, len(entries))
		}
		records = records[len(entries):]
	}
}

// Records reads what each shard of a stream holds now, by shard ID.
func (s *KinesisServer) Records(t testing.TB, stream string) map[string][]types.Record {
	t.Helper()
	client := s.Client(t)
	records := map[string][]types.Record{}
	for _, shard := range s.Shards(t, stream) {
		start, err := client.GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{
			StreamName: &stream, ShardId: shard.ShardId, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
		})
		if err != nil {
			s.fatal(t, stream, "iterate over "+*shard.ShardId, err)
		}
		for iterator := start.ShardIterator; iterator != nil; {
			output, err := client.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: iterator})
			if err != nil {
				s.fatal(t, stream, "get records of "+*shard.ShardId, err)
			}
			if len(output.Records) == 0 {
				break // unlike Kinesis, both servers answer so at the tip only
			}
			records[*shard.ShardId] = append(records[*shard.ShardId], output.Records...)
			iterator = output.NextShardIterator
		}
	}
	return records
}
