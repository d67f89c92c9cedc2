package e2e

import (
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"millrace/internal/testenv"
)

// These faults lie on the ways between processes: of toxiproxy, or answers of gates.

// way is one that network faults may be on: client, meter, toxiproxy, server.
type way struct {
	*testenv.Meter
	proxy *testenv.Proxy
}

func newWay(t *testing.T, server string) way {
	t.Helper()
	proxy := testenv.Toxiproxy(t, server)
	return way{testenv.NewMeter(t, proxy.Addr), proxy}
}

// aWay is one of those that faults lie on.
type aWay struct {
	name  string
	of    func(w *chaosWorld) way
	calls bool // one at a time on a connection; else they cannot be told apart
	// A worker that loses its connection to Flink is lost itself.
	restarts    bool
	reset, hole time.Duration // until the job is well again, after these
}

// onTheWay are resets, latency and a black hole on each way that every live job has.
func onTheWay() (all []fault) {
	const s = time.Second
	for _, way := range []aWay{
		{"Kinesis", func(w *chaosWorld) way { return w.toKinesis }, true, false, 4 * s, 6 * s},
		{"S3", func(w *chaosWorld) way { return w.toS3 }, true, false, 6 * s, 8 * s},
		{"worker to Flink", func(w *chaosWorld) way { return w.toFlink }, false, true, 10 * s, 14 * s},
		{"TaskManager to JobManager", func(w *chaosWorld) way { return w.toJobManager }, false, false, 20 * s, 8 * s},
	} {
		all = append(all, way.faults()...)
	}
	return all
}

// faults are those on one way.
func (way aWay) faults() []fault {
	const s = time.Second
	troubled := func(_ *testing.T, w *chaosWorld) int { return way.of(w).Met().Troubled }
	delayed, cut := troubled, troubled
	if !way.calls {
		delayed = func(_ *testing.T, w *chaosWorld) int { return int(way.of(w).Met().Bytes) } // each byte that came was held up
		cut = func(_ *testing.T, w *chaosWorld) int { return way.of(w).Met().Ended }
	}
	reset := fault{name: way.name + ": connections reset", hit: toxic(way.of, "reset_peer", map[string]any{"timeout": 0}), least: 1 * s, most: 4 * s, met: cut, restarts: way.restarts, takes: way.reset}
	late := fault{name: way.name + ": latency", hit: toxic(way.of, "latency", map[string]any{"latency": 700, "jitter": 300}), least: 3 * s, most: 8 * s, met: delayed, takes: 4 * s}
	// What comes meanwhile is lost, and the connection with it once that is over. A
	// JobManager and its TaskManagers are never silent for so long.
	hole := fault{name: way.name + ": black hole", hit: toxic(way.of, "timeout", map[string]any{"timeout": 0}), least: 3 * s, most: 8 * s, restarts: way.restarts, takes: way.hole}
	if way.calls {
		hole.met = troubled
	}
	return []fault{reset, late, hole}
}

func toxic(on func(w *chaosWorld) way, kind string, attributes map[string]any) func(*testing.T, *chaosWorld, *rand.Rand) func() {
	return func(t *testing.T, w *chaosWorld, _ *rand.Rand) func() {
		t.Helper()
		on(w).proxy.Toxic(t, kind, attributes)
		return func() { on(w).proxy.Heal(t, kind) }
	}
}

func refusing(status int, kind string) func(*testing.T, *chaosWorld, *rand.Rand) func() {
	return func(_ *testing.T, w *chaosWorld, _ *rand.Rand) func() {
		w.gate.Refuse(func(call string, _ time.Time) *testenv.Refusal {
			if call != "GetRecords" {
				return nil
			}
			return &testenv.Refusal{Status: status, Type: kind}
		})
		return func() { w.gate.Refuse(nil) }
	}
}

func expireIterators(_ *testing.T, w *chaosWorld, _ *rand.Rand) func() {
	from := time.Now()
	w.gate.Refuse(func(call string, issued time.Time) *testenv.Refusal {
		if call != "GetRecords" || !issued.Before(from) {
			return nil
		}
		return &testenv.Refusal{Status: http.StatusBadRequest, Type: "ExpiredIteratorException"}
	})
	return func() { w.gate.Refuse(nil) }
}

func slowAnswers(_ *testing.T, w *chaosWorld, rng *rand.Rand) func() {
	w.gate.Delay(time.Second + time.Duration(rng.Int64N(int64(2*time.Second))))
	return func() { w.gate.Delay(0) }
}

// refusedByKinesis are calls that the gate has refused or held up.
func refusedByKinesis(_ *testing.T, w *chaosWorld) int { return w.gate.Account().Refused }

func refusingS3(status int, kind string) func(*testing.T, *chaosWorld, *rand.Rand) func() {
	return func(_ *testing.T, w *chaosWorld, _ *rand.Rand) func() {
		w.s3gate.Refuse(&testenv.Refusal{Status: status, Type: kind})
		return func() { w.s3gate.Refuse(nil) }
	}
}

// refusedByS3 are calls that the gate, or the server itself, has refused.
func refusedByS3(_ *testing.T, w *chaosWorld) int { return w.s3gate.Refused() }
