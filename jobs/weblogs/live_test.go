package weblogs_test

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"sort"
	"sync"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/mtime"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/sdf"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/rtrackers/offsetrange"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/jobs/weblogs"
	"millrace/runners/flink"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/transforms"
)

func init() {
	beam.RegisterType(reflect.TypeFor[scriptFn]())
	beam.RegisterType(reflect.TypeFor[collectFn]())
	register.Emitter1[record.Block]()
}

// step is what a scripted source does in one call: give blocks, then move the
// watermark.
type step struct {
	Blocks    []record.Block // their lists of numbers do not come along
	Watermark int64          // Unix milliseconds
}

// script tells the sealed and the provisional rows apart: the first visit closes
// while the second is open.
func script() []step {
	all := blocks()
	return []step{
		{all[:1], ms - 1000},
		{all[1:2], ms + 20_000},
		{all[2:], ms + 1_830_000},
		{nil, ms + 1_900_000},
		{nil, endOfScript},
	}
}

// endOfScript is a watermark behind the ends of all windows.
var endOfScript = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// source plays steps to a pipeline.
func source(s beam.Scope, steps []step) beam.PCollection {
	b, err := json.Marshal(steps)
	must(err)
	return beam.ParDo(s, &scriptFn{Script: b}, beam.Create(s, []byte("script")))
}

// scriptFn plays a script, a step a call, as a live source does: it asks for its
// next call after a second, and goes on when the script is over.
type scriptFn struct{ Script []byte }

func (fn *scriptFn) CreateInitialRestriction([]byte) offsetrange.Restriction {
	return offsetrange.Restriction{Start: 0, End: 1 << 40}
}

func (fn *scriptFn) SplitRestriction(_ []byte, r offsetrange.Restriction) []offsetrange.Restriction {
	return []offsetrange.Restriction{r}
}

func (fn *scriptFn) RestrictionSize([]byte, offsetrange.Restriction) float64 { return 1 }

func (fn *scriptFn) CreateTracker(r offsetrange.Restriction) *sdf.LockRTracker {
	return sdf.NewLockRTracker(callTracker{offsetrange.NewTracker(r)})
}

// callTracker splits what was done from what is to be done, and nothing else.
type callTracker struct{ *offsetrange.Tracker }

func (t callTracker) TrySplit(fraction float64) (primary, residual any, err error) {
	if fraction > 0 {
		return t.GetRestriction(), nil, nil
	}
	return t.Tracker.TrySplit(0)
}

func (t callTracker) IsBounded() bool { return false }

func (fn *scriptFn) InitialWatermarkEstimatorState(beam.EventTime, offsetrange.Restriction, []byte) int64 {
	return mtime.MinTimestamp.Milliseconds()
}

func (fn *scriptFn) CreateWatermarkEstimator(ms int64) *sdf.ManualWatermarkEstimator {
	e := &sdf.ManualWatermarkEstimator{}
	e.UpdateWatermark(mtime.FromMilliseconds(ms).ToTime())
	return e
}

func (fn *scriptFn) WatermarkEstimatorState(e *sdf.ManualWatermarkEstimator) int64 {
	return mtime.FromTime(e.CurrentWatermark()).Milliseconds()
}

// callsAfter is how many calls follow the script before the source ends: timers
// that are still to ring when it does may not.
const callsAfter = 3

func (fn *scriptFn) ProcessElement(_ context.Context, we *sdf.ManualWatermarkEstimator, rt *sdf.LockRTracker, _ []byte, emit func(record.Block)) (sdf.ProcessContinuation, error) {
	var steps []step
	if err := json.Unmarshal(fn.Script, &steps); err != nil {
		return sdf.StopProcessing(), err
	}
	r := rt.GetRestriction().(offsetrange.Restriction)
	at := r.Start
	if at >= int64(len(steps)+callsAfter) {
		rt.TryClaim(r.End)
		return sdf.StopProcessing(), rt.GetError()
	}
	if !rt.TryClaim(at) {
		return sdf.StopProcessing(), rt.GetError()
	}
	if at < int64(len(steps)) {
		for _, block := range steps[at].Blocks {
			emit(block)
		}
		we.UpdateWatermark(time.UnixMilli(steps[at].Watermark))
	}
	return sdf.ResumeProcessingIn(time.Second), nil
}

// collected are the rows that came, by run, output and kind. Workers run in this
// process.
var collected sync.Map

type collectFn struct{ Run, Output string }

func (fn *collectFn) ProcessElement(rows table.Rows, emit func(string, string)) {
	showRows(rows, func(row string) {
		value, _ := collected.LoadOrStore(fn.Run, &collection{rows: map[string]map[string]bool{}})
		value.(*collection).add(fn.Output, row)
		emit(fn.Output, row)
	})
}

// collection has each row once: a row may be sealed again after a restart.
type collection struct {
	mu   sync.Mutex
	rows map[string]map[string]bool
}

func (c *collection) add(output, row string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rows[output] == nil {
		c.rows[output] = map[string]bool{}
	}
	c.rows[output][row] = true
}

func (c *collection) sorted(output string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := []string{}
	for row := range c.rows[output] {
		list = append(list, row)
	}
	sort.Strings(list)
	return list
}

// TestScriptedLiveRunOnPrismAndFlink plays one script of elements and watermark
// steps to the job on both runners, and expects the rows that batch gives.
func TestScriptedLiveRunOnPrismAndFlink(t *testing.T) {
	for runner, run := range runners {
		t.Run(runner, func(t *testing.T) {
			c := common(t)
			c.Run = t.Name()
			c.Live = &transforms.Live{Bucket: 10 * time.Minute}
			p, s := beam.NewPipelineWithRoot()
			out := weblogs.Build(s, settings(), c, source(s, script()))
			for output := range want {
				rows := beam.ParDo(s.Scope(output), &collectFn{Run: c.Run, Output: output}, out.Rows[output])
				beam.GroupByKey(s.Scope(output), rows) // a stage without outputs keeps Prism busy
			}
			got := &collection{rows: map[string]map[string]bool{}}
			collected.Store(c.Run, got)
			run(t, p, func() bool {
				for output, rows := range want {
					if len(got.sorted(output)) < len(rows) {
						return false
					}
				}
				return true
			})
			for output, rows := range want {
				rows = slices.Sorted(slices.Values(rows))
				if diff := cmp.Diff(append([]string{}, rows...), got.sorted(output)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", output, diff)
				}
			}
		})
	}
}

// runners run a pipeline until it says that all rows are there.
var runners = map[string]func(t *testing.T, p *beam.Pipeline, complete func() bool){"prism": onPrism, "flink": onFlink}

func onPrism(t *testing.T, p *beam.Pipeline, complete func() bool) {
	if _, err := beam.Run(t.Context(), "prism", p); err != nil {
		t.Fatal(err)
	}
	if !complete() {
		t.Error("the run ended before all rows were sealed")
	}
}

// onFlink runs until all rows are there. The cluster cancels the job after the
// test: its source would go on.
func onFlink(t *testing.T, p *beam.Pipeline, complete func() bool) {
	cluster := testenv.Flink(t)
	job, err := flink.Submit(t.Context(), p, flink.Options{
		Name: "weblogs-live-scripted", JobServer: cluster.JobServer(t), Parallelism: 1, Streaming: true, Environment: flink.Loopback,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer job.Close()
	deadline := time.Now().Add(2 * time.Minute)
	for !complete() && time.Now().Before(deadline) {
		time.Sleep(200 * time.Millisecond)
	}
}
