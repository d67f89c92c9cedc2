package kinesisio

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/google/go-cmp/cmp"

	"millrace/io/driver"
)

// producerModes are the ways of a Producer to send.
var producerModes = map[string]ProducerOptions{
	"by key":     {},
	"unordered":  {Unordered: true},
	"aggregated": {Aggregate: true},
}

var testPlace = place{name: "test"}

func startProducer(t *testing.T, s *putServer, opt ProducerOptions) *Producer {
	t.Helper()
	p, err := newProducer(t.Context(), t.Context(), s, testPlace, defaultRecord, opt)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustPut(t *testing.T, p *Producer, records ...Record) {
	t.Helper()
	for _, r := range records {
		if err := p.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

func mustClose(t *testing.T, p *Producer) ProducerStats {
	t.Helper()
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p.Stats()
}

// someRecords makes records of a few keys; the data begin with the number of the
// record, by which it is known.
func someRecords(seed uint64, n, keys, longest int) []Record {
	rng := rand.New(rand.NewPCG(seed, 3))
	records := make([]Record, n)
	for i := range records {
		key := fmt.Sprint("key-", rng.IntN(keys))
		records[i] = Record{Key: key, Data: append(fmt.Appendf(nil, "%d:", i), make([]byte, rng.IntN(longest+1))...)}
		if key == "key-0" {
			records[i].ExplicitHashKey = hashKey{12345 << 40, 678}.String()
		}
	}
	return records
}

func numberOf(data string) string {
	number, _, _ := strings.Cut(data, ":")
	return number
}

// byKey lists what was put, or read, by key; of a record read more than once, the
// first time.
func byKey(read []userRecord) (first map[string][]string, again int) {
	first = map[string][]string{}
	for _, r := range read {
		if n := numberOf(r.data); slices.Contains(first[r.key], n) {
			again++
		} else {
			first[r.key] = append(first[r.key], n)
		}
	}
	return first, again
}

func wantByKey(records []Record) map[string][]string {
	want := map[string][]string{}
	for _, r := range records {
		want[r.Key] = append(want[r.Key], numberOf(string(r.Data)))
	}
	return want
}

func sortAll(m map[string][]string) map[string][]string {
	for _, list := range m {
		slices.Sort(list)
	}
	return m
}

func TestEveryRecordIsStoredOnceAndInOrder(t *testing.T) {
	for name, opt := range producerModes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newPutServer(4)
				p := startProducer(t, s, opt)
				records := someRecords(1, 5000, 300, 2000)
				mustPut(t, p, records...)
				stats := mustClose(t, p)
				got, again := byKey(s.read(t))
				want := wantByKey(records)
				if opt.Unordered {
					got, want = sortAll(got), sortAll(want)
				}
				if d := cmp.Diff(want, got); d != "" || again > 0 {
					t.Errorf("%d were read again; (-put +read):\n%s", again, d)
				}
				if stats.Acknowledged != 5000 || stats.Accepted != 5000 || stats.Pending() != 0 || stats.Retried != 0 {
					t.Errorf("stats %+v", stats)
				}
				if opt.Aggregate && stats.Records > 500 {
					t.Errorf("%d records were packed into %d", stats.Acknowledged, stats.Records)
				}
			})
		})
	}
}

// randomFault lets calls fail in every way, and fewer as time goes by.
func randomFault(rng *rand.Rand, lossy bool) func(int, []types.PutRecordsRequestEntry) putFault {
	return func(_ int, records []types.PutRecordsRequestEntry) (f putFault) {
		switch x := rng.IntN(12); {
		case x < 5:
			f.codes = make([]string, len(records))
			for i := range f.codes {
				f.codes[i] = []string{"", "", "InternalFailure", "ProvisionedThroughputExceededException"}[rng.IntN(4)]
			}
		case x == 5:
			f.code = "InternalFailure"
		case x == 6:
			f.code = "ProvisionedThroughputExceededException"
		case x == 7 && lossy:
			f.lost = true
		case x == 8 && lossy:
			f.hangs = true
		}
		return f
	}
}

