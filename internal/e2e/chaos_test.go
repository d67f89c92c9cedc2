package e2e

import (
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"millrace/internal/testenv"
	"millrace/runners/flink/cluster"
	"millrace/runners/flink/rest"
)

// Chaos is run with, from the environment: how many faults have to hit, by which
// seed they are drawn, where the report goes, and which to draw from (all).
const (
	chaosFaults = "CHAOS"
	chaosSeed   = "CHAOS_SEED"
	chaosReport = "CHAOS_REPORT"
	chaosOnly   = "CHAOS_ONLY" // names, separated by commas
)

// asked are the faults and the seed that the environment asks for, else these.
func asked(t *testing.T, wanted int, seed uint64) (int, uint64) {
	t.Helper()
	if text := os.Getenv(chaosFaults); text != "" {
		wanted = int(number(t, text))
	}
	if text := os.Getenv(chaosSeed); text != "" {
		seed = uint64(number(t, text))
	}
	return wanted, seed
}

// chaosWorld is a live job with all that it depends on, each behind something that
// can go wrong.
type chaosWorld struct {
	flink  *testenv.FlinkCluster
	gate   *testenv.KinesisGate
	s3     *testenv.S3Server
	s3gate *testenv.S3Gate

	toKinesis, toS3, toFlink, toJobManager way

	job     chaosJob
	sinks   *allSinks      // nil when rows go to the lake only
	toSinks map[string]way // by the name of the sink

	plant       string // a file that has a reader panic
	checkpoints string // a small disk, where one can be had

	run   *process
	begun time.Time
	end   time.Time // of the stream
	feed  *feed

	pace    float64       // of what is put: 1 is chaosRate
	given   int           // records of the log put
	only    []types.Shard // all records go there while it is not empty
	silent  bool          // nothing is put
	besides int           // lines put that are not of the log
	bad     int           // of these, bad rows
	late    []string      // of these, paths of late events

	largest map[string]int64 // resident bytes, at most
	state   int64            // bytes of a checkpoint, at most
	looked  int              // files of the lake found whole
}

// calmRecords are put for a run without faults.
const calmRecords = 150

// quietStart is longer than newChaosWorld takes on a machine of two cores that does
// little else. One that is slower, or busier, is given more time.
const quietStart = 24 * time.Second

// trial is who suffers what. With sinks, the job's rows go to all of them, too, and they
// must have what the lake has.
type trial struct {
	job   chaosJob
	kinds func(rng *rand.Rand) []fault // to draw from
	sinks bool
}

