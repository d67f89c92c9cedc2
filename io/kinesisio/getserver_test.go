package kinesisio

import (
	"crypto/md5"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"millrace/internal/testenv"
)

// getServer is the reading side of one stream, in memory, with a clock and faults
// of its own.
type getServer struct {
	*httptest.Server
	// fault, if not nil, says what goes wrong with a call, by operation and number.
	fault func(operation string, call int) getFault
	// most, if not nil, is how many records a call may give.
	most func() int

	mu        sync.Mutex
	tick      func() time.Time // the clock of the service; nil is the real one
	created   time.Time
	retention time.Duration
	deleted   bool
	shards    []*getShard
	sequence  int64
	calls     map[string]int
	expired   int // iterators up to this number have expired
	issued    int
}

type getFault struct {
	status int    // 0 is none
	code   string // of the answer
	reset  bool   // the connection breaks instead
}

type getShard struct {
	id      string
	hashes  hashRange
	parents []string
	records []getRecord
	trimmed int // of records, no longer there
	closed  bool
	gone    bool // no longer listed
}

type getRecord struct {
	Data                        []byte
	PartitionKey                string
	SequenceNumber              string
	ApproximateArrivalTimestamp float64
}

const testARN = "arn:aws:kinesis:us-east-1:000000000000:stream/logs"

// newGetServer starts a server that the AWS SDK is pointed at.
func newGetServer(t testing.TB, shards int) *getServer {
	t.Helper()
	s := &getServer{created: time.UnixMilli(1_700_000_000_000), retention: 24 * time.Hour, calls: map[string]int{}}
	for i := range newPutServer(shards).shards {
		s.addShard(rangeOf(newPutServer(shards).shards[i]))
	}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": testenv.AccessKey, "AWS_SECRET_ACCESS_KEY": testenv.SecretKey, "AWS_REGION": testenv.Region,
		"AWS_ENDPOINT_URL_KINESIS": s.URL, "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "2",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	} {
		t.Setenv(name, value)
	}
	return s
}

func (s *getServer) addShard(r hashRange, parents ...string) *getShard {
	shard := &getShard{id: fmt.Sprintf("shardId-%012d", len(s.shards)), hashes: r, parents: parents}
	s.shards = append(s.shards, shard)
	return shard
}

func (s *getServer) clock() time.Time {
	if s.tick == nil {
		return time.Now()
	}
	return s.tick()
}

// put stores a record in a shard; arrival is in Unix milliseconds, 0 is now.
func (s *getServer) put(shard int, arrival int64, data []byte) (sequence string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.store(shard, arrival, data)
}

// store is put for who has the lock.
func (s *getServer) store(shard int, arrival int64, data []byte) (sequence string) {
	if arrival == 0 {
		arrival = s.clock().UnixMilli()
	}
	s.sequence += 3
	sequence = new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 184), big.NewInt(s.sequence)).String()
	s.shards[shard].records = append(s.shards[shard].records, getRecord{data, "key", sequence, float64(arrival) / 1000})
	return sequence
}

// split closes a shard and halves it; the children's numbers are the two last.
func (s *getServer) split(shard int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	parent := s.shards[shard]
	parent.closed = true
	r := parent.hashes
	middle := r.first.high + (r.last.high-r.first.high)/2
	s.addShard(hashRange{r.first, hashKey{middle, ^uint64(0)}}, parent.id)
	s.addShard(hashRange{hashKey{middle + 1, 0}, r.last}, parent.id)
}

// merge closes two shards, the one with the lower hash keys first.
func (s *getServer) merge(low, high int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, b := s.shards[low], s.shards[high]
	a.closed, b.closed = true, true
	s.addShard(hashRange{a.hashes.first, b.hashes.last}, b.id, a.id)
}

// trim drops the oldest records of a shard.
func (s *getServer) trim(shard, records int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shards[shard].trimmed += records
}