func TestFailuresLoseNothingAndKeepOrder(t *testing.T) {
	for name, opt := range producerModes {
		for _, lossy := range []bool{false, true} {
			for seed := range uint64(8) {
				t.Run(fmt.Sprintf("%s, answers lost %v, %d", name, lossy, seed), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						s := newPutServer(3)
						s.fault = randomFault(rand.New(rand.NewPCG(seed, 5)), lossy)
						opt := opt
						opt.MaxCalls = 1 // the generator of faults is not safe for more
						p, err := newProducer(t.Context(), t.Context(), s, testPlace, 2000, opt)
						if err != nil {
							t.Fatal(err)
						}
						records := someRecords(seed, 600, 40, 500)
						mustPut(t, p, records...)
						stats := mustClose(t, p)
						got, again := byKey(s.read(t))
						want := wantByKey(records)
						if opt.Unordered {
							got, want = sortAll(got), sortAll(want)
						}
						if d := cmp.Diff(want, got); d != "" {
							t.Errorf("(-put +read):\n%s", d)
						}
						if !lossy && again > 0 {
							t.Errorf("%d records are stored twice, and no answer was lost", again)
						}
						if stats.Retried == 0 || stats.Throttled == 0 || stats.Acknowledged != 600 {
							t.Errorf("stats %+v", stats)
						}
					})
				})
			}
		}
	}
}

func TestOnlyWhatFailedIsPutAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newPutServer(1)
		s.fault = func(call int, records []types.PutRecordsRequestEntry) putFault {
			if call > 0 {
				return putFault{}
			}
			codes := make([]string, len(records))
			codes[3], codes[7] = "InternalFailure", "ProvisionedThroughputExceededException"
			return putFault{codes: codes}
		}
		p := startProducer(t, s, ProducerOptions{})
		for i := range 20 {
			mustPut(t, p, Record{Key: fmt.Sprint(i), Data: []byte("x")})
		}
		stats := mustClose(t, p)
		total := 0
		for _, n := range s.calls {
			total += n
		}
		if s.calls[0] != 20 || total != 22 || stats.Retried != 2 || stats.Throttled != 1 || stats.Acknowledged != 20 {
			t.Errorf("calls of %v records, stats %+v", s.calls, stats)
		}
	})
}

func TestSplitsWhileWritingLoseNothing(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			s := newPutServer(2)
			rng := rand.New(rand.NewPCG(seed, 7))
			random := randomFault(rng, true)
			s.fault = func(call int, records []types.PutRecordsRequestEntry) putFault {
				if call%4 == 2 && len(s.shards) < 16 {
					s.split()
				}
				if rng.IntN(2) == 0 {
					return putFault{}
				}
				return random(call, records)
			}
			p := startProducer(t, s, ProducerOptions{Aggregate: true, MaxCalls: 1, CallTimeout: 500 * time.Millisecond})
			records := someRecords(seed, 3000, 100, 900)
			for part := range slices.Chunk(records, 150) {
				mustPut(t, p, part...)
				time.Sleep(time.Second)
			}
			stats := mustClose(t, p)
			got, _ := byKey(s.read(t))
			if d := cmp.Diff(wantByKey(records), got); d != "" {
				t.Errorf("%d (-put +read):\n%s", seed, d)
			}
			if len(s.shards) < 8 || stats.Acknowledged != 3000 {
				t.Errorf("%d shards, stats %+v", len(s.shards), stats)
			}
		})
	}
}

func TestCallsStayWithinTheLimitsOfTheService(t *testing.T) {
	for name, opt := range producerModes {
		synctest.Test(t, func(t *testing.T) {
			s := newPutServer(3)
			s.fault = func(call int, records []types.PutRecordsRequestEntry) putFault {
				size := 0
				for _, r := range records {
					n := len(r.Data) + len(*r.PartitionKey)
					if n > 2<<20 {
						t.Errorf("%s: a record of %d bytes", name, n)
					}
					size += n
				}
				if len(records) > maxCallRecords || size > maxCallBytes {
					t.Errorf("%s: call %d has %d records of %d bytes", name, call, len(records), size)
				}
				return putFault{}
			}
			p, err := newProducer(t.Context(), t.Context(), s, testPlace, 2<<20, opt)
			if err != nil {
				t.Fatal(err)
			}
			mustPut(t, p, someRecords(2, 3000, 1<<30, 0)...)
			mustPut(t, p, someRecords(3, 40, 1<<30, 2<<20-100)...)
			key := strings.Repeat("k", 250)
			mustPut(t, p, Record{Key: key, Data: make([]byte, 2<<20-250)})
			mustPut(t, p, someRecords(4, 1000, 7, 10_000)...)
			mustClose(t, p)
		})
	}
}

func TestARecordGreaterThanACallGoesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newPutServer(1)
		p, err := newProducer(t.Context(), t.Context(), s, testPlace, 10<<20, ProducerOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			mustPut(t, p, Record{Key: fmt.Sprint(i), Data: make([]byte, 9<<20)})
		}
		mustClose(t, p)
		if d := cmp.Diff([]int{1, 1, 1}, s.calls); d != "" {
			t.Error(d)
		}
	})
}

func TestARecordWaitsForCompanyNoLongerThanAsked(t *testing.T) {
	for name, opt := range producerModes {
		synctest.Test(t, func(t *testing.T) {
			s := newPutServer(2)
			opt.MaxDelay = 70 * time.Millisecond
			p := startProducer(t, s, opt)
			mustPut(t, p, Record{Key: "one", Data: []byte("1")})
			time.Sleep(40 * time.Millisecond)
			mustPut(t, p, Record{Key: "two", Data: []byte("2")})
			time.Sleep(30*time.Millisecond - 1)
			synctest.Wait()
			if n := p.Stats().Acknowledged; n != 0 {
				t.Errorf("%s: %d went early", name, n)
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			if n := p.Stats().Acknowledged; n == 0 {
				t.Errorf("%s: the first waits too long", name)
			}
			time.Sleep(40 * time.Millisecond)
			synctest.Wait()
			if n := p.Stats().Acknowledged; n != 2 {
				t.Errorf("%s: the second waits too long", name)
			}
			mustClose(t, p)
		})
	}
}

func TestPutWaitsWhileTooMuchIsOnItsWay(t *testing.T) {
	for name, opt := range producerModes {
		synctest.Test(t, func(t *testing.T) {
			s := newPutServer(1)
			healthy := make(chan struct{})
			s.fault = func(int, []types.PutRecordsRequestEntry) putFault {
				<-healthy
				return putFault{}
			}
			opt.MaxBuffered = 11_000
			p := startProducer(t, s, opt)
			put := 0
			go func() {
				for i := range 100 {
					mustPut(t, p, Record{Key: fmt.Sprintf("%03d", i), Data: make([]byte, 997)})
					put++
				}
			}()
			time.Sleep(time.Minute)
			synctest.Wait()
			if put != 10 {
				t.Errorf("%s: %d records of 1,000 bytes were accepted where there is room for 10", name, put)
			}
			close(healthy)
			time.Sleep(time.Minute)
			synctest.Wait()
			if n := p.Stats().Acknowledged; n != 100 {
				t.Errorf("%s: %d were acknowledged", name, n)
			}
			mustClose(t, p)
		})
	}
}

func TestACallerWhoGivesUpHasPutNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newPutServer(1)
		s.fault = func(int, []types.PutRecordsRequestEntry) putFault { return putFault{code: "InternalFailure"} }
		p := startProducer(t, s, ProducerOptions{MaxBuffered: 10})
		mustPut(t, p, Record{Key: "a", Data: make([]byte, 9)})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Put(ctx, Record{Key: "b", Data: []byte("x")}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("put gives %v", err)
		}
		if err := p.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("flush gives %v", err)
		}
		if stats := p.Stats(); stats.Accepted != 1 || !strings.Contains(stats.Fault, "InternalFailure") {
			t.Errorf("stats %+v", stats)
		}
		err := p.Close(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 of 1 records were not acknowledged, and 0 of these may be in the stream") {
			t.Errorf("close gives %v", err)
		}
	})
}

