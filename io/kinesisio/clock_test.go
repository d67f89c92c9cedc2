package kinesisio

import (
	"math"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"millrace/io/driver"
	"millrace/schemas/record"
)

// clockedServer is a server with a clock that moves when the test says so.
func clockedServer(t *testing.T, shards int) (*getServer, *atomic.Int64) {
	server := newGetServer(t, shards)
	now := new(atomic.Int64)
	now.Store(1_700_000_000_000)
	server.tick = func() time.Time { return time.UnixMilli(now.Load()) }
	return server, now
}

func openClocked(t *testing.T, server *getServer, opt driver.StreamOptions) *Stream {
	s := openQuick(t, "", opt)
	s.now = server.tick
	return s
}

func TestTheClockClosesARollAtTheTip(t *testing.T) {
	server, now := clockedServer(t, 1)
	begun := now.Load()
	sequence := record.Sequence(server.put(0, begun, []byte("1")))
	r := startReader(t, openClocked(t, server, driver.StreamOptions{RollEvery: time.Minute}))
	readLines(t, r, 1)
	now.Store(begun + (time.Minute + rollGrace).Milliseconds())
	server.mu.Lock()
	tips := server.calls["GetRecords"]
	server.mu.Unlock()
	nextUntil(t, r, func(b *record.Block) bool {
		if b != nil {
			t.Fatalf("at the end of the grace there is %+v", b)
		}
		server.mu.Lock()
		defer server.mu.Unlock()
		return server.calls["GetRecords"] > tips+5
	})
	now.Add(1)
	nextUntil(t, r, func(b *record.Block) bool {
		if b == nil {
			return false
		}
		if b.Close == nil || len(b.Ends) != 0 || !b.Close.Same(record.Close{Records: 1, First: sequence, Last: sequence, FirstArrival: begun, LastArrival: begun}) {
			t.Errorf("the roll is closed by %+v, %+v", b, b.Close)
		}
		return true
	})
	// The next record begins another, as it does for one who reads both at once.
	next := record.Sequence(server.put(0, now.Load(), []byte("2")))
	nextUntil(t, r, func(b *record.Block) bool {
		if b == nil {
			return false
		}
		if _, first, _ := record.ParseRoll(b.Roll); first != next || b.Close != nil {
			t.Errorf("the next block is %+v", b)
		}
		return true
	})
}

func TestIdleShardsHoldTheWatermarkOrNot(t *testing.T) {
	for _, hold := range []bool{true, false} {
		server, now := clockedServer(t, 2)
		begun := now.Load()
		opt := driver.StreamOptions{MaxDisorder: time.Minute, AllowedLateness: time.Second, IdleAfter: 30 * time.Second}
		if hold {
			opt.IdleAfter = 0
		}
		text := func(ms int64) []byte { return strconv.AppendInt(nil, ms, 10) }
		server.put(0, begun, text(begun-5))
		r := startReader(t, openClocked(t, server, opt))
		readLines(t, r, 1)
		if r.Watermark() != math.MinInt64 {
			t.Fatal("a shard without records does not hold")
		}
		tipSeen(t, r, server)
		now.Add(29_000)
		server.put(0, now.Load(), text(now.Load()-5))
		readLines(t, r, 1)
		if r.Watermark() != math.MinInt64 {
			t.Fatal("a shard that is not idle yet does not hold")
		}
		now.Add(1500)
		tipSeen(t, r, server)
		want := begun + 29_000 - 5 - 61_000
		if hold {
			want = math.MinInt64
		}
		if got := r.Watermark(); got != want || hold == idleShard(r, "shardId-000000000001") {
			t.Fatalf("the watermark is %d, not %d; %+v", got, want, r.Status())
		}
		if hold {
			continue
		}
		// When all are idle it goes on at a distance.
		now.Add(60_000)
		tipSeen(t, r, server)
		if got, want := r.Watermark(), now.Load()-60_000-30_000-1000; got != want {
			t.Fatalf("the watermark of idle shards is %d, not %d", got, want)
		}
		// One that wakes has the reader's time: what lies before it is late.
		mark := r.Watermark()
		server.put(1, now.Load(), []byte(string(text(mark-7))+"\n"+string(text(mark))))
		nextUntil(t, r, func(b *record.Block) bool {
			if b == nil {
				return false
			}
			if !slices.Equal(b.Behind, []int64{7, 0}) {
				t.Errorf("the records behind the watermark and at it are late by %v", b.Behind)
			}
			return true
		})
	}
}

func idleShard(r driver.StreamReader, shard string) bool {
	for _, s := range r.Status() {
		if s.Shard == shard {
			return s.Idle
		}
	}
	return false
}

// tipSeen waits until every shard was asked again and had nothing.
func tipSeen(t *testing.T, r driver.StreamReader, server *getServer) {
	t.Helper()
	server.mu.Lock()
	calls := server.calls["GetRecords"]
	server.mu.Unlock()
	nextUntil(t, r, func(b *record.Block) bool {
		if b != nil && len(b.Ends) > 0 {
			t.Fatal("there was something")
		}
		server.mu.Lock()
		defer server.mu.Unlock()
		return server.calls["GetRecords"] > calls+20
	})
}

func TestReadingAheadStopsWhenNobodyAsks(t *testing.T) {
	server, now := clockedServer(t, 2)
	r := startReader(t, openClocked(t, server, driver.StreamOptions{}))
	tipSeen(t, r, server)
	now.Add(patience.Milliseconds())
	// The calls that are under way end, and no others follow.
	last, same := -1, 0
	for same < 20 {
		time.Sleep(5 * time.Millisecond)
		server.mu.Lock()
		calls := server.calls["GetRecords"]
		server.mu.Unlock()
		if same++; calls != last {
			last, same = calls, 0
		}
	}
	server.mu.Lock()
	server.expired = server.issued
	server.mu.Unlock()
	putNumbers(server, 0, 3)
	readLines(t, r, 3)
}

func TestCallsKeepToTheLimitsOfAShard(t *testing.T) {
	p := pacer{every: 200 * time.Millisecond, rate: 2 << 20}
	begun := time.Unix(1_700_000_000, 0)
	for _, test := range []struct {
		bytes int
		pause time.Duration
	}{{0, 200 * time.Millisecond}, {1 << 20, 500 * time.Millisecond}, {10 << 20, 5 * time.Second}} {
		p.spend(begun, test.bytes)
		if got := p.next.Sub(begun); got != test.pause {
			t.Errorf("after %d bytes the pause is %v, not %v", test.bytes, got, test.pause)
		}
	}
	for range 10 {
		p.refused()
	}
	if p.spend(begun, 0); p.next.Sub(begun) != maxPaceFactor*p.every {
		t.Errorf("after refusals the pause is %v", p.next.Sub(begun))
	}
	for range 20 {
		p.allowed()
	}
	if p.spend(begun, 0); p.next.Sub(begun) != p.every {
		t.Errorf("after calls that were not refused the pause is %v", p.next.Sub(begun))
	}
	for failures := range 20 {
		if d := retryPause(failures); d <= 0 || d > 30*time.Second {
			t.Errorf("after %d failures the pause is %v", failures, d)
		}
	}
}