// hurt has a job suffer n faults. Without any, it reads what was put before it began.
// A round that was too slow says nothing: its faults do not count, and another follows.
func hurt(t *testing.T, worker string, seed uint64, n int, report *chaosLog, trial trial) {
	suffered := len(report.all)
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case tooSlow:
			t.Log("a record was put after the end of the stream, on a machine that has too much to do: this round counts for nothing")
			report.all = report.all[:suffered]
		default:
			panic(cause)
		}
	}()
	rng := rand.New(rand.NewPCG(seed, 1))
	e := newEnv(t)
	began := time.Now()
	w, disks := newChaosWorld(t, e, trial.job)
	if trial.sinks {
		w.sendTo(t, w.job.name+strconv.FormatUint(seed, 10))
	}
	took := time.Since(began)
	slow := slowness(took, quietStart)
	plan := drawFaults(rng, chosen(t, trial.kinds(rng), os.Getenv(chaosOnly), disks), n)
	whole := trial.job.calm
	for _, f := range plan {
		whole += f.fault.takes + f.lasts + 2*time.Second
	}
	whole = time.Duration(slow * float64(whole))
	t.Logf("a run of %v, %.1f times what a quiet machine needs: the cluster took %v to start", whole.Round(time.Second), slow, took.Round(time.Second))
	records := int(chaosRate * w.pace * whole.Seconds())
	if n == 0 {
		records = calmRecords
	}
	lines := w.newLines(t, e, records)
	lake, objects := "s3://"+w.s3.Bucket+"/lake", filepath.Join(w.s3.Dir, w.s3.Bucket, "lake")
	w.end = time.Now().Add(whole)
	parameters := "start=trim_horizon&until=" + w.end.UTC().Format(time.RFC3339)
	if n == 0 {
		parameters, w.end = everything, time.Now().Add(time.Hour)
		for len(w.feed.rest) > 0 {
			w.give(t, chaosBurst)
		}
	}
	args := streaming(w.job.run, "web", parameters, lake, slices.Concat(w.job.settings(t), w.job.live, []string{"--roll", "1MiB,5s"})...)
	args = onFlink(t, e, w.flink, args, "--supervise", "--worker", worker, "--flink-option", "checkpointing_interval=2000")
	e = e.with("AWS_ENDPOINT_URL_KINESIS=http://"+w.toKinesis.Addr, "AWS_ENDPOINT_URL_S3=http://"+w.toS3.Addr)
	if trial.sinks {
		e = e.with("AWS_ENDPOINT_URL_REDSHIFT_DATA=http://" + w.toSinks[houseSink].Addr)
		args = append(args, w.sinks.outputs()...)
	}
	w.run = start(t, e, args...)
	w.begun = time.Now()

	for _, f := range plan {
		if !w.within(t, f.fault.takes+f.lasts+3*time.Second, w.ready) {
			t.Logf("no time is left for %s and what follows: it comes in another run", f.name)
			break
		}
		report.add(w.suffer(t, f, rng))
		w.wholeFiles(t, objects)
	}
	for w.feeding() {
		w.tick(t)
	}
	for n == 0 && alive(w.run) {
		w.weigh(t)
		time.Sleep(100 * time.Millisecond)
	}
	r := w.run.end(t)
	if r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	w.verdict(t, e, lines, lake, objects)
	if trial.sinks {
		w.sinks.equal(t, objects, "after the faults")
	}
	if w.job.canaries {
		w.noCanaries(t, e, objects, r)
	}
	report.round(w)
}

// newChaosWorld starts all but the job. disks tells whether the checkpoints and the
// lake lie on disks of their own.
func newChaosWorld(t *testing.T, e env, job chaosJob) (w *chaosWorld, disks bool) {
	t.Helper()
	w = &chaosWorld{job: job, pace: job.pace, plant: filepath.Join(t.TempDir(), "panic"), checkpoints: e.in("checkpoints"), largest: map[string]int64{}}
	objects := e.in("objects")
	if disks = memoryDisk(t, w.checkpoints, checkpointDisk) && memoryDisk(t, objects, lakeDisk); disks {
		w.s3 = testenv.S3In(t, objects)
	} else {
		w.s3 = testenv.S3(t)
	}
	w.s3gate = testenv.NewS3Gate(t, w.s3)
	w.toS3 = newWay(t, w.s3gate.Addr)
	server := testenv.Kinesis(t)
	w.feed = &feed{server: server, stream: "web"}
	w.gate = testenv.NewKinesisGate(t, server)
	w.toKinesis = newWay(t, w.gate.Addr)
	w.toFlink = newWay(t, testenv.Switchboard(t))
	jobManager := testenv.FreeAddress(t)
	w.toJobManager = newWay(t, jobManager)
	w.flink = testenv.OwnFlink(t, func(o *cluster.Options) {
		o.TaskManagers, o.Slots, o.Checkpoints = 2, 2, "file://"+w.checkpoints
		o.Env = []string{
			"AWS_ACCESS_KEY_ID=" + testenv.AccessKey, "AWS_SECRET_ACCESS_KEY=" + testenv.SecretKey, "AWS_EC2_METADATA_DISABLED=true",
			"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
			"MILLRACE_PLANT=" + w.plant, "MILLRACE_PLANT_WAY=" + w.toFlink.Addr,
		}
		// Faults here come more often than in a year of operation.
		o.Config = map[string]string{
			"restart-strategy.exponential-delay.max-backoff":             "3s",
			"restart-strategy.exponential-delay.reset-backoff-threshold": "10s",
			"jobmanager.rpc.port":      port(t, w.toJobManager.Addr), // where TaskManagers look for it
			"jobmanager.rpc.bind-port": port(t, jobManager),
		}
	})
	return w, disks
}

