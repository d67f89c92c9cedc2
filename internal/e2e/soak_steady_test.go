//go:build soak

package e2e

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"millrace/internal/operate"
	"millrace/internal/testenv"
	"millrace/runners/flink/cluster"
)

// What is played: a farm whose time goes faster than the clock, so that windows and
// sessions close all the time and an outage of minutes is a backlog of an hour.
const (
	soakSpeed = 20   // seconds of event time in one of the clock
	soakRate  = 1000 // lines a second of the clock
)

// soakFor is for how long it is played: $SOAK_FOR, or half an hour.
func soakFor(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("SOAK_FOR")
	if text == "" {
		return 30 * time.Minute
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 15*time.Minute {
		t.Fatalf("SOAK_FOR=%s: want 15m or more", text)
	}
	return d
}

// TestASteadyJobStaysAsItIs plays a farm for long, into a stream of which some shards
// never have a record, stops the job for an hour of event time in the middle, and looks
// at memory, checkpoints and watermark all the while.
func TestASteadyJobStaysAsItIs(t *testing.T) {
	const shards, servers = 8, 3 // a server's lines go to one shard
	server := testenv.Kinesalite(t)
	f := testenv.OwnFlink(t, func(o *cluster.Options) { o.Slots = 2 })
	e := newEnv(t)
	lake := e.in("lake")
	server.CreateStream(t, "web", shards)
	const startUp, windUp = time.Minute, 3 * time.Minute
	outage := time.Hour / soakSpeed
	length := soakFor(t)
	end := time.Now().Add(startUp + length + windUp)
	p := start(t, e, onFlink(t, e, f, live("web", "start=trim_horizon&until="+end.UTC().Format(time.RFC3339), lake, "--idle", "advance-after=30s"),
		"--flink-option", "checkpointing_interval=10000")...)
	farm := start(t, e, "generate", "weblog", "--to", "kinesis://web", "--rate", strconv.Itoa(soakRate)+"/s", "--speed", strconv.Itoa(soakSpeed),
		"--for", (startUp + length).String(), "--servers", strconv.Itoa(servers), "--start", "2026-03-02", "--out", e.in("farm"))

	watch := &soakWatch{f: f, e: e, p: p, from: time.Now()}
	watch.until(t, time.Now().Add(startUp+length/2), soakLag)
	// The farm plays on while the job stands.
	mustRun(t, e, "stop", "weblogs", "--flink-master", f.Master())
	if r := p.end(t); r.code != 0 {
		t.Fatalf("the stopped run: exit code %d: %s", r.code, r.stderr)
	}
	t.Logf("stopped for %v: an hour's backlog", outage)
	time.Sleep(outage)
	watch.p = start(t, e, "resume", "weblogs", "--attach", "--progress", "none")
	watch.until(t, time.Now().Add(length/6), 0)
	watch.until(t, end.Add(-windUp), soakLag)
	if r := farm.end(t); r.code != 0 {
		t.Fatalf("the farm: exit code %d: %s", r.code, r.stderr)
	}
	if r := watch.p.end(t); r.code != 0 {
		t.Fatalf("the resumed run: exit code %d: %s", r.code, r.stderr)
	}
	watch.report(t)
	watch.flat(t)

	allEnded(t, f)
	noWorkers(t, f)
	mustRun(t, e, weblogs(lake+"/raw", e.in("batch"))...)
	same(t, lake, e.in("batch"), least(t, "events 200000, sessions 1000, traffic 10000, top_pages 20, visitors 1, bots 5, bad_rows 10"))
	var truth struct{ Lines, Events, Bad int64 }
	readJSON(t, e.in("farm", "truth.json"), &truth)
	if l := accounts(t, lake); l.In < truth.Lines || l.Events < truth.Events || l.Late != 0 {
		t.Errorf("%d lines and %d events were played, ledger %s; want all and none late", truth.Lines, truth.Events, l)
	}
}

// soakLag is how far, in event time, the watermark of a job that is not working off a
// backlog may be behind the farm: --max-disorder, the idle shards, a call of the
// source and a bundle, all twenty times as long as by the clock.
const soakLag = 25 * time.Minute

// soakWatch looks at a job.
type soakWatch struct {
	f       *testenv.FlinkCluster
	e       env
	p       *process
	from    time.Time
	samples []soakSample
}

type soakSample struct {
	after           time.Duration
	worker, manager int64 // bytes resident
	checkpoint      int64 // bytes
	behind          time.Duration
	watermark       time.Time
}

// until samples until a time. lag, unless 0, bounds how far the watermark may be
// behind the farm's time, once there is one.
func (w *soakWatch) until(t *testing.T, end time.Time, lag time.Duration) {
	t.Helper()
	for ; time.Now().Before(end); time.Sleep(5 * time.Second) {
		if !alive(w.p) {
			r := w.p.end(t)
			t.Fatalf("the run ended: %d, %s", r.code, r.stderr)
		}
		if runningJob(t, w.f) == "" {
			continue // it is being submitted
		}
		status, _ := statusOf(t, w.e, w.f)
		if status.State != "RUNNING" || status.Watermark == nil || status.Checkpoints.Size == nil {
			continue
		}
		s := w.sample(t, status)
		w.samples = append(w.samples, s)
		if lag > 0 && s.behind > lag {
			t.Errorf("after %v the watermark is %v behind the farm, want %v at most", s.after.Round(time.Second), s.behind.Round(time.Second), lag)
		}
	}
}

func (w *soakWatch) sample(t *testing.T, status operate.Status) soakSample {
	t.Helper()
	s := soakSample{after: time.Since(w.from), checkpoint: *status.Checkpoints.Size, watermark: *status.Watermark}
	farm := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).Add(s.after * soakSpeed)
	s.behind = farm.Sub(s.watermark)
	managers, err := w.f.TaskManagers()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range managers {
		s.manager += resident(m.PID)
		for _, pid := range m.Workers {
			s.worker += resident(pid)
		}
	}
	return s
}