func TestACancelledProducerSaysWhatIsUncertain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newPutServer(1)
		s.fault = func(call int, _ []types.PutRecordsRequestEntry) putFault { return putFault{hangs: call > 0} }
		ctx, cancel := context.WithCancel(t.Context())
		p, err := newProducer(ctx, ctx, s, testPlace, defaultRecord, ProducerOptions{MaxCalls: 1})
		if err != nil {
			t.Fatal(err)
		}
		mustPut(t, p, Record{Key: "a"}, Record{Key: "b"})
		if err := p.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		mustPut(t, p, Record{Key: "c"}, Record{Key: "d"}, Record{Key: "e"})
		time.Sleep(time.Second)
		mustPut(t, p, Record{Key: "f"})
		cancel()
		synctest.Wait()
		if err := p.Put(t.Context(), Record{Key: "g"}); !errors.Is(err, context.Canceled) {
			t.Errorf("put gives %v", err)
		}
		err = p.Close(t.Context())
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "4 of 6 records were not acknowledged, and 3 of these may be in the stream") {
			t.Errorf("close gives %v", err)
		}
		if got := p.Stats(); got.Accepted != 6 || got.Acknowledged != 2 || got.Uncertain != 3 {
			t.Errorf("stats %+v", got)
		}
	})
}

func TestWhatCanNeverBeStoredIsRefusedAndTheOthersGoOn(t *testing.T) {
	poison := "poison"
	for name, opt := range producerModes {
		synctest.Test(t, func(t *testing.T) {
			s := newPutServer(2)
			s.fault = func(_ int, records []types.PutRecordsRequestEntry) putFault {
				for _, r := range records {
					if strings.Contains(string(r.Data), poison) {
						return putFault{code: "InvalidArgumentException"}
					}
				}
				return putFault{}
			}
			refused := map[string]string{}
			opt.Refused = func(r Record, err error) {
				if !errors.Is(err, driver.ErrInvalid) {
					t.Errorf("%s: refused for %v", name, err)
				}
				refused[r.Key] = err.Error()
			}
			p := startProducer(t, s, opt)
			records := someRecords(9, 200, 20, 100)
			mustPut(t, p, records[:100]...)
			mustPut(t, p,
				Record{Key: "large", Data: make([]byte, 1<<20-4)},
				Record{Key: ""},
				Record{Key: strings.Repeat("é", 257)},
				Record{Key: "hash", ExplicitHashKey: "-1"},
				Record{Key: "bad\xff"},
				Record{Key: poison, Data: []byte(poison)})
			mustPut(t, p, records[100:]...)
			stats := mustClose(t, p)
			want := map[string]string{
				"large":                  "put a record of 1048572 bytes into kinesis://test: with its key it has 1048577 bytes, and the stream takes at most 1MiB; split it, or raise the stream's maximum record size (up to 10MiB)",
				"":                       "put a record of 0 bytes into kinesis://test: its partition key is empty; give it one",
				strings.Repeat("é", 257): "put a record of 0 bytes into kinesis://test: its partition key has 257 characters; keys have at most 256",
				"hash":                   `put a record of 0 bytes into kinesis://test: its explicit hash key "-1" is no decimal number below 2^128`,
				"bad\xff":                "put a record of 0 bytes into kinesis://test: its partition key is not UTF-8",
				poison:                   "put a record of 6 bytes into kinesis://test: InvalidArgumentException: as the test wants",
			}
			if d := cmp.Diff(want, refused); d != "" {
				t.Errorf("%s, refused (-want +got):\n%s", name, d)
			}
			got, again := byKey(s.read(t))
			if d := cmp.Diff(sortAll(wantByKey(records)), sortAll(got)); d != "" || again > 0 {
				t.Errorf("%s: %d were read again; (-put +read):\n%s", name, again, d)
			}
			if stats.Accepted != 206 || stats.Acknowledged != 200 || stats.Refused != 6 {
				t.Errorf("%s: stats %+v", name, stats)
			}
		})
	}
}

// A call that is refused for one of its records is halved, as is an aggregate, so that
// the others do not go one by one.
func TestARecordThatIsRefusedIsFoundByHalving(t *testing.T) {
	for name, opt := range producerModes {
		synctest.Test(t, func(t *testing.T) {
			s := newPutServer(1)
			s.fault = func(_ int, records []types.PutRecordsRequestEntry) putFault {
				for _, r := range records {
					if strings.Contains(string(r.Data), "poison") {
						return putFault{code: "InvalidArgumentException"}
					}
				}
				return putFault{}
			}
			refused := 0
			opt.Refused = func(Record, error) { refused++ }
			p := startProducer(t, s, opt)
			for i := range 1000 {
				data := "good"
				if i == 333 || i == 777 {
					data = "poison"
				}
				mustPut(t, p, Record{Key: fmt.Sprint(i), Data: []byte(data)})
			}
			stats := mustClose(t, p)
			// Twice the depth of the tree for each half of each, and what went well at first.
			if refused != 2 || stats.Acknowledged != 998 || len(s.calls) > 2*4*10 {
				t.Errorf("%s: %d refused in %d calls, stats %+v", name, refused, len(s.calls), stats)
			}
		})
	}
}

