package testenv

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

// PeakHeap is how many bytes f makes the heap larger at its peak, what waits for the
// collector included. It looks about every millisecond, so it tells what lasts; the
// collector runs often meanwhile.
func PeakHeap(tb testing.TB, f func()) (peak uint64) {
	tb.Helper()
	heap := func() uint64 {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	runtime.GC()
	before := heap()
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			peak = max(peak, heap())
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	f()
	close(done)
	<-ended
	peak = max(peak, heap())
	return peak - min(before, peak)
}
