package run

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/graphx"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"google.golang.org/protobuf/proto"

	"millrace/internal/golden"
	"millrace/internal/settings"
	"millrace/io/driver"
)

// liveOptions are those of a run that would be accepted.
func liveOptions() Options {
	return Options{
		Job: "weblogs", Source: "kinesis://logs?start=latest", Lake: "lake", Runner: "flink", MaskKey: "file:///key", Raw: "sealed",
		Outputs: Outputs{"sessions": {"kinesis://sessions"}, "traffic": {"kinesis://traffic"}, "events": {"kinesis://events"}},
		Flink:   FlinkOptions{Parallelism: 2},
	}
}

// TestStagesKeepTheirNames holds the names of all steps and of their state: a
// savepoint finds its state by them. A name that has to change needs a word in
// the changelog: jobs cannot be resumed over it. So does the coder of a state or of
// its key, as state is read with the one of the program that resumes.
func TestStagesKeepTheirNames(t *testing.T) {
	stagesKeepTheirNames(t, liveOptions(), "testdata/stages.golden")
}

// TestStagesWithFunnelsKeepTheirNames, too.
func TestStagesWithFunnelsKeepTheirNames(t *testing.T) {
	o := liveOptions()
	o.Funnels = someFunnels(t)
	o.Outputs.Add("funnels", "kinesis://funnels")
	stagesKeepTheirNames(t, o, "testdata/stages_funnels.golden")
}

// TestStagesWithAlertsKeepTheirNames, and those with scores.
func TestStagesWithAlertsKeepTheirNames(t *testing.T) {
	o := liveOptions()
	o.Alerts = someAlerts(t)
	o.Values = []settings.Value{{Name: "anomalies", Text: "true"}}
	o.Outputs.Add("alerts", "kinesis://alerts")
	stagesKeepTheirNames(t, o, "testdata/stages_alerts.golden")
}

// TestStagesOfSecurityKeepTheirNames, too.
func TestStagesOfSecurityKeepTheirNames(t *testing.T) {
	o := liveOptions()
	o.Values = append(o.Values, settings.Value{Name: "security", Text: "true"})
	o.Outputs.Add("sources", "kinesis://sources")
	o.Outputs.Add("alerts", "kinesis://alerts")
	stagesKeepTheirNames(t, o, "testdata/stages_security.golden")
}

func stagesKeepTheirNames(t *testing.T, o Options, file string) {
	t.Helper()
	req, err := check(o)
	if err != nil {
		t.Fatal(err)
	}
	p := livePlan{Plan: Plan{Job: req.job.Name, Lake: "lake", Run: "run", req: req}, options: req.live, cursors: []driver.Cursor{[]byte("a"), []byte("b")}}
	edges, _, err := p.build().Build()
	if err != nil {
		t.Fatal(err)
	}
	env, err := graphx.CreateEnvironment(t.Context(), graphx.URNEnvExternal, func(context.Context) string { return "localhost:1" })
	if err != nil {
		t.Fatal(err)
	}
	pipe, err := graphx.Marshal(edges, &graphx.Options{Environment: env})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, transform := range pipe.GetComponents().GetTransforms() {
		name := transform.GetUniqueName()
		var pardo pipepb.ParDoPayload
		if transform.GetSpec().GetUrn() == graphx.URNParDo && proto.Unmarshal(transform.GetSpec().GetPayload(), &pardo) == nil {
			coders := pipe.GetComponents().GetCoders()
			if id := pardo.GetRestrictionCoderId(); id != "" {
				name += " restriction=" + coderText(coders, id)
			}
			if len(pardo.GetStateSpecs()) > 0 {
				input := pipe.GetComponents().GetPcollections()[transform.GetInputs()["i0"]]
				name += " of " + coderText(coders, input.GetCoderId())
			}
			for _, id := range slices.Sorted(maps.Keys(pardo.GetStateSpecs())) {
				name += " state=" + id + ":" + stateText(coders, pardo.GetStateSpecs()[id])
			}
			for _, id := range slices.Sorted(maps.Keys(pardo.GetTimerFamilySpecs())) {
				name += " timer=" + id
			}
		}
		names = append(names, name)
	}
	slices.Sort(names)
	golden.Equal(t, file, []byte(strings.Join(names, "\n")+"\n"))
}