func TestARefusalThatNobodyHearsEndsTheProducer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startProducer(t, newPutServer(1), ProducerOptions{})
		err := p.Put(t.Context(), Record{Key: "a", Data: make([]byte, 2<<20)})
		if !errors.Is(err, driver.ErrInvalid) {
			t.Errorf("put gives %v", err)
		}
		if err := p.Close(t.Context()); !errors.Is(err, driver.ErrInvalid) {
			t.Errorf("close gives %v", err)
		}
	})
}

func TestAReasonThatConcernsEveryCallEndsTheProducer(t *testing.T) {
	for code, class := range map[string]error{
		"AccessDeniedException": driver.ErrPermission, "ResourceNotFoundException": driver.ErrNotFound, "KMSDisabledException": driver.ErrPermission,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newPutServer(1)
			s.fault = func(call int, _ []types.PutRecordsRequestEntry) putFault { return putFault{code: code} }
			p := startProducer(t, s, ProducerOptions{})
			mustPut(t, p, Record{Key: "a"}, Record{Key: "b"})
			if err := p.Flush(t.Context()); !errors.Is(err, class) {
				t.Errorf("%s: flush gives %v", code, err)
			}
			if err := p.Put(t.Context(), Record{Key: "c"}); !errors.Is(err, class) {
				t.Errorf("%s: put gives %v", code, err)
			}
			err := p.Close(t.Context())
			if !errors.Is(err, class) || !strings.HasPrefix(err.Error(), "write to kinesis://test: "+code) || !strings.HasSuffix(err.Error(), "2 of 2 records were not acknowledged, and 0 of these may be in the stream") {
				t.Errorf("%s: close gives %v", code, err)
			}
		})
	}
}

// A service that throttles most of what it gets shall get less of it.
func TestThrottlingSlowsCallsDownAndSuccessSpeedsThemUp(t *testing.T) {
	for name, opt := range producerModes {
		synctest.Test(t, func(t *testing.T) {
			s := newPutServer(1)
			throttling := true
			s.fault = func(_ int, records []types.PutRecordsRequestEntry) (f putFault) {
				if throttling {
					for range records {
						f.codes = append(f.codes, "ProvisionedThroughputExceededException")
					}
				}
				return f
			}
			p := startProducer(t, s, opt)
			records := someRecords(3, 20_000, 20_000, 50)
			mustPut(t, p, records...)
			time.Sleep(time.Minute)
			synctest.Wait()
			s.mu.Lock()
			calls := len(s.calls)
			s.mu.Unlock()
			if calls < 5 || calls > 200 {
				t.Errorf("%s: %d calls in a minute of throttling", name, calls)
			}
			throttling = false
			before := time.Now()
			stats := mustClose(t, p)
			if stats.Acknowledged != 20_000 || stats.Throttled == 0 {
				t.Errorf("%s: stats %+v", name, stats)
			}
			if took := time.Since(before); took > 90*time.Second {
				t.Errorf("%s: recovering took %s", name, took)
			}
		})
	}
}

func TestACloseWithNothingPutIsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newPutServer(1)
		p := startProducer(t, s, ProducerOptions{})
		mustClose(t, p)
		mustClose(t, p) // once more is no fault
		if len(s.calls) > 0 {
			t.Errorf("calls of %v records", s.calls)
		}
		if err := p.Put(t.Context(), Record{Key: "a"}); err == nil {
			t.Error("a closed producer accepts records")
		}
	})
}

