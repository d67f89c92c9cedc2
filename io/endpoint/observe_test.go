package endpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/metrics"
	"github.com/google/go-cmp/cmp"

	"millrace/io/driver"
	"millrace/io/lakeio"
)

// toldReader says of its shards what a test wants.
type toldReader struct {
	driver.StreamReader
	shards []driver.ShardStatus
}

func (r *toldReader) Status() []driver.ShardStatus { return slices.Clone(r.shards) }

// bundle is a context in which metrics are counted, and what they are at its end, by
// the names that Flink gives them.
func bundle(t *testing.T) (ctx context.Context, counted func() map[string]int64) {
	t.Helper()
	ctx = metrics.SetPTransformID(metrics.SetBundleID(t.Context(), "bundle"), "transform")
	return ctx, func() map[string]int64 {
		all := map[string]int64{}
		name := func(l metrics.Labels) string {
			return l.Namespace() + "_" + strings.ReplaceAll(l.Name(), ".", "_")
		}
		err := metrics.Extractor{
			SumInt64:   func(l metrics.Labels, v int64) { all[name(l)] = v },
			GaugeInt64: func(l metrics.Labels, v int64, _ time.Time) { all[name(l)] = v },
		}.ExtractFrom(metrics.GetStore(ctx))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
}

// logTo has a log write to a buffer, without limit.
func logTo(b *bytes.Buffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// TestWhatAReaderTellsIsWhatStatusReads goes through the life of a shard: what status
// keeps of all bundles is what it shows.
func TestWhatAReaderTellsIsWhatStatusReads(t *testing.T) {
	var log bytes.Buffer
	report := newShardReport(t.Name())
	report.log = logTo(&log)
	kept := map[string]int64{} // as Flink keeps the last values
	begun := time.UnixMilli(1_800_000_000_000).UTC()
	step := func(after time.Duration, over bool, shards ...driver.ShardStatus) map[string]int64 {
		t.Helper()
		ctx, counted := bundle(t)
		report.tell(ctx, &toldReader{shards: shards}, begun.Add(after), over)
		now := counted()
		maps.Copy(kept, now)
		var want []driver.ShardStatus
		for _, s := range shards {
			want = append(want, driver.ShardStatus{Shard: s.Shard, Upto: s.Upto, Behind: s.Behind, Watermark: s.Watermark, FaultCode: s.FaultCode, Since: s.Since})
		}
		if over {
			want = nil
		}
		if got := driver.ReadFigures(maps.All(kept)); len(got)+len(want) > 0 {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("after %v status reads (-want +got):\n%s", after, diff)
			}
		}
		return now
	}
	since := begun.Add(10 * time.Second).UnixMilli()
	well := driver.ShardStatus{Shard: "shard-0", Upto: 5, Behind: time.Second, Watermark: 3}
	failing := driver.ShardStatus{Shard: "shard-1", Upto: 4, Watermark: 2, Retries: 2, Throttled: 1, Fault: "read x: HTTP 400", FaultCode: "Throttled", Since: since}
	otherwise := failing
	otherwise.FaultCode, otherwise.Retries = "AccessDenied", 7
	again := failing
	again.FaultCode, again.Since, again.Fault, again.Retries = "", 0, "", 7

	step(0, false, well, driver.ShardStatus{Shard: "shard-1", Upto: 4, Watermark: 2})
	if now := step(11*time.Second, false, well, failing); now["millrace_read-retries"] != 2 || now["millrace_read-throttled"] != 1 {
		t.Errorf("counted %v", now)
	}
	if strings.Contains(log.String(), "fail") {
		t.Errorf("a short fault is in the log: %s", log.String())
	}
	if now := step(21*time.Second, false, well, otherwise); now["millrace_read-retries"] != 5 {
		t.Errorf("counted %v", now)
	}
	for after := 26 * time.Second; after < 5*time.Minute; after += 5 * time.Second {
		step(after, false, well, otherwise)
	}
	if n := strings.Count(log.String(), "fail"); n != 1 {
		t.Errorf("within five minutes it is told %d times: %s", n, log.String())
	}
	step(6*time.Minute, false, well, otherwise)
	step(7*time.Minute, false, well, again)
	step(8*time.Minute, false, well) // shard-1 was split
	if ctx, counted := bundle(t); true {
		report.tell(ctx, &toldReader{shards: []driver.ShardStatus{well}}, begun.Add(8*time.Minute+time.Second), false)
		if now := counted(); len(now) != 0 {
			t.Errorf("it is told in each call: %v", now)
		}
	}
	step(8*time.Minute+2*time.Second, true, well)
	const want = `level=INFO msg="reading a shard" shard=shard-0
level=INFO msg="reading a shard" shard=shard-1
level=WARN msg="the reads of a shard fail, trying again" shard=shard-1 since=SINCE code=AccessDenied error="read x: HTTP 400" retries=7
level=WARN msg="the reads of a shard fail, trying again" shard=shard-1 since=SINCE code=AccessDenied error="read x: HTTP 400" retries=7
level=INFO msg="the reads of a shard work again" shard=shard-1 failed_since=SINCE
level=INFO msg="a shard is read to its end" shard=shard-1
`
	got := strings.ReplaceAll(log.String(), time.UnixMilli(since).UTC().Format("2006-01-02T15:04:05.000Z"), "SINCE")
	if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" {
		t.Errorf("the log (-want +got):\n%s", diff)
	}
}

