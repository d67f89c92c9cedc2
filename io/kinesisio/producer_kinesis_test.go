package kinesisio

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
)

func TestAStreamHoldsWhatWasPutThroughSplitsAndMerges(t *testing.T) {
	server := testenv.Kinesis(t)
	for name, opt := range producerModes {
		t.Run(name, func(t *testing.T) {
			stream := "stream-" + name[:2]
			server.CreateStream(t, stream, 2)
			p, err := NewProducer(t.Context(), "kinesis://"+stream, opt)
			if err != nil {
				t.Fatal(err)
			}
			records := someRecords(5, 600, 150, 800)
			for i, part := range slices.Collect(slices.Chunk(records, 100)) {
				mustPut(t, p, part...)
				switch i {
				case 1, 3: // while the last of them are still waiting
					server.Split(t, stream, openShards(t, server, stream)[0])
				case 4:
					open := openShards(t, server, stream)
					server.Merge(t, stream, open[0], open[1])
				}
			}
			stats := mustClose(t, p)
			var read []userRecord
			stored := server.Records(t, stream)
			for _, shard := range server.Shards(t, stream) {
				for _, r := range stored[*shard.ShardId] {
					read = append(read, apart(t, storedRecord{key: *r.PartitionKey, data: r.Data}, rangeOf(shard))...)
				}
			}
			got, again := byKey(read)
			want := wantByKey(records)
			if opt.Unordered {
				got, want = sortAll(got), sortAll(want)
			}
			if d := cmp.Diff(want, got); d != "" || again > 0 {
				t.Errorf("%d were read again; (-put +read):\n%s", again, d)
			}
			if stats.Acknowledged != 600 || opt.Aggregate && stats.Records > 150 {
				t.Errorf("stats %+v", stats)
			}
		})
	}
}

// openShards lists them by their place on the line of hashes.
func openShards(t *testing.T, server *testenv.KinesisServer, stream string) (names []string) {
	t.Helper()
	shards := server.Shards(t, stream)
	slices.SortFunc(shards, func(a, b types.Shard) int { return rangeOf(a).first.compare(rangeOf(b).first) })
	for _, s := range shards {
		if s.SequenceNumberRange.EndingSequenceNumber == nil {
			names = append(names, aws.ToString(s.ShardId))
		}
	}
	return names
}
