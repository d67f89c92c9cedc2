package machine

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process has taken.
type Usage struct {
	CPU time.Duration // user and system, all threads
	RSS int64         // bytes, now
}

// tick is the unit of times in /proc, on every Linux that Go knows.
const tick = 10 * time.Millisecond

// UsageOf reads /proc; nothing of a process that has ended, or on other systems.
func UsageOf(pid int) (u Usage) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u
	}
	// The name may hold anything; behind it, fields are numbered from 3.
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	number := func(field int) (n int64) {
		if len(fields) > field-3 {
			n, _ = strconv.ParseInt(fields[field-3], 10, 64)
		}
		return n
	}
	u.CPU = time.Duration(number(14)+number(15)) * tick
	u.RSS = number(24) * int64(os.Getpagesize())
	return u
}

// PeakHeap is how many bytes f makes the heap larger at its peak, what waits for the
// collector included. It looks about every millisecond, so it tells what lasts; the
// collector runs often meanwhile, which costs time.
func PeakHeap(f func()) (peak uint64) {
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

// Median is the middle value, the mean of both when there are two.
func Median(list []float64) float64 {
	s := slices.Sorted(slices.Values(list))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
