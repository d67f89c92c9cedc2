package iotest

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/schemas/table"
)

// outageVariable names how long an outage lasts, as 30s; a few seconds without it.
const outageVariable = "MILLRACE_OUTAGE"

const (
	usualOutage = 3 * time.Second
	patience    = 2 * time.Minute // for what is to come about, before a test says that it does not
	glance      = 10 * time.Millisecond
)

// never holds answers back for longer than a test lasts, in milliseconds.
const never = 3_600_000

// usualMemory is what a sink may hold.
const usualMemory = 64 << 20

func outage(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv(outageVariable)
	if text == "" {
		return usualOutage
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("%s: %v", outageVariable, err)
	}
	return d
}

// told counts the calls that a sink makes again, and keeps what they failed with.
type told struct {
	mu   sync.Mutex
	errs []error
}

func (r *told) watch(ctx context.Context) context.Context {
	return driver.WithRetries(ctx, func(err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.errs = append(r.errs, err)
	})
}

// of is how many of them are of a class.
func (r *told) of(class error) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, err := range r.errs {
		if errors.Is(err, class) {
			n++
		}
	}
	return n
}

// until waits for something to come about while a writer works, which ends only then.
func until(t *testing.T, what string, done <-chan error, come func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !come(); time.Sleep(glance) {
		select {
		case err := <-done:
			t.Fatalf("the writer ended, with %v, before %s", err, what)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("still not %s", what)
		}
	}
}

// ended waits for a writer.
func ended(t *testing.T, what string, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatalf("%s, the writer goes on without an end", what)
		return nil
	}
}

func throttled(t *testing.T, h SinkHarness) {
	p := h.New(t)
	rows := makeRows(40, 1, 0, 1)
	var retries told
	done := make(chan error, 1)
	end := p.Throttle(t)
	go func() { done <- p.write(retries.watch(t.Context()), "run-a", rows, 60) }()
	until(t, "three calls were throttled", done, func() bool { return retries.of(driver.ErrThrottled) >= 3 })
	end()
	if err := ended(t, "throttled no more", done); err != nil {
		t.Fatalf("after it was throttled: %v", err)
	}
	p.checkWritten(t, h.Can, "throttled for a while", rows)
}

func forbidden(t *testing.T, h SinkHarness) {
	p := h.New(t)
	before, rows := makeRows(41, 1, 0), makeRows(42, 1, 0)
	want := slices.Concat(before, rows)
	if h.Can.ReplacesDays {
		want = rows
	}
	p.mustWrite(t, "run-a", before, 100)
	end := p.Forbid(t)
	err := p.write(t.Context(), "run-b", rows, 60)
	if !errors.Is(err, driver.ErrPermission) && !errors.Is(err, driver.ErrReadOnly) {
		t.Errorf("a place that may not be written to gives %v", err)
	}
	end()
	p.mustWrite(t, "run-b", rows, 60)
	p.checkWritten(t, h.Can, "when it may be written to", want)
}