func (s *getServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var in struct {
		ShardID string `json:"ShardId"`

		ShardIteratorType, StartingSequenceNumber, ShardIterator, NextToken string
		Timestamp                                                           float64
		Limit                                                               int
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		panic(http.ErrAbortHandler) // the reader was closed meanwhile
	}
	s.mu.Lock()
	call := s.calls[operation]
	s.calls[operation]++
	fault := s.fault
	s.mu.Unlock()
	if fault != nil {
		if f := fault(operation, call); f.reset {
			panic(http.ErrAbortHandler)
		} else if f.status != 0 {
			s.refuse(w, f.status, f.code)
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Date", s.clock().UTC().Format(http.TimeFormat))
	if s.deleted {
		s.refuse(w, 400, "ResourceNotFoundException")
		return
	}
	switch operation {
	case "DescribeStreamSummary":
		answer(w, map[string]any{"StreamDescriptionSummary": map[string]any{
			"StreamName": "logs", "StreamARN": testARN, "StreamStatus": "ACTIVE", "OpenShardCount": 1,
			"RetentionPeriodHours": int(s.retention.Hours()), "StreamCreationTimestamp": s.created.Unix(), "EnhancedMonitoring": []any{},
		}})
	case "ListShards":
		var list []any
		for _, shard := range s.shards {
			if !shard.gone {
				list = append(list, shard.describe())
			}
		}
		answer(w, map[string]any{"Shards": list})
	case "GetShardIterator":
		s.iterator(w, in.ShardID, in.ShardIteratorType, in.StartingSequenceNumber, int64(in.Timestamp*1000))
	case "GetRecords":
		s.records(w, in.ShardIterator, in.Limit)
	default:
		s.refuse(w, 400, "UnknownOperationException")
	}
}

func (shard *getShard) describe() map[string]any {
	sequences := map[string]any{"StartingSequenceNumber": "1"}
	if shard.closed {
		sequences["EndingSequenceNumber"] = "2"
	}
	d := map[string]any{
		"ShardId":             shard.id,
		"HashKeyRange":        map[string]any{"StartingHashKey": shard.hashes.first.String(), "EndingHashKey": shard.hashes.last.String()},
		"SequenceNumberRange": sequences,
	}
	for i, parent := range shard.parents {
		d[[]string{"ParentShardId", "AdjacentParentShardId"}[i]] = parent
	}
	return d
}

func (s *getServer) shard(id string) *getShard {
	for _, shard := range s.shards {
		if shard.id == id && !shard.gone {
			return shard
		}
	}
	return nil
}

func (s *getServer) iterator(w http.ResponseWriter, id, kind, sequence string, at int64) {
	shard := s.shard(id)
	if shard == nil {
		s.refuse(w, 400, "ResourceNotFoundException")
		return
	}
	i := 0
	switch kind {
	case "LATEST":
		i = len(shard.records)
	case "AT_TIMESTAMP":
		for i < len(shard.records) && int64(shard.records[i].ApproximateArrivalTimestamp*1000+.5) < at {
			i++
		}
	case "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER":
		for i < len(shard.records) && shard.records[i].SequenceNumber < sequence {
			i++
		}
		if kind[1] == 'F' && i < len(shard.records) && shard.records[i].SequenceNumber == sequence {
			i++
		}
	}
	answer(w, map[string]any{"ShardIterator": s.issue(id, i)})
}

func (s *getServer) issue(id string, i int) string {
	s.issued++
	return fmt.Sprintf("%s/%d/%d", id, i, s.issued)
}

func (s *getServer) records(w http.ResponseWriter, iterator string, limit int) {
	parts := strings.Split(iterator, "/")
	number, err := strconv.Atoi(parts[2])
	shard := s.shard(parts[0])
	i, _ := strconv.Atoi(parts[1])
	switch {
	case err != nil:
		panic(err)
	case number <= s.expired:
		s.refuse(w, 400, "ExpiredIteratorException")
		return
	case shard == nil:
		s.refuse(w, 400, "ResourceNotFoundException")
		return
	}
	i = max(i, shard.trimmed)
	n := min(limit, len(shard.records)-i)
	if s.most != nil {
		n = min(n, s.most())
	}
	out := map[string]any{"Records": shard.records[i : i+n], "MillisBehindLatest": 0}
	if i+n < len(shard.records) {
		out["MillisBehindLatest"] = max(1, s.clock().UnixMilli()-int64(shard.records[i+n].ApproximateArrivalTimestamp*1000))
	}
	if i+n < len(shard.records) || !shard.closed {
		out["NextShardIterator"] = s.issue(shard.id, i+n)
	}
	answer(w, out)
}

func (s *getServer) refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"__type":%q,"message":"as the test wants"}`, code)
}

func answer(w http.ResponseWriter, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Write(text)
}

// aggregateOf is an aggregated record of user records, all with one hash key.
func aggregateOf(hash hashKey, users ...string) []byte {
	message := appendLength(nil, 1<<3|2, 1)
	message = append(message, 'k')
	message = append(appendLength(message, 2<<3|2, len(hash.String())), hash.String()...)
	for _, user := range users {
		record := append(appendLength([]byte{1 << 3, 0, 2 << 3, 0}, 3<<3|2, len(user)), user...)
		message = append(appendLength(message, 3<<3|2, len(record)), record...)
	}
	return sealAggregate(message)
}

// sealAggregate puts magic and digest around a message.
func sealAggregate(message []byte) []byte {
	sum := md5.Sum(message)
	return append(append([]byte(aggregateMagic), message...), sum[:]...)
}
