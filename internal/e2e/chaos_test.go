//go:build chaos

package e2e

import (
	"bytes"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"millrace/internal/testenv"
	"millrace/io/lakeio"
	"millrace/runners/flink/cluster"
	group "millrace/runners/flink/process"
)

// Chaos is run with, from the environment: how many faults have to hit, by which
// seed they are drawn, where the report goes, and which to draw from (all).
const (
	chaosFaults = "CHAOS"
	chaosSeed   = "CHAOS_SEED"
	chaosReport = "CHAOS_REPORT"
	chaosOnly   = "CHAOS_ONLY"
)

// faultsARound bounds the faults of one run, so that a large number of faults is
// many runs, each compared.
const faultsARound = 25

// TestChaos hurts the weblogs job on Flink, at random moments that a seed decides,
// and compares what it has sealed with the batch job.
func TestChaos(t *testing.T) {
	wanted, seed := 25, uint64(20261121)
	if text := os.Getenv(chaosFaults); text != "" {
		wanted = int(number(t, text))
	}
	if text := os.Getenv(chaosSeed); text != "" {
		seed = uint64(number(t, text))
	}
	report := &chaosLog{seed: seed}
	defer report.write(t)
	for round := uint64(0); report.counted() < wanted && !t.Failed(); round++ {
		if round > uint64(wanted/faultsARound+3) {
			t.Fatalf("%d of %d faults hit in %d runs", report.counted(), wanted, round)
		}
		t.Run("seed "+strconv.FormatUint(seed+round, 10), func(t *testing.T) {
			hurt(t, seed+round, min(faultsARound, wanted-report.counted()), report)
		})
	}
}

// chaosWorld is a live job with all that it depends on, each behind something that
// can go wrong.
type chaosWorld struct {
	flink     *testenv.FlinkCluster
	gate      *testenv.KinesisGate
	toKinesis *testenv.Proxy
	toS3      *testenv.Proxy
	feed      *feed
	plant     string // a file that has a reader panic

	checkpoints string // a small disk, where one can be had

	run     *process
	begun   time.Time
	put     int
	bad     int    // lines put that are bad rows
	hot     string // key of all records while it is not empty
	silent  bool   // nothing is put
	largest int64  // resident bytes of a worker, at most
}

func hurt(t *testing.T, seed uint64, n int, report *chaosLog) {
	rng := rand.New(rand.NewPCG(seed, 1))
	plan := drawFaults(rng, n, os.Getenv(chaosOnly))
	e := newEnv(t)
	w := &chaosWorld{plant: filepath.Join(t.TempDir(), "panic")}
	disk, ok := smallDisk(t, e, checkpointDisk>>10)
	if !ok {
		t.Log("no disk is filled, as none can be mounted here")
		plan = slices.DeleteFunc(plan, func(f drawn) bool { return f.name == diskFull })
		disk = t.TempDir()
	}
	w.checkpoints = disk
	server := testenv.Kinesis(t)
	s3 := testenv.S3(t)
	w.gate = testenv.NewKinesisGate(t, server)
	w.toKinesis = testenv.Toxiproxy(t, w.gate.Addr)
	w.toS3 = testenv.Toxiproxy(t, s3.Addr)
	w.flink = testenv.OwnFlink(t, func(o *cluster.Options) {
		o.TaskManagers, o.Slots, o.Checkpoints = 2, 2, "file://"+w.checkpoints
		o.Env = []string{
			"AWS_ACCESS_KEY_ID=" + testenv.AccessKey, "AWS_SECRET_ACCESS_KEY=" + testenv.SecretKey, "AWS_EC2_METADATA_DISABLED=true",
			"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull, "MILLRACE_PLANT=" + w.plant,
		}
		// Faults here come more often than in a year of operation.
		o.Config = map[string]string{
			"restart-strategy.exponential-delay.max-backoff":             "3s",
			"restart-strategy.exponential-delay.reset-backoff-threshold": "10s",
		}
	})
	whole := 40 * time.Second // start and end
	for _, f := range plan {
		whole += f.fault.takes + f.lasts + 3*time.Second
	}
	w.feed = newFarm(t, e, server, "web", int(chaosRate*(whole-30*time.Second).Seconds()))
	end := time.Now().Add(whole)
	lake := "s3://" + s3.Bucket + "/lake"
	args := onFlink(t, e, w.flink, live("web", "start=trim_horizon&until="+end.UTC().Format(time.RFC3339), lake, "--raw", "plain", "--roll", "1MiB,5s"),
		"--supervise", "--worker", buildChaos(t), "--flink-option", "checkpointing_interval=2000")
	e.vars = append(e.vars, "AWS_ENDPOINT_URL_KINESIS=http://"+w.toKinesis.Addr, "AWS_ENDPOINT_URL_S3=http://"+w.toS3.Addr)
	w.run = start(t, e, args...)
	w.begun = time.Now()

	for _, f := range plan {
		w.ready(t)
		if time.Until(end) < f.fault.takes+f.lasts+5*time.Second {
			break // what is missing comes in another run
		}
		report.add(w.suffer(t, f, rng, end))
	}
	w.until(t, "all is put", func() bool { return len(w.feed.rest) == 0 })
	if !time.Now().Before(end) {
		t.Fatal("the stream was to end before it was all put")
	}
	r := w.run.end(t)
	if r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	w.verdict(t, e, s3, lake)
	report.round(w)
}

