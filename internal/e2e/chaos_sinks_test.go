package e2e

import (
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"millrace/internal/testenv/redshift"
)

// Names of the sinks that can be hurt, and the prefix of their indexes and tables.
const (
	searchSink, influxSink, timestreamSink, houseSink = "OpenSearch", "InfluxDB", "Timestream", "Redshift"

	chaosPrefix = "chaos"
)

// TestSinksSurviveFaults sends what the live job on Flink makes to all sinks at once and
// hurts these, what lies between, and the workers: ten faults, or as many as CHAOS says.
// Every sink has the rows of the lake then.
func TestSinksSurviveFaults(t *testing.T) {
	wanted, seed := 10, uint64(20261128)
	if text := os.Getenv(chaosFaults); text != "" {
		wanted = int(number(t, text))
	}
	if text := os.Getenv(chaosSeed); text != "" {
		seed = uint64(number(t, text))
	}
	worker := buildChaos(t)
	report := &chaosLog{seed: seed}
	defer report.tell(t)
	for round := uint64(0); report.counted() < wanted && !t.Failed(); round++ {
		if round == 4 {
			t.Fatalf("%d of %d faults hit in %d runs", report.counted(), wanted, round)
		}
		t.Run("seed "+strconv.FormatUint(seed+round, 10), func(t *testing.T) {
			hurt(t, worker, seed+round, wanted-report.counted(), report, ofSinks(), true)
		})
	}
}

// sendTo starts the sinks, each behind a way of its own.
func (w *chaosWorld) sendTo(t *testing.T) {
	t.Helper()
	w.pace = 0.3                                              // four sinks more share the machine
	names := []string{searchSink, influxSink, timestreamSink} // in the order in which newSinks asks
	w.toSinks = map[string]way{}
	w.sinks = newSinks(t, chaosPrefix, w.s3, func(server string) string {
		way := newWay(t, server)
		w.toSinks[names[len(w.toSinks)]] = way
		return way.Addr
	})
	w.toSinks[houseSink] = newWay(t, w.sinks.api.Addr)
}

// ofSinks are the faults of sinks, and those of a live job that make rows come again.
func ofSinks() (all []fault) {
	const s = time.Second
	for _, name := range []string{searchSink, influxSink, timestreamSink, houseSink} {
		all = append(all, aWay{name, func(w *chaosWorld) way { return w.toSinks[name] }, true, false, 4 * s, 6 * s}.faults()...)
	}
	all = append(all,
		fault{name: "OpenSearch refuses for its load", hit: breakSearch, least: 2 * s, most: 5 * s, takes: 4 * s},
		fault{name: "Redshift throttles", hit: disturbHouse(redshift.Fault{Type: "ThrottlingException", Status: http.StatusBadRequest}), least: 2 * s, most: 5 * s, takes: 4 * s},
		fault{name: "Redshift's answers are lost", hit: disturbHouse(redshift.Fault{Lose: true}), least: 2 * s, most: 5 * s, takes: 4 * s},
	)
	again := []string{"worker killed", "TaskManager killed", "panic in a DoFn", "S3: connections reset"}
	for _, f := range faults() {
		if slices.Contains(again, f.name) {
			all = append(all, f)
		}
	}
	return all
}

// breakSearch has the node refuse calls, as it does when it has no memory for them.
func breakSearch(t *testing.T, w *chaosWorld, _ *rand.Rand) func() {
	t.Helper()
	const limit = "network.breaker.inflight_requests.limit"
	w.sinks.search.Set(t, limit, "1kb")
	return func() { w.sinks.search.Set(t, limit, nil) }
}

func disturbHouse(f redshift.Fault) func(*testing.T, *chaosWorld, *rand.Rand) func() {
	return func(_ *testing.T, w *chaosWorld, _ *rand.Rand) func() {
		w.sinks.api.Disturb(func(string) *redshift.Fault { return &f })
		return func() { w.sinks.api.Disturb(nil) }
	}
}