func TestAPlainRecordThatLooksLikeAnAggregateIsWrapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a aggregate
		a.add("x", "", []byte("inner"), 1<<20)
		data := a.appendTo(nil)
		s := newPutServer(1)
		p := startProducer(t, s, ProducerOptions{Aggregate: true})
		mustPut(t, p, Record{Key: "outer", Data: data})
		mustClose(t, p)
		if d := cmp.Diff([]userRecord{{"outer", string(data)}}, s.read(t), cmp.AllowUnexported(userRecord{})); d != "" {
			t.Error(d)
		}
	})
}

func TestShardsWithoutARangeAreAnError(t *testing.T) {
	s := newPutServer(1)
	s.shards[0].HashKeyRange.StartingHashKey = aws.String("x")
	_, err := newProducer(t.Context(), t.Context(), s, testPlace, defaultRecord, ProducerOptions{Aggregate: true})
	if !errors.Is(err, driver.ErrCorrupt) {
		t.Errorf("the error is %v", err)
	}
}

// Aggregation is undone by de-aggregation, whatever the records.
func TestAggregatesAreTakenApartIntoWhatWasPacked(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 13))
	for range 300 {
		var a aggregate
		limit := 100 + rng.IntN(1<<rng.IntN(18))
		var want []userRecord
		keys := 1 + rng.IntN(300)
		for len(want) < 1000 {
			key := strings.Repeat("ключ", rng.IntN(2)*60) + fmt.Sprint(rng.IntN(keys))
			explicit := ""
			if rng.IntN(3) == 0 {
				explicit = hashKey{rng.Uint64() >> rng.IntN(64), rng.Uint64N(5)}.String()
			}
			data := make([]byte, rng.IntN(1<<rng.IntN(12)))
			for i := range data {
				data[i] = byte(rng.Uint32())
			}
			if !a.add(key, explicit, data, limit) {
				break
			}
			want = append(want, userRecord{key, string(data)})
		}
		packed := a.appendTo(nil)
		if len(packed) != a.size() || len(want) > 1 && len(packed) > limit {
			t.Fatalf("%d bytes, reckoned %d, limit %d", len(packed), a.size(), limit)
		}
		got := apart(t, storedRecord{data: packed}, wholeRange)
		if d := cmp.Diff(want, got, cmp.AllowUnexported(userRecord{})); d != "" {
			t.Fatalf("(-packed +apart):\n%s", d)
		}
		a.reset()
		if a.add("k", "", nil, 0); a.count != 1 || len(a.keys.index) != 1 {
			t.Fatal("a reset aggregate is not empty")
		}
	}
}

func TestProducersReadTheirURL(t *testing.T) {
	s := newPutServer(2)
	s.limit = 2048
	s.fault = func(call int, records []types.PutRecordsRequestEntry) putFault {
		switch call {
		case 0:
			return putFault{lost: true}
		case 1:
			return putFault{code: "InternalFailure"}
		case 2:
			return putFault{code: "ProvisionedThroughputExceededException"}
		case 3:
			return putFault{codes: slices.Repeat([]string{"InternalFailure"}, len(records))}
		}
		return putFault{}
	}
	s.serve(t)
	p, err := NewProducer(t.Context(), "kinesis://logs?aggregate=true", ProducerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !p.opt.Aggregate || p.opt.Unordered || p.Limit() != 2<<20 {
		t.Errorf("options %+v, limit %d", p.opt, p.Limit())
	}
	records := someRecords(1, 1000, 10, 3000)
	mustPut(t, p, records...)
	stats := mustClose(t, p)
	got, again := byKey(s.read(t))
	if d := cmp.Diff(wantByKey(records), got); d != "" || again == 0 {
		t.Errorf("%d were read again, (-put +read):\n%s", again, d)
	}
	if stats.Retried < 4 {
		t.Errorf("stats %+v", stats)
	}
	for url, part := range map[string]string{
		"kinesis://logs?agregate=true": "did you mean aggregate",
		"kinesis://logs?order=shard":   "one of key, none",
		"kinesis://":                   "the name of the stream is missing",
		"s3://logs":                    "scheme s3",
	} {
		if _, err := NewProducer(t.Context(), url, ProducerOptions{}); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s gives %v", url, err)
		}
	}
	if len(slices.Collect(maps.Keys(s.stored))) != 2 {
		t.Errorf("records came to %d shards", len(s.stored))
	}
}
