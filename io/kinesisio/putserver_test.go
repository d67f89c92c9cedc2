package kinesisio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"

	"millrace/internal/testenv"
)

// putServer is the writing side of a stream, in memory, with faults on demand. It
// serves HTTP, for tests of the wire, and is a putter, for tests of time.
type putServer struct {
	// fault, if not nil, says what goes wrong with a call, numbered from 0. It may
	// change the stream.
	fault func(call int, records []types.PutRecordsRequestEntry) putFault

	mu     sync.Mutex
	shards []types.Shard
	stored map[string][]storedRecord // by shard, in order
	calls  []int                     // records of each call
	limit  int32                     // MaxRecordSizeInKiB; 0 for none
}

// putFault is what goes wrong with a call; its zero value is nothing.
type putFault struct {
	codes []string // of records that fail, by index; "" for others
	code  string   // of the whole call
	lost  bool     // its records are stored and the answer is not given
	hangs bool     // there is no answer at all
}

type storedRecord struct {
	call, index  int
	key, hashKey string
	data         []byte
}

func newPutServer(shards int) *putServer {
	s := &putServer{stored: map[string][]storedRecord{}}
	for i := range shards {
		// Shards of equal width, but for the last.
		step := ^uint64(0) / uint64(shards)
		last := hashKey{step*uint64(i+1) - 1, ^uint64(0)}
		if i == shards-1 {
			last = wholeRange.last
		}
		s.shards = append(s.shards, newShard(i, hashRange{hashKey{step * uint64(i), 0}, last}))
	}
	return s
}

func newShard(number int, r hashRange) types.Shard {
	return types.Shard{
		ShardId:             aws.String(fmt.Sprintf("shardId-%012d", number)),
		HashKeyRange:        &types.HashKeyRange{StartingHashKey: aws.String(r.first.String()), EndingHashKey: aws.String(r.last.String())},
		SequenceNumberRange: &types.SequenceNumberRange{StartingSequenceNumber: aws.String("1")},
	}
}

// split closes the first open shard and halves it.
func (s *putServer) split() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.shards {
		shard := &s.shards[i]
		if shard.SequenceNumberRange.EndingSequenceNumber != nil {
			continue
		}
		shard.SequenceNumberRange.EndingSequenceNumber = aws.String("2")
		r := rangeOf(*shard)
		middle := r.first.high + (r.last.high-r.first.high)/2
		s.shards = append(s.shards,
			newShard(len(s.shards), hashRange{r.first, hashKey{middle, ^uint64(0)}}),
			newShard(len(s.shards)+1, hashRange{hashKey{middle + 1, 0}, r.last}))
		return
	}
}

func rangeOf(s types.Shard) hashRange {
	first, _ := parseHashKey(*s.HashKeyRange.StartingHashKey)
	last, _ := parseHashKey(*s.HashKeyRange.EndingHashKey)
	return hashRange{first, last}
}

func (s *putServer) shardFor(h hashKey) string {
	for _, shard := range s.shards {
		if shard.SequenceNumberRange.EndingSequenceNumber == nil && rangeOf(shard).contains(h) {
			return *shard.ShardId
		}
	}
	panic("a hash without a shard")
}

var errAnswerLost = errors.New("the answer is lost")

func (s *putServer) PutRecords(ctx context.Context, in *kinesis.PutRecordsInput, _ ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	call := len(s.calls)
	s.calls = append(s.calls, len(in.Records))
	s.mu.Unlock()
	var f putFault
	if s.fault != nil {
		f = s.fault(call, in.Records)
	}
	switch {
	case f.hangs:
		<-ctx.Done()
		return nil, ctx.Err()
	case f.code != "":
		return nil, &smithy.GenericAPIError{Code: f.code, Message: "as the test wants"}
	}
	out := &kinesis.PutRecordsOutput{FailedRecordCount: aws.Int32(0)}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range in.Records {
		if i < len(f.codes) && f.codes[i] != "" {
			*out.FailedRecordCount++
			out.Records = append(out.Records, types.PutRecordsResultEntry{ErrorCode: &f.codes[i], ErrorMessage: aws.String("as the test wants")})
			continue
		}
		user := Record{Key: *r.PartitionKey, ExplicitHashKey: aws.ToString(r.ExplicitHashKey)}
		shard := s.shardFor(user.hash())
		s.stored[shard] = append(s.stored[shard], storedRecord{call, i, user.Key, user.ExplicitHashKey, slices.Clone(r.Data)})
		out.Records = append(out.Records, types.PutRecordsResultEntry{ShardId: &shard, SequenceNumber: aws.String(fmt.Sprint(len(s.stored[shard])))})
	}
	if f.lost {
		return nil, errAnswerLost
	}
	return out, nil
}

func (s *putServer) ListShards(context.Context, *kinesis.ListShardsInput, ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &kinesis.ListShardsOutput{Shards: slices.Clone(s.shards)}, nil
}

// serve gives the stream over HTTP and points the AWS SDK at it.
func (s *putServer) serve(t *testing.T) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_KINESIS": server.URL, "AWS_ACCESS_KEY_ID": testenv.AccessKey, "AWS_SECRET_ACCESS_KEY": testenv.SecretKey, "AWS_REGION": testenv.Region,
	} {
		t.Setenv(name, value)
	}
}

func (s *putServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var answer any
	switch operation {
	case "DescribeStreamSummary":
		summary := map[string]any{"StreamStatus": "ACTIVE"}
		if s.limit > 0 {
			summary["MaxRecordSizeInKiB"] = s.limit
		}
		answer = map[string]any{"StreamDescriptionSummary": summary}
	case "ListShards":
		answer, err = s.ListShards(r.Context(), nil)
	case "PutRecords":
		var in kinesis.PutRecordsInput
		if err = json.Unmarshal(body, &in); err == nil {
			answer, err = s.PutRecords(r.Context(), &in)
		}
	default:
		err = &smithy.GenericAPIError{Code: "UnknownOperationException", Message: operation}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	var api smithy.APIError
	switch {
	case errors.As(err, &api):
		status := http.StatusBadRequest
		if strings.HasPrefix(api.ErrorCode(), "Internal") {
			status = http.StatusInternalServerError
		}
		w.WriteHeader(status)
		answer = map[string]string{"__type": api.ErrorCode(), "message": api.ErrorMessage()}
	case err != nil:
		panic(http.ErrAbortHandler) // the connection breaks
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// userRecord is what a reader gets.
type userRecord struct{ key, data string }

// read gives the records as readers get them: per shard in order, aggregates taken
// apart, those that were not for the shard left out.
func (s *putServer) read(t *testing.T) (records []userRecord) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, shard := range s.shards {
		for _, r := range s.stored[*shard.ShardId] {
			records = append(records, apart(t, r, rangeOf(shard))...)
		}
	}
	return records
}

// apart takes a stored record apart. The reader gives data only; the keys are
// those of the message.
func apart(t *testing.T, r storedRecord, shard hashRange) (users []userRecord) {
	t.Helper()
	data, ok := deaggregate(r.data, shard)
	if !ok {
		return []userRecord{{r.key, string(r.data)}}
	}
	var m aggregated
	if !m.parse(r.data[len(aggregateMagic) : len(r.data)-16]) {
		t.Fatal("an aggregate that cannot be parsed")
	}
	for i := range data {
		u, ok := parseUser(m.records[i])
		if !ok || string(u.data) != string(data[i]) {
			t.Fatal("an aggregate that parses in two ways")
		}
		users = append(users, userRecord{string(m.keys[u.key]), string(u.data)})
	}
	return users
}