// sorted puts the two shards that begin together in order.
func sorted(text string) string {
	lines := strings.SplitAfter(text, "\n")
	if len(lines) > 1 && lines[0] > lines[1] {
		lines[0], lines[1] = lines[1], lines[0]
	}
	return strings.Join(lines, "")
}

func TestOfManyShardsTheWorstAreTold(t *testing.T) {
	report := newShardReport(t.Name())
	report.log = slog.New(slog.DiscardHandler)
	var all []driver.ShardStatus
	for i := range 200 {
		all = append(all, driver.ShardStatus{Shard: fmt.Sprintf("shard-%03d", i), Upto: int64(1000 + i)})
	}
	all[150].Since, all[150].FaultCode = 7, "Throttled"
	kept := map[string]int64{}
	tell := func(after time.Duration) []driver.ShardStatus {
		ctx, counted := bundle(t)
		report.tell(ctx, &toldReader{shards: all}, time.UnixMilli(0).Add(after), false)
		maps.Copy(kept, counted())
		return driver.ReadFigures(maps.All(kept))
	}
	if got := tell(time.Hour); len(got) != mostShards || got[48].Shard != "shard-048" || got[49].Shard != "shard-150" || got[49].Since != 7 {
		t.Errorf("%d shards, the last %+v", len(got), got[len(got)-1])
	}
	for i := range all[:48] { // these catch up
		all[i].Upto = 9999
	}
	all[150].Since, all[150].FaultCode = 0, ""
	if got := tell(2 * time.Hour); len(got) != mostShards || got[0].Shard != "shard-048" || got[49].Shard != "shard-097" {
		t.Errorf("%d shards, from %+v to %+v", len(got), got[0], got[len(got)-1])
	}
}

func TestLogLinesAreJSONAndBounded(t *testing.T) {
	limit := &limiter{every: time.Second, most: 2}
	var b bytes.Buffer
	h := runnerHandler{func(w io.Writer) slog.Handler { return slog.NewJSONHandler(io.MultiWriter(w, &b), nil) }, limit}
	at := time.UnixMilli(1_800_000_000_000)
	for i, after := range []time.Duration{0, 0, 0, 0, 1500 * time.Millisecond, 1600 * time.Millisecond, time.Hour, time.Hour, time.Hour} {
		r := slog.NewRecord(at.Add(after), slog.LevelWarn, fmt.Sprint("line ", i), 0)
		if err := h.WithAttrs([]slog.Attr{slog.String("stage", "s")}).WithGroup("g").Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for line := range strings.Lines(b.String()) {
		_, rest, _ := strings.Cut(line, `"msg":`)
		got = append(got, strings.TrimSpace(rest))
	}
	want := []string{
		`"line 0","stage":"s"}`, `"line 1","stage":"s"}`, `"line 4","stage":"s","g":{"lines_left_out":2}}`,
		`"line 6","stage":"s","g":{"lines_left_out":1}}`, `"line 7","stage":"s"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if h.Enabled(t.Context(), slog.LevelDebug) || !h.Enabled(t.Context(), slog.LevelInfo) {
		t.Error("debug is written, or info is not")
	}
}

func TestCallsOfALakeAreCounted(t *testing.T) {
	var log bytes.Buffer
	calls := newLakeCalls(t.Name(), "events")
	calls.log = logTo(&log)
	ctx, counted := bundle(t)
	watched := calls.watch(ctx)
	slow := &driver.Error{Doing: "reach", Object: "s3://lake", Class: driver.ErrThrottled}
	for range 5 {
		driver.Retried(watched, slow)
	}
	hold := &progressOf(t.Name()).hold
	if waiting, waited := hold.longest(time.Now().Add(10 * time.Second)); waiting != "the lake: reach s3://lake: throttled" || waited < 9*time.Second {
		t.Errorf("the run waits for %q, %v", waiting, waited)
	}
	for _, later := range []time.Duration{0, time.Minute} { // it has only begun; it is over, and nobody said so
		if waiting, _ := hold.longest(time.Now().Add(later)); waiting != "" {
			t.Errorf("after %v the run waits for %q", later, waiting)
		}
	}
	if err := calls.over(ctx, nil); err != nil {
		t.Error(err)
	}
	if waiting, _ := hold.longest(time.Now().Add(10 * time.Second)); waiting != "" {
		t.Errorf("the run still waits for %q", waiting)
	}
	wrote(ctx, lakeio.Committed{Rows: map[string]int64{"events": 7, "late": 1}})
	if diff := cmp.Diff(map[string]int64{"millrace_lake-retries": 5, "millrace_rows-events": 7, "millrace_rows-late": 1}, counted()); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), `msg="the lake fails, trying again" error="reach s3://lake: throttled" retries=1`) {
		t.Errorf("the log has %d lines: %s", n, log.String())
	}
	// What is the lake's fault says so, and nothing else does.
	if err := calls.over(ctx, fmt.Errorf("writing: %w", slow)); !errors.Is(err, driver.ErrThrottled) || err.Error() != "the lake refuses: writing: reach s3://lake: throttled" {
		t.Errorf("the error is %v", err)
	}
	for _, ours := range []error{&driver.Error{Class: driver.ErrConflict}, errors.New("a part is missing")} {
		if err := calls.over(ctx, ours); err != ours { //nolint:errorlint // the same one
			t.Errorf("the error is %v", err)
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	log.Reset()
	if _ = calls.over(ended, ctx.Err()); log.Len() > 0 {
		t.Errorf("that a bundle was given up is in the log: %s", log.String())
	}
}
