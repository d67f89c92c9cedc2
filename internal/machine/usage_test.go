package machine_test

import (
	"os"
	"runtime"
	"testing"
	"time"

	"millrace/internal/machine"
)

func TestUsageGrowsWithWhatAProcessDoes(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc")
	}
	before := machine.UsageOf(os.Getpid())
	// As long as it takes: a busy machine may give us little.
	for n := 0; machine.UsageOf(os.Getpid()).CPU < before.CPU+20*time.Millisecond; n++ {
		if n > 10_000_000 {
			t.Fatal("no time is counted")
		}
	}
	if before.RSS < 1<<20 {
		t.Errorf("%d bytes are resident", before.RSS)
	}
	if u := machine.UsageOf(1 << 30); u != (machine.Usage{}) {
		t.Errorf("a process that is not there has taken %+v", u)
	}
}

func TestThePeakOfTheHeapIsSeen(t *testing.T) {
	var kept []byte
	peak := machine.PeakHeap(func() {
		kept = make([]byte, 32<<20)
		time.Sleep(20 * time.Millisecond) // it looks every millisecond
	})
	if peak < uint64(len(kept))-1<<20 || peak > 64<<20 { // what else was there may go meanwhile
		t.Errorf("32 MiB are seen as %d bytes", peak)
	}
}

func TestTheMedianIsInTheMiddle(t *testing.T) {
	for want, list := range map[float64][]float64{2: {3, 1, 2}, 2.5: {4, 1, 3, 2}, 7: {7}} {
		if got := machine.Median(list); got != want {
			t.Errorf("of %v it is %v, want %v", list, got, want)
		}
	}
}