// drawn is a fault as the seed has it.
type drawn struct {
	fault
	lasts time.Duration
	wait  time.Duration // once the job is well
}

// drawFaults draws n faults. The first are one of each kind, so that few faults
// are many kinds.
func drawFaults(rng *rand.Rand, n int, only string) (plan []drawn) {
	kinds := slices.DeleteFunc(faults(), func(f fault) bool { return only != "" && !strings.Contains(only, f.name) })
	for len(plan) < n {
		f := kinds[rng.IntN(len(kinds))]
		if len(plan) < len(kinds) {
			f = kinds[len(plan)]
		}
		d := drawn{fault: f, wait: time.Duration(rng.Int64N(int64(2 * time.Second)))}
		if f.most > 0 {
			d.lasts = f.least + time.Duration(rng.Int64N(int64(f.most-f.least)))
		}
		plan = append(plan, d)
	}
	rng.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	return plan
}

// tick is a moment in which nothing happens but that records are put.
func (w *chaosWorld) tick(t *testing.T) {
	t.Helper()
	if !alive(w.run) {
		r := w.run.end(t)
		t.Fatalf("the run ended: %d, %s", r.code, r.stderr)
	}
	due := int(time.Since(w.begun).Seconds()*chaosRate) - w.put
	if n := min(due, len(w.feed.rest), chaosBurst); n > 0 && !w.silent {
		if w.hot != "" {
			for i := range w.feed.rest[:n] {
				w.feed.rest[i].Key = w.hot
			}
		}
		w.put += n
		w.feed.some(t, n)
	}
	w.weigh(t)
	time.Sleep(100 * time.Millisecond)
}

// until ticks until something holds.
func (w *chaosWorld) until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); !holds(); w.tick(t) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within three minutes; the gate has %+v", what, w.gate.Account())
		}
	}
}

// ready waits for a job that works: it has made a checkpoint that holds something,
// and records are on their way.
func (w *chaosWorld) ready(t *testing.T) {
	t.Helper()
	w.until(t, "the job works", func() bool {
		id := runningJob(t, w.flink)
		if id == "" || w.working(t) == "" {
			return false
		}
		c, err := w.flink.Client().Checkpoints(t.Context(), id)
		const something = 20_000 // bytes; positions alone are less
		return err == nil && c.Last != nil && c.Last.Size > something && time.Since(c.Last.Triggered) < 10*time.Second && w.flowing()
	})
}

// flowing tells whether records were given a moment ago: they are in a bundle.
func (w *chaosWorld) flowing() bool {
	return len(w.feed.rest) == 0 || time.Since(w.gate.Account().Last) < time.Second
}

// working names a TaskManager that has workers.
func (w *chaosWorld) working(t *testing.T) string {
	t.Helper()
	return working(t, w.flink)
}

// suffered is how the job took a fault.
type suffered struct {
	name      string
	counted   bool
	again     int // records given again
	recovered time.Duration
}

// suffer hits, and waits until records flow that had not been given before.
func (w *chaosWorld) suffer(t *testing.T, f drawn, rng *rand.Rand, end time.Time) suffered {
	t.Helper()
	for wait := time.Now().Add(f.wait); time.Now().Before(wait) || !w.flowing(); {
		w.tick(t)
	}
	before := w.gate.Account()
	at := time.Now()
	heal := f.hit(t, w, rng)
	for over := time.Now().Add(f.lasts); time.Now().Before(over); {
		w.tick(t)
	}
	if heal != nil {
		heal()
	}
	healed := time.Now()
	fresh := func(a testenv.Account) int { return a.Records - a.Again }
	met := w.gate.Account()
	w.until(t, f.name+" is over", func() bool {
		now := w.gate.Account()
		if f.restarts && now.Again == before.Again && time.Since(healed) < time.Minute {
			return false
		}
		return fresh(now) > fresh(met) || len(w.feed.rest) == 0
	})
	now := w.gate.Account()
	s := suffered{name: f.name, again: now.Again - before.Again, recovered: time.Since(healed), counted: true}
	if f.restarts {
		s.counted = s.again > 0
	}
	t.Logf("%5.0f s before the end: %s for %v; %d records again, %v until new ones", time.Until(end).Seconds(), f.name,
		healed.Sub(at).Round(100*time.Millisecond), s.again, s.recovered.Round(100*time.Millisecond))
	return s
}