func port(t *testing.T, addr string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// tick is a moment in which nothing happens but that records are put.
func (w *chaosWorld) tick(t *testing.T) {
	t.Helper()
	if !alive(w.run) {
		r := w.run.end(t)
		t.Fatalf("the run ended: %d, %s", r.code, r.stderr)
	}
	w.feedSome(t)
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

// within ticks until something holds, and tells whether it did so long before the end
// of the stream.
func (w *chaosWorld) within(t *testing.T, before time.Duration, holds func(t *testing.T) bool) bool {
	t.Helper()
	for time.Until(w.end) > before+lull {
		if holds(t) {
			return true
		}
		w.tick(t)
	}
	return false
}

// ready tells of a job that works: it has made a checkpoint that holds something, and
// records are on their way.
func (w *chaosWorld) ready(t *testing.T) bool {
	t.Helper()
	c, ok := w.checkpointing(t)
	if !ok || c.Last == nil || working(t, w.flink) == "" {
		return false
	}
	w.state = max(w.state, c.Last.Size)
	const something = 20_000 // bytes; positions alone are less
	newest := 10 * time.Second
	if w.sinks != nil {
		newest *= 2
	}
	return c.Last.Size > something && time.Since(c.Last.Triggered) < newest && w.flowing()
}

// flowing tells whether records were given a moment ago: they are in a bundle.
func (w *chaosWorld) flowing() bool { return time.Since(w.gate.Account().Last) < time.Second }

// checkpointing tells of the checkpoints of the job; not ok when none runs, or when
// the JobManager does not answer.
func (w *chaosWorld) checkpointing(t *testing.T) (rest.Checkpoints, bool) {
	t.Helper()
	jobs, err := w.flink.Client().Jobs(t.Context())
	if err != nil {
		return rest.Checkpoints{}, false
	}
	for _, job := range jobs {
		if job.State == "RUNNING" {
			c, err := w.flink.Client().Checkpoints(t.Context(), job.ID)
			return c, err == nil
		}
	}
	return rest.Checkpoints{}, false
}

// suffered is how the job took a fault.
type suffered struct {
	name      string
	missed    string // why it does not count, empty when it does
	again     int    // records given again
	recovered time.Duration
}

// toMeet is how much longer than drawn a fault lasts at most, to hit something.
const toMeet = 20 * time.Second

// suffer hits, and waits until records flow that had not been given before.
func (w *chaosWorld) suffer(t *testing.T, f drawn, rng *rand.Rand) suffered {
	t.Helper()
	for wait := time.Now().Add(f.wait); time.Now().Before(wait); {
		w.tick(t)
	}
	w.until(t, "records flow", func() bool { return w.flowing() || !w.feeding() })
	hits := func() int { return 1 }
	if f.met != nil {
		before := f.met(t, w)
		hits = func() int { return f.met(t, w) - before }
	}
	before, at := w.gate.Account(), time.Now()
	heal := f.hit(t, w, rng)
	for time.Since(at) < f.lasts || (f.lasts > 0 && hits() <= 0 && time.Since(at) < f.lasts+toMeet) {
		w.tick(t)
	}
	hit := hits() > 0
	if heal != nil {
		heal()
	}
	healed := time.Now()
	fresh := func(a testenv.Account) int { return a.Records - a.Again }
	met := w.gate.Account()
	well := false
	w.until(t, f.name+" is over", func() bool {
		now := w.gate.Account()
		again := !f.restarts || now.Again > before.Again || time.Since(healed) > time.Minute
		well = again && fresh(now) > fresh(met)
		return well || !w.feeding()
	})
	s := suffered{name: f.name, again: w.gate.Account().Again - before.Again, recovered: time.Since(healed)}
	switch {
	case !well:
		s.missed = "; the stream ended before"
	case !hit:
		s.missed = "; it hit nothing"
	case f.restarts && s.again == 0:
		s.missed = "; nothing was given again"
	}
	t.Logf("%4.0f s before the end: %s for %v; %d records again, %v until new ones%s", time.Until(w.end).Seconds(), f.name,
		healed.Sub(at).Round(100*time.Millisecond), s.again, s.recovered.Round(100*time.Millisecond), s.missed)
	return s
}
