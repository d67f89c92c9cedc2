package dedup_test

import (
	"runtime"
	"testing"
	"time"

	"millrace/transforms/dedup"
)

func TestAnIDTakesLittleMemoryAndIsForgotten(t *testing.T) {
	const n, most = 400_000, 60 // bytes of an id: 24 in a table half full, and something for what was repeated
	ids := someIDs(n)
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	d := deduper(t, time.Hour)
	for i, id := range ids {
		d.Add(id, dedup.Order{Time: int64(i)})
		if i%100 == 0 {
			d.Add(id, dedup.Order{Time: int64(i) + 1})
		}
	}
	size := heap() - before
	if t.Logf("%d ids take %d bytes, %.1f each", n, size, float64(size)/n); size > most*n {
		t.Errorf("%d bytes an id", size/n)
	}
	d.Advance(n/2 + time.Hour.Milliseconds())
	if half := heap() - before; d.Len() != n/2 || half > size*3/4 {
		t.Errorf("%d ids after half were forgotten, in %d bytes", d.Len(), half)
	}
	if d.Advance(n + 1 + time.Hour.Milliseconds()); d.Len() > 0 || heap()-before > 1<<20 {
		t.Errorf("%d ids after all were forgotten", d.Len())
	}
	runtime.KeepAlive(ids)
	runtime.KeepAlive(d)
}