// report shows ten of the samples.
func (w *soakWatch) report(t *testing.T) {
	t.Helper()
	if len(w.samples) < 20 {
		t.Fatalf("%d samples say nothing", len(w.samples))
	}
	var b strings.Builder
	b.WriteString("| after | worker MiB | TaskManager MiB | checkpoint kB | watermark behind, event time |\n|---:|---:|---:|---:|---:|\n")
	const rows = 10
	for i := range rows + 1 {
		s := w.samples[i*(len(w.samples)-1)/rows]
		fmt.Fprintf(&b, "| %v | %d | %d | %d | %v |\n", s.after.Round(time.Second), s.worker>>20, s.manager>>20, s.checkpoint/1000, s.behind.Round(time.Second))
	}
	t.Log("\n" + b.String())
	if name := os.Getenv("SOAK_REPORT"); name != "" {
		if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
			t.Error(err)
		}
	}
}

// flat fails for what grows: the median of the last third of the samples is held
// against that of the third before. A worker's caches fill up to their bounds, and the
// runner keeps some of each return of a reader (docs/adr/0006), so some growth is known.
func (w *soakWatch) flat(t *testing.T) {
	t.Helper()
	third := len(w.samples) / 3
	median := func(samples []soakSample, of func(soakSample) int64) int64 {
		var all []int64
		for _, s := range samples {
			all = append(all, of(s))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	for _, c := range []struct {
		name  string
		of    func(soakSample) int64
		known int64 // bytes of growth
	}{
		{"workers", func(s soakSample) int64 { return s.worker }, 96 << 20},
		{"TaskManager", func(s soakSample) int64 { return s.manager }, 256 << 20},
		{"checkpoints", func(s soakSample) int64 { return s.checkpoint }, 8 << 20},
	} {
		before, last := median(w.samples[third:2*third], c.of), median(w.samples[2*third:], c.of)
		t.Logf("%s: median of the second third %d kB, of the last %d kB", c.name, before/1000, last/1000)
		if last > before+before/4+c.known {
			t.Errorf("%s grew from %d to %d bytes", c.name, before, last)
		}
	}
}