// outlasts takes the server away amid a writing: first nothing listens, then nothing
// comes back. A sink that is Whole may give up; then its run is repeated.
func outlasts(t *testing.T, h SinkHarness) {
	p := h.New(t)
	proxy := testenv.Toxiproxy(t, p.Server)
	away := p.Via(t, proxy.Addr)
	rows, half := makeRows(43, 1, 0, 1), outage(t)/2
	list := batches(rows, 60)
	var retries told
	ctx := retries.watch(t.Context())
	w, err := away.begin(ctx, "run-a", driver.SinkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range list[:3] {
		if err := w.Write(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	if f, ok := w.(interface{ Flush(context.Context) error }); ok {
		if err := f.Flush(ctx); err != nil {
			t.Fatal(err)
		}
	}
	proxy.Cut(t)
	done := make(chan error, 1)
	go func() { done <- writeTo(ctx, w, list[3:]) }()
	until(t, "a call failed", done, func() bool { return retries.of(driver.ErrUnavailable) > 0 })
	time.Sleep(half)
	proxy.Toxic(t, "timeout", map[string]any{"timeout": 0})
	proxy.Mend(t)
	time.Sleep(half)
	proxy.Heal(t, "timeout")
	err = ended(t, "with its server back", done)
	if err != nil && h.Can.Whole && errors.Is(err, driver.ErrUnavailable) {
		err = away.write(ctx, "run-a", rows, 60)
	}
	if err != nil {
		t.Fatalf("after an outage: %v", err)
	}
	p.checkWritten(t, h.Can, "through an outage", rows)
}

// holdsUp offers far more rows than fit into memory while the server does not answer.
func holdsUp(t *testing.T, h SinkHarness) {
	p := h.New(t)
	proxy := testenv.Toxiproxy(t, p.Server)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w, err := p.Via(t, proxy.Addr).begin(ctx, "run-a", driver.SinkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(ctx, batches(makeRows(44, 1, 0), 300)[0]); err != nil {
		t.Fatal(err)
	}
	proxy.Toxic(t, "latency", map[string]any{"latency": never})
	memory := cmp.Or(h.Memory, usualMemory)
	offered := 2 * memory >> 20
	var taken atomic.Int64
	done := make(chan error, 1)
	peak := testenv.PeakHeap(t, func() {
		go func() {
			for n := range offered {
				if err := w.Write(ctx, largeRows(int(n))); err != nil {
					w.Abort()
					done <- err
					return
				}
				taken.Add(1)
			}
			<-ctx.Done() // what is on disk is not part of it
			done <- w.Finish(ctx)
		}()
		for last, same := int64(-1), 0; same < 100; time.Sleep(glance) { // until it stands
			now := taken.Load()
			if same++; now != last {
				last, same = now, 0
			}
		}
	})
	t.Logf("%d MiB of rows are taken, and the heap has %d MiB more at its peak", taken.Load(), peak>>20)
	if taken.Load() == offered && !h.Can.Spills {
		t.Errorf("%d MiB of rows are taken while the server does not answer", offered)
	}
	// One batch is the suite's, and PeakHeap counts a fifth of waste.
	if peak > uint64(memory+memory/5+1<<20) {
		t.Errorf("the heap grew by %d MiB", peak>>20)
	}
	cancel()
	if err := ended(t, "cancelled while its server does not answer", done); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

// largeRows are 1 MiB of rows that do not compress, each within the limits of any
// service.
func largeRows(n int) *table.Batch {
	const size = 1 << 10
	r := rand.New(rand.NewPCG(uint64(n), 3))
	b := table.NewBatch(SinkRows)
	for i := range 1 << 20 / size {
		text := make([]byte, size)
		for j := range text {
			text[j] = 'a' + byte(r.UintN(26))
		}
		note := string(text)
		b.Append(SinkRow{At: table.Millis(n*1000 + i), Key: note[:20], Note: &note, Version: 1})
	}
	return b
}

// cancelsCalls cancels a writer that waits for the answer to a call.
func cancelsCalls(t *testing.T, h SinkHarness) {
	p := h.New(t)
	meter := testenv.NewMeter(t, p.Server)
	proxy := testenv.Toxiproxy(t, meter.Addr)
	rows := makeRows(45, 1, 0, 1)
	list := batches(rows, 100)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w, err := p.Via(t, proxy.Addr).begin(ctx, "run-a", driver.SinkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(ctx, list[0]); err != nil {
		t.Fatal(err)
	}
	proxy.Toxic(t, "latency", map[string]any{"latency": never})
	before := meter.Met().Bytes
	done := make(chan error, 1)
	go func() { done <- writeTo(ctx, w, list[1:]) }()
	until(t, "the server has answered to nobody", done, func() bool { return meter.Met().Bytes > before })
	cancel()
	if err := ended(t, "cancelled while it waits for an answer", done); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	proxy.Heal(t, "latency")
	if p.Expire != nil {
		p.Expire(t)
	}
	p.mustWrite(t, "run-a", rows, 100)
	p.checkWritten(t, h.Can, "written after all", rows)
}
