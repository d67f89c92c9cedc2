package kinesisio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"millrace/internal/testenv"
	"millrace/io/driver"
)

// preparedServer answers calls for records with one prepared answer, in which
// only the sequence numbers grow.
type preparedServer struct {
	parts  [][]byte // of the answer; between two of them belongs a number
	number atomic.Int64
}

const numberDigits = 20 // that vary, of a sequence number

func newPreparedServer(b *testing.B, records [][]byte) *preparedServer {
	var list []map[string]any
	for _, data := range records {
		list = append(list, map[string]any{
			"Data": data, "PartitionKey": "0123456789abcdef", "ApproximateArrivalTimestamp": 1.7e9,
			"SequenceNumber": strings.Repeat("4", 56-numberDigits) + strings.Repeat("#", numberDigits),
		})
	}
	text, err := json.Marshal(map[string]any{"Records": list, "MillisBehindLatest": 1000, "NextShardIterator": strings.Repeat("i", 220)})
	if err != nil {
		b.Fatal(err)
	}
	return &preparedServer{parts: bytes.Split(text, []byte(strings.Repeat("#", numberDigits)))}
}

func (s *preparedServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	switch operation {
	case "GetRecords":
		size := 0
		for _, part := range s.parts {
			size += len(part) + numberDigits
		}
		w.Header().Set("Content-Length", fmt.Sprint(size-numberDigits))
		for i, part := range s.parts {
			if i > 0 {
				fmt.Fprintf(w, "%020d", s.number.Add(1))
			}
			w.Write(part)
		}
	case "GetShardIterator":
		answer(w, map[string]any{"ShardIterator": "i"})
	case "ListShards":
		shard := &getShard{id: "shardId-000000000000", hashes: wholeRange}
		answer(w, map[string]any{"Shards": []any{shard.describe()}})
	case "DescribeStreamSummary":
		answer(w, map[string]any{"StreamDescriptionSummary": map[string]any{"StreamName": "logs", "StreamARN": testARN, "StreamStatus": "ACTIVE"}})
	}
}

// BenchmarkRead reads from an endpoint in the same process that serves prepared
// answers of 1 MiB. Its MB/CPU-s count the processor time of both; "server" is
// what the endpoint and the transport alone bear.
func BenchmarkRead(b *testing.B) {
	line := strings.Repeat("x", 180) + " [10/Oct/2000:13:55:36 -0700]"
	var users, plain [][]byte
	var aggregated []string
	for i := range 240 {
		aggregated = append(aggregated, fmt.Sprintf("%s %04d", line, i))
	}
	for range 20 {
		users = append(users, aggregateOf(hashKey{}, aggregated...))
	}
	for range 5000 {
		plain = append(plain, []byte(line))
	}
	joined := [][]byte{}
	for range 20 {
		joined = append(joined, []byte(strings.Join(aggregated, "\n")))
	}
	for name, records := range map[string][][]byte{"aggregated": users, "plain": plain, "joined": joined} {
		size := 0
		for _, data := range records {
			size += len(data)
		}
		b.Run(name, func(b *testing.B) {
			benchServer(b, records)
			s, err := OpenStream(b.Context(), "kinesis://logs?poll=1us&rate=1000GiB", driver.StreamOptions{
				EventTime: func(string) func([]byte, int64) (int64, bool) {
					return func(line []byte, _ int64) (int64, bool) { return int64(len(line)), true }
				},
				RollBytes: 64 << 20, RollEvery: time.Minute, MaxDisorder: time.Minute,
			})
			if err != nil {
				b.Fatal(err)
			}
			cursors, err := s.Begin(b.Context(), 1)
			if err != nil {
				b.Fatal(err)
			}
			r, err := s.Read(b.Context(), cursors[0])
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			b.SetBytes(int64(size))
			got := 0
			begun := processorTime(b)
			for b.Loop() {
				for got < size {
					block, err := r.Next(b.Context())
					if err != nil {
						b.Fatal(err)
					}
					got += len(block.Data)
				}
				got -= size
			}
			b.ReportMetric(float64(b.N)*float64(size)/1e6/(processorTime(b)-begun).Seconds(), "MB/CPU-s")
		})
	}
	b.Run("server", func(b *testing.B) {
		url := benchServer(b, users)
		size := 0
		begun := processorTime(b)
		for b.Loop() {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, strings.NewReader("{}"))
			if err != nil {
				b.Fatal(err)
			}
			req.Header.Set("X-Amz-Target", "Kinesis_20131202.GetRecords")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				b.Fatal(err)
			}
			n, err := io.Copy(io.Discard, res.Body)
			if err != nil {
				b.Fatal(err)
			}
			res.Body.Close()
			size = int(n) * 3 / 4 // of base64
		}
		b.SetBytes(int64(size))
		b.ReportMetric(float64(b.N)*float64(size)/1e6/(processorTime(b)-begun).Seconds(), "MB/CPU-s")
	})
}

func benchServer(b *testing.B, records [][]byte) string {
	server := httptest.NewServer(newPreparedServer(b, records))
	b.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": testenv.AccessKey, "AWS_SECRET_ACCESS_KEY": testenv.SecretKey, "AWS_REGION": testenv.Region,
		"AWS_ENDPOINT_URL_KINESIS": server.URL, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		b.Setenv(name, value)
	}
	return server.URL
}

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
