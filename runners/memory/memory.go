// Package memory sets the garbage collector for runs in this process. It knows no
// Beam.
package memory

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Below the soft limit the collector waits until the heap is three times what
// lives; at the limit it works harder. The limit is at least softLimit and
// at least five quarters of what lives, so that the collector of a run that
// needs more has room to work. A run has a gibibyte: with a limit of 640 MiB, one of 2,000,000
// lines of many visitors spent a sixth of its time collecting; with this one it peaks at 915 MiB.
const (
	gcPercent = 200
	softLimit = 864 << 20
	lookEvery = 200 * time.Millisecond
)

// Tune sets the collector for a run; undo restores it. What the user has set in
// the environment stands.
func Tune() (undo func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	hugePages()
	percent, limit := debug.SetGCPercent(gcPercent), debug.SetMemoryLimit(softLimit)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		followLive(stop)
	}()
	return func() {
		close(stop)
		<-stopped
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}

// followLive lets the limit follow what lives.
func followLive(stop <-chan struct{}) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	for now := int64(softLimit); ; {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		metrics.Read(live)
		if limit := limitFor(int64(live[0].Value.Uint64())); limit != now { //nolint:gosec // bytes of memory
			now = limit
			debug.SetMemoryLimit(limit)
		}
	}
}

func limitFor(live int64) int64 { return max(softLimit, live+live/4) }
