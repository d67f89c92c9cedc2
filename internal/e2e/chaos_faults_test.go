package e2e

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// fault is one way to hurt a live job.
type fault struct {
	name string
	// hit does it, and returns what takes it back, nil when nothing has to be.
	hit func(t *testing.T, w *chaosWorld, rng *rand.Rand) (heal func())
	// least and most bound how long it lasts, drawn by the seed; 0 is a moment.
	least, most time.Duration
	// restarts tells that the job has to begin again at a checkpoint, so that
	// records must be given to it again.
	restarts bool
	// met counts what faults of this kind have hit up to now. One during which it
	// does not rise has missed. nil is for faults that cannot miss a job that works.
	met func(t *testing.T, w *chaosWorld) int
	// takes is how long it takes until the job is well again, about.
	takes time.Duration
	// disk is one that it needs and that cannot be had everywhere.
	disk bool
}

// faults are all ways there are to hurt weblogs.
func faults(*rand.Rand) []fault {
	const s = time.Second
	return slices.Concat([]fault{
		{name: "worker killed", hit: killWorkers, restarts: true, takes: 8 * s},
		{name: "worker frozen", hit: freezeWorkers, least: 2 * s, most: 8 * s, takes: 5 * s},
		{name: "panic in a DoFn", hit: plantPanic, restarts: true, takes: 8 * s},
		{name: "TaskManager killed", hit: killTaskManager, restarts: true, takes: 16 * s},
		{name: "TaskManager frozen", hit: freezeTaskManager, least: 2 * s, most: 8 * s, takes: 6 * s},
		{name: "JobManager killed", hit: killJobManager, restarts: true, takes: 36 * s},
		{name: "job server killed", hit: killJobServer, least: 2 * s, most: 4 * s, takes: 6 * s},

		{name: "Kinesis throttles", hit: refusing(http.StatusBadRequest, "ProvisionedThroughputExceededException"), least: 2 * s, most: 6 * s, met: refusedByKinesis, takes: 3 * s},
		{name: "Kinesis answers 500", hit: refusing(http.StatusInternalServerError, "InternalFailure"), least: 2 * s, most: 6 * s, met: refusedByKinesis, takes: 3 * s},
		{name: "Kinesis slow", hit: slowAnswers, least: 3 * s, most: 8 * s, met: refusedByKinesis, takes: 4 * s},
		{name: "credentials for Kinesis expire", hit: refusing(http.StatusBadRequest, "ExpiredTokenException"), least: 1 * s, most: 4 * s, met: refusedByKinesis, takes: 4 * s},
		{name: "iterators expire", hit: expireIterators, least: 1 * s, most: 3 * s, met: refusedByKinesis, takes: 3 * s},
		{name: "S3 throttles", hit: refusingS3(http.StatusServiceUnavailable, "SlowDown"), least: 2 * s, most: 5 * s, met: refusedByS3, takes: 5 * s},
		{name: "S3 answers 500", hit: refusingS3(http.StatusInternalServerError, "InternalError"), least: 2 * s, most: 5 * s, met: refusedByS3, takes: 5 * s},
		{name: "credentials for S3 expire", hit: refusingS3(http.StatusBadRequest, "ExpiredToken"), least: 1 * s, most: 4 * s, met: refusedByS3, takes: 6 * s},

		{name: "shard split", hit: splitShard, takes: 2 * s},
		{name: "shards merged", hit: mergeShards, takes: 2 * s},
		{name: "shard count changed", hit: changeShardCount, takes: 3 * s},
		{name: "storm of splits and merges", hit: storm, takes: 6 * s},
		{name: "hot shard", hit: hotShard, least: 3 * s, most: 6 * s, takes: 2 * s},
		{name: "idle shard", hit: idleShard, least: 3 * s, most: 6 * s, takes: 2 * s},
		{name: "no producer", hit: pauseFeed, least: 3 * s, most: 6 * s, takes: 2 * s},
		{name: "poison record", hit: poison, takes: 2 * s},
		{name: "clock of a producer ahead", hit: clockAhead, takes: 2 * s},
		{name: "clock of a producer behind", hit: clockBehind, takes: 2 * s},

		{name: "checkpoint disk full", hit: fill(func(w *chaosWorld) string { return w.checkpoints }), least: 3 * s, most: 6 * s, met: failedCheckpoints, takes: 6 * s, disk: true},
		{name: "lake disk full", hit: fill(func(w *chaosWorld) string { return w.s3.Dir }), least: 2 * s, most: 5 * s, met: refusedByS3, takes: 6 * s, disk: true},
	}, onTheWay())
}

// drawn is a fault as the seed has it.
type drawn struct {
	fault
	lasts time.Duration
	wait  time.Duration // once the job is well
}

// drawFaults draws n faults: each kind once before one comes again.
func drawFaults(rng *rand.Rand, kinds []fault, n int) (plan []drawn) {
	for len(plan) < n {
		for _, i := range rng.Perm(len(kinds)) {
			d := drawn{fault: kinds[i], wait: time.Duration(rng.Int64N(int64(2 * time.Second)))}
			if d.most > 0 {
				d.lasts = d.least + time.Duration(rng.Int64N(int64(d.most-d.least)))
			}
			if plan = append(plan, d); len(plan) == n {
				break
			}
		}
	}
	return plan
}

// chosen are the kinds whose names are in a list, all without one, of those that can
// be had.
func chosen(t *testing.T, all []fault, only string, disks bool) (kinds []fault) {
	t.Helper()
	for _, f := range all {
		switch {
		case only != "" && !slices.Contains(strings.Split(only, ","), f.name):
		case f.disk && !disks:
			t.Logf("not done, as no disk can be mounted here: %s", f.name)
		default:
			kinds = append(kinds, f)
		}
	}
	if len(kinds) == 0 {
		t.Fatalf("there is no fault %q", only)
	}
	return kinds
}

func TestFaultsAreDrawnOnceEachBeforeOneComesAgainAndAlikeFromASeed(t *testing.T) {
	kinds := faults(nil)
	draw := func(seed uint64, n int) (names []string) {
		for _, d := range drawFaults(rand.New(rand.NewPCG(seed, 1)), kinds, n) {
			if d.lasts < d.least || d.lasts > d.most {
				t.Errorf("%s lasts %v, not %v to %v", d.name, d.lasts, d.least, d.most)
			}
			names = append(names, d.name)
		}
		return names
	}
	all := draw(1, 2*len(kinds))
	times := map[string]int{}
	for i, name := range all {
		if times[name]++; times[name] > 1 && i < len(kinds) {
			t.Errorf("%s comes again before every kind has come", name)
		}
	}
	if len(times) != len(kinds) {
		t.Errorf("%d kinds of %d: is a name given twice?", len(times), len(kinds))
	}
	if !slices.Equal(all, draw(1, 2*len(kinds))) || slices.Equal(all, draw(2, 2*len(kinds))) {
		t.Error("a seed does not decide what is drawn")
	}
}