// weigh notes the largest worker.
func (w *chaosWorld) weigh(t *testing.T) {
	t.Helper()
	members, err := group.Members(w.flink.Group())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if !slices.Contains(m.Args, "--worker=true") {
			continue
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", m.PID))
		if err != nil {
			continue // it has just ended
		}
		if fields := strings.Fields(string(text)); len(fields) > 1 {
			pages, _ := strconv.ParseInt(fields[1], 10, 64)
			w.largest = max(w.largest, pages*int64(os.Getpagesize()))
		}
	}
}

// mostOfAWorker is what one may take, bytes: some times what it has at rest.
const mostOfAWorker = 1 << 30

// verdict holds the lake against the batch job and against itself.
func (w *chaosWorld) verdict(t *testing.T, e env, s3 *testenv.S3Server, lake string) {
	t.Helper()
	allEnded(t, w.flink)
	noWorkers(t, w.flink)
	objects := filepath.Join(s3.Dir, s3.Bucket, "lake")
	mustRun(t, e, weblogs(lake+"/raw", e.in("batch"))...)
	same(t, objects, e.in("batch"), least(t, chaosRows))
	mustRun(t, e, weblogs(filepath.Join(e.in("farm"), "*.log"), e.in("logs"))...)
	outputs := least(t, chaosRows)
	outputs["events"] = counted{outputs["events"].least, "* EXCLUDE (event_id, source, position, sequence)"}
	outputs["sessions"] = counted{outputs["sessions"].least, "* EXCLUDE (entry_page, exit_page)"} // of pages in one second, the first by place
	delete(outputs, "bad_rows")                                                                   // some were put besides
	same(t, objects, e.in("logs"), outputs)
	want := readManifest(t, e.in("logs")).Ledger.Bad + int64(w.bad)
	if l := accounts(t, lake); l.In != int64(w.feed.lines+w.bad) || l.Bad != want || l.Late != 0 {
		t.Errorf("%d lines and %d bad ones were put, ledger %s, want %d bad", w.feed.lines, w.bad, l, want)
	}
	onlyCommitted(t, lake, objects)
	if w.largest > mostOfAWorker {
		t.Errorf("a worker took %d MiB", w.largest>>20)
	}
}

// What is put while a job suffers: records a second, and at most in a tenth of one,
// as a shard takes no more; lines of a record.
const (
	chaosRate  = 10.0
	chaosBurst = 12
	chaosLines = 100
)

// chaosRows are the fewest that a run of faults has to leave to say something.
const chaosRows = "events 30000, sessions 500, traffic 3000, top_pages 10, visitors 1, bots 2, bad_rows 10"

// newFarm is the log of a simulated server farm to be put, 50 lines to a second of
// its time, so that windows close twenty times as fast as the clock goes.
func newFarm(t *testing.T, e env, server *testenv.KinesisServer, stream string, records int) *feed {
	t.Helper()
	mustRun(t, e, "generate", "weblog", "--out", e.in("farm"), "--lines", strconv.Itoa(records*chaosLines), "--rate", "50", "--disorder", "30s")
	log := e.in("farm", "access-01.log")
	lines := slices.DeleteFunc(logLines(t, log), func(line []byte) bool { return len(line) > 1<<16 }) // a record holds no megabyte
	writeFile(t, log, append(bytes.Join(lines, []byte("\n")), '\n'))
	server.CreateStream(t, stream, 4)
	return &feed{server, stream, len(lines), together(lines, chaosLines)}
}

// onlyCommitted fails for a file that readers see and no commit names.
func onlyCommitted(t *testing.T, lake, objects string) {
	t.Helper()
	store, err := lakeio.OpenStore(t.Context(), lake)
	if err != nil {
		t.Fatal(err)
	}
	views := string(readFile(t, filepath.Join(objects, "_current", "views.sql")))
	infos, err := store.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, info := range infos {
		if strings.HasPrefix(info.Key, "_") || !strings.HasSuffix(info.Key, ".parquet") {
			continue
		}
		files++
		if !strings.Contains(views, info.Key) {
			t.Errorf("%s is there, and no commit names it", info.Key)
		}
	}
	if files == 0 {
		t.Error("the lake has no files")
	}
}

func rangeStart(t *testing.T, s types.Shard) *big.Int {
	t.Helper()
	n, ok := new(big.Int).SetString(*s.HashKeyRange.StartingHashKey, 10)
	if !ok {
		t.Fatalf("shard %s begins at %s", *s.ShardId, *s.HashKeyRange.StartingHashKey)
	}
	return n
}
