package e2e

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"millrace/internal/testenv/redshift"
)

// sendTo starts the sinks, each behind a way of its own. The search node has the rows of
// other tests, too: prefix keeps them apart.
func (w *chaosWorld) sendTo(t *testing.T, prefix string) {
	t.Helper()
	w.pace = 0.3                                              // four sinks more share the machine
	names := []string{searchSink, influxSink, timestreamSink} // in the order in which newSinks asks
	w.toSinks = map[string]way{}
	w.sinks = newSinks(t, prefix, w.s3, func(server string) string {
		way := newWay(t, server)
		w.toSinks[names[len(w.toSinks)]] = way
		return way.Addr
	}, w.job.sent)
	w.toSinks[houseSink] = newWay(t, w.sinks.api.Addr)
}

// ofSinks are the faults of sinks, and those of a live job that make rows come again.
func ofSinks(*rand.Rand) []fault {
	return slices.Concat(waysToSinks(), sinksThemselves(), named("worker killed", "TaskManager killed", "panic in a DoFn", "S3: connections reset"))
}

// sortsOfStreams are faults of processes, of the ways to the stream and the lake, and of the
// stream, those that hardly ever miss.
func sortsOfStreams() [][]fault {
	return [][]fault{
		named("worker killed", "TaskManager killed", "panic in a DoFn"),
		named("Kinesis throttles", "Kinesis: connections reset", "S3: connections reset"),
		named("shard split", "hot shard", "poison record"),
	}
}

// oneOfEach draws one of each sort of streams, of the ways to sinks and of sinks.
func oneOfEach(rng *rand.Rand) (drawn []fault) {
	for _, sort := range append(sortsOfStreams(), waysToSinks(), sinksThemselves()) {
		drawn = append(drawn, sort[rng.IntN(len(sort))])
	}
	return drawn
}

// named are faults of weblogs that any job can suffer.
func named(names ...string) (some []fault) {
	for _, f := range faults(nil) {
		if slices.Contains(names, f.name) {
			some = append(some, f)
		}
	}
	return some
}

func waysToSinks() (all []fault) {
	const s = time.Second
	for _, name := range []string{searchSink, influxSink, timestreamSink, houseSink} {
		all = append(all, aWay{name, func(w *chaosWorld) way { return w.toSinks[name] }, true, false, 4 * s, 6 * s}.faults()...)
	}
	return all
}

func sinksThemselves() []fault {
	const s = time.Second
	return []fault{
		{name: "OpenSearch refuses for its load", hit: breakSearch, least: 2 * s, most: 5 * s, takes: 4 * s},
		{name: "Redshift throttles", hit: disturbHouse(redshift.Fault{Type: "ThrottlingException", Status: http.StatusBadRequest}), least: 2 * s, most: 5 * s, takes: 4 * s},
		{name: "Redshift's answers are lost", hit: disturbHouse(redshift.Fault{Lose: true}), least: 2 * s, most: 5 * s, takes: 4 * s},
	}
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
