package kinesisio

import (
	"fmt"
	"sync/atomic"
	"testing"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/io/iotest"
)

const suiteParams = "?poll=1ms&block=300"

func openSuite(t *testing.T, name, params string, opt driver.StreamOptions) driver.Stream {
	t.Helper()
	s, err := OpenStream(t.Context(), "kinesis://"+name+suiteParams+params, opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStreamSuite(t *testing.T) {
	iotest.RunStreamTests(t, iotest.StreamHarness{New: func(t *testing.T) iotest.StreamPlace {
		server := newGetServer(t, 3)
		open := []int{0, 1, 2} // shards, by hash keys
		return iotest.StreamPlace{
			Put: func(t *testing.T, key string, records ...string) {
				for _, text := range records {
					for _, shard := range open {
						if server.shards[shard].hashes.contains(hashOf(key)) {
							server.put(shard, 0, []byte(text))
						}
					}
				}
			},
			Open: func(t *testing.T, opt driver.StreamOptions) driver.Stream {
				return openSuite(t, "logs", "&until=tip", opt)
			},
			OpenEndless: func(t *testing.T, opt driver.StreamOptions) driver.Stream { return openSuite(t, "logs", "", opt) },
			Missing: func(t *testing.T) driver.Stream {
				server.deleted = true
				return openSuite(t, "logs", "", driver.StreamOptions{})
			},
			Reshard: func(t *testing.T) {
				server.split(open[0])
				open = append([]int{len(server.shards) - 2, len(server.shards) - 1}, open[1:]...)
				server.merge(open[1], open[2])
				open = append([]int{open[0], len(server.shards) - 1}, open[3:]...)
			},
			Fault: func(t *testing.T) func() int {
				var met atomic.Int64
				server.mu.Lock()
				defer server.mu.Unlock()
				server.fault = func(_ string, call int) getFault {
					if call%3 > 0 {
						return getFault{}
					}
					met.Add(1)
					return []getFault{{reset: true}, {status: 500}, {status: 400, code: "ExpiredIteratorException"}, {status: 400, code: "ProvisionedThroughputExceededException"}}[call/3%4]
				}
				return func() int { return int(met.Load()) }
			},
			Remove: func(t *testing.T) {
				server.mu.Lock()
				defer server.mu.Unlock()
				server.deleted = true
			},
		}
	}})
}

// TestRealStreamSuite runs the suite against a server that others wrote.
func TestRealStreamSuite(t *testing.T) {
	server := testenv.Kinesis(t)
	streams := 0
	iotest.RunStreamTests(t, iotest.StreamHarness{New: func(t *testing.T) iotest.StreamPlace {
		streams++
		name, round := fmt.Sprint("logs-", streams), 0
		server.CreateStream(t, name, 3)
		return iotest.StreamPlace{
			Put: func(t *testing.T, key string, records ...string) {
				var list []testenv.KinesisRecord
				for _, text := range records {
					list = append(list, testenv.KinesisRecord{Key: key, Data: []byte(text)})
				}
				server.Put(t, name, list...)
			},
			Open: func(t *testing.T, opt driver.StreamOptions) driver.Stream {
				return openSuite(t, name, "&until=tip", opt)
			},
			OpenEndless: func(t *testing.T, opt driver.StreamOptions) driver.Stream { return openSuite(t, name, "", opt) },
			Missing:     func(t *testing.T) driver.Stream { return openSuite(t, "nowhere", "", driver.StreamOptions{}) },
			Reshard: func(t *testing.T) {
				var open []string
				for _, s := range server.Shards(t, name) {
					if isOpen(s) {
						open = append(open, *s.ShardId)
					}
				}
				switch round++; round % 3 {
				case 0:
					server.UpdateShardCount(t, name, len(open)+1)
				case 1:
					server.Split(t, name, open[0])
				default:
					children := server.Split(t, name, open[len(open)-1])
					server.Merge(t, name, *children[0].ShardId, *children[1].ShardId)
				}
			},
			Remove: func(t *testing.T) { server.DeleteStream(t, name) },
		}
	}})
}