// coderText writes a coder with those it consists of. Of a coder of ours it names
// the type: what bytes it gives is held by the tests of that.
func coderText(coders map[string]*pipepb.Coder, id string) string {
	c := coders[id]
	text := strings.TrimSuffix(strings.TrimPrefix(c.GetSpec().GetUrn(), "beam:coder:"), ":v1")
	var parts []string
	for _, part := range c.GetComponentCoderIds() {
		parts = append(parts, coderText(coders, part))
	}
	if len(parts) > 0 {
		text += "<" + strings.Join(parts, ",") + ">"
	}
	return text
}

// stateText is the kind of a state and the coder of what lies in it.
func stateText(coders map[string]*pipepb.Coder, s *pipepb.StateSpec) string {
	switch {
	case s.GetReadModifyWriteSpec() != nil:
		return "value<" + coderText(coders, s.GetReadModifyWriteSpec().GetCoderId()) + ">"
	case s.GetBagSpec() != nil:
		return "bag<" + coderText(coders, s.GetBagSpec().GetElementCoderId()) + ">"
	}
	return fmt.Sprintf("%T", s.GetSpec())
}

func TestLiveOptionsAreRead(t *testing.T) {
	o := liveOptions()
	o.Live = LiveOptions{MaxDisorder: "1h", AllowedLateness: "2m", Idle: "hold", Roll: "1GiB,5m", Seal: "1h"}
	r, err := check(o)
	if err != nil {
		t.Fatal(err)
	}
	got := r.live.stream
	if got.MaxDisorder != time.Hour || got.AllowedLateness != 2*time.Minute || got.IdleAfter != 0 || got.RollBytes != 1<<30 || got.RollEvery != 5*time.Minute || r.live.seal != time.Hour {
		t.Errorf("got %+v, seal %v", got, r.live.seal)
	}
	if r, err = check(liveOptions()); err != nil || r.live.stream.IdleAfter != 30*time.Second || r.live.stream.MaxDisorder != 5*time.Minute || r.live.stream.RollBytes != 64<<20 {
		t.Errorf("defaults: %v, %+v", err, r.live.stream)
	}
}

func TestFaultsOfLiveOptionsAreReportedTogether(t *testing.T) {
	o := liveOptions()
	o.From = "2026-01-01"
	o.Live = LiveOptions{MaxDisorder: "soon", AllowedLateness: "-1s", Idle: "30s", Roll: "64MB", Seal: "90s"}
	o.Flink = FlinkOptions{Parallelism: 1000, Environment: "docker", Options: []string{"x"}}
	_, err := check(o)
	for _, want := range []string{"--max-disorder soon", "--allowed-lateness -1s", "--idle 30s", "--roll 64MB", "--seal 90s", "--parallelism 1000", "--environment docker", "--flink-option"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in\n%v", want, err)
		}
	}
	o = liveOptions()
	o.From = "2026-01-01"
	if _, err := check(o); err == nil || !strings.Contains(err.Error(), "until=tip") {
		t.Errorf("a stream with --from: %v", err)
	}
	o = Options{Job: "weblogs", Source: "file.log", Lake: "lake", Live: LiveOptions{Idle: "hold"}}
	if _, err := check(o); err == nil || !strings.Contains(err.Error(), "--idle is for streams") {
		t.Errorf("a file with --idle: %v", err)
	}
}

func TestAnArchiveNeedsATimeAndAnotherLake(t *testing.T) {
	with := func(archive, until, source string) error {
		o := liveOptions()
		o.Source, o.Live.Archive, o.Live.UntilArchive = source, archive, until
		_, err := check(o)
		return err
	}
	const source = "kinesis://logs?until=tip"
	for _, c := range []struct {
		err  error
		want string
	}{
		{with("old/raw", "", source), "belong together"},
		{with("old/raw", "noon", source), "--until-archive noon"},
		{with("old/raw", "2026-03-01T12:00:00Z", source+"&start=latest"), "leave start out"},
		{with("lake/raw", "2026-03-01T12:00:00Z", source), "another lake"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("want %q, got %v", c.want, c.err)
		}
	}
	o := liveOptions()
	o.Source, o.Live.Archive, o.Live.UntilArchive = source, "old/raw", "2026-03-01T12:00:00.5Z"
	r, err := check(o)
	if err != nil {
		t.Fatal(err)
	}
	if want := "kinesis://logs?start=2026-03-01T12%3A00%3A00.5Z&until=tip"; r.live.source != want {
		t.Errorf("the stream is read from %s, want %s", r.live.source, want)
	}
}

func ExampleLiveOptions() {
	fmt.Println(DefaultMaxDisorder, DefaultIdle, DefaultRoll)
	// Output: 5m advance-after=30s 64MiB,60s
}
