package dedup_test

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"
	"time"

	"millrace/transforms/dedup"
)

func someIDs(n int) []dedup.ID {
	ids := make([]dedup.ID, n)
	var b [8]byte
	for i := range ids {
		binary.BigEndian.PutUint64(b[:], uint64(i))
		ids[i] = dedup.IDOf(b[:])
	}
	return ids
}

func BenchmarkIDOf(b *testing.B) {
	id := []byte("0b8e6a3e-6f0e-4a53-9a3f-0f6b1d2a8c11")
	b.ReportAllocs()
	for b.Loop() {
		dedup.IDOf(id)
	}
}

// BenchmarkAdd adds events to a shard that remembers a million ids; 1 in 100 is a
// copy.
func BenchmarkAdd(b *testing.B) {
	const n = 1 << 20
	ids := someIDs(n)
	d := deduper(b, time.Hour)
	for i, id := range ids {
		d.Add(id, dedup.Order{Time: int64(i)})
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		k := i & (n - 1)
		at := dedup.Order{Time: int64(k)}
		if i%100 == 0 {
			at.Tie = 1
		}
		d.Add(ids[k], at)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkEncodeAndMerge(b *testing.B) {
	ids := someIDs(1 << 16)
	d := deduper(b, time.Hour)
	for i, id := range ids {
		d.Add(id, dedup.Order{Time: 1_700_000_000_000 + int64(i)/8, Tie: uint64(i)})
	}
	var encoded []byte
	b.ReportAllocs()
	for b.Loop() {
		encoded = d.AppendEncoded(encoded[:0])
		o := deduper(b, time.Hour)
		if err := o.Merge(encoded); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(encoded))/float64(len(ids)), "B/id")
	b.ReportMetric(float64(b.N)*float64(len(ids))/b.Elapsed().Seconds(), "ids/s")
}

// BenchmarkMemory fills 64 shards with ten million ids, 1 % of which come twice,
// and looks at the heap.
func BenchmarkMemory(b *testing.B) {
	for _, n := range []int{1_000_000, 10_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				b.StartTimer()
				shards := make([]*dedup.Deduper, 64)
				for i := range shards {
					shards[i] = deduper(b, 24*time.Hour)
				}
				var buf [8]byte
				for i := range n {
					binary.BigEndian.PutUint64(buf[:], uint64(i))
					id := dedup.IDOf(buf[:])
					d := shards[id.Shard(len(shards))]
					d.Add(id, dedup.Order{Time: int64(i)})
					if i%100 == 0 {
						d.Add(id, dedup.Order{Time: int64(i) + 500})
					}
				}
				b.StopTimer()
				runtime.GC()
				runtime.ReadMemStats(&after)
				size := 0
				for _, d := range shards {
					size += len(d.AppendEncoded(nil))
				}
				b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "B/id")
				b.ReportMetric(float64(size)/float64(n), "encoded-B/id")
				b.StartTimer()
				runtime.KeepAlive(shards)
			}
		})
	}
}
