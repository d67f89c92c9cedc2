package weblogs_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/passert"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"

	"millrace/jobs/weblogs"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/transforms"
	"millrace/transforms/funnels"
)

// visits are requests of one visitor: hours since the first day began, and paths.
// The second day's purchase ends two days later.
var visits = []struct {
	hour int
	path string
}{{-2, "/"}, {1, "/"}, {2, "/cart"}, {26, "/"}, {27, "/product"}, {70, "/cart"}, {71, "/"}, {99, "/checkout"}}

func visitBlocks() []any {
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var out []any
	for i, v := range visits {
		line := fmt.Sprintf("203.0.113.9 - - [%s] \"GET %s HTTP/1.1\" 200 5 \"-\" %s\n", begin.Add(time.Duration(v.hour)*time.Hour).Format("02/Jan/2006:15:04:05 -0700"), v.path, human)
		out = append(out, record.Block{Source: strings.Repeat("0", 32), Name: "test.log", Format: "combined", Base: int64(i) * 1000, Data: []byte(line)})
	}
	return out
}

// TestFunnelsOfBoundedDaysSeeWhatFollowsThem, as far as their windows reach, and
// nothing else of other days, whatever the order of the lines.
func TestFunnelsOfBoundedDaysSeeWhatFollowsThem(t *testing.T) {
	const day, first = 24 * time.Hour, 20513
	start := time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC).UnixMilli()
	hour := time.Hour.Milliseconds()
	c := common(t)
	c.From, c.To = first+1, first+1
	cfg := weblogs.Defaults()
	cfg.Funnels = []funnels.Definition{{Name: "buy", Within: 2 * day, Steps: []funnels.Step{{Name: "home", Where: `path == "/"`}, {Name: "cart", Where: `path == "/cart"`}, {Name: "paid", Where: `path == "/checkout"`}}}}
	all := visitBlocks()
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	ptest.BuildAndRun(t, func(s beam.Scope) {
		out := weblogs.Build(s, cfg, c, beam.Create(s, all...))
		passert.EqualsList(s.Scope("funnels"), beam.ParDo(s, showRows, out.Rows["funnels"]), []string{
			fmt.Sprintf("funnel=buy start_time=%d level=2 steps=3 converted=0 excluded=0 reached=2 step_times=[0,%d] last_time=%d truncated=0 duration_ms=%d version=3", start, 44*hour, start+44*hour, 44*hour),
		})
		passert.EqualsList(s.Scope("steps"), beam.ParDo(s, showRows, out.Rows["funnel_steps"]), []string{
			"day=20514 funnel=buy step=1 step_name=home visitors=1 previous=1 excluded=0 version=1",
			fmt.Sprintf("day=20514 funnel=buy step=2 step_name=cart visitors=1 previous=1 excluded=0 total_ms=%d average_ms=%g median_ms=%g version=1", 44*hour, float64(44*hour), float64(44*hour)),
			"day=20514 funnel=buy step=3 step_name=paid visitors=0 previous=1 excluded=0 total_ms=0 version=1",
		})
		passert.Count(s.Scope("events"), beam.ParDo(s, showRows, out.Rows["events"]), "events", 2)
	})
}

// TestWithoutFunnelsThereAreNone: no output, and so no stage.
func TestWithoutFunnelsThereAreNone(t *testing.T) {
	_, s := beam.NewPipelineWithRoot()
	out := weblogs.Build(s, weblogs.Defaults(), common(t), beam.Create(s, visitBlocks()...))
	for _, name := range []string{"funnels", "funnel_steps"} {
		if _, there := out.Rows[name]; there {
			t.Errorf("output %s is there", name)
		}
	}
}

func TestFaultsOfFunnelsNameTheirPlace(t *testing.T) {
	cfg := weblogs.Defaults()
	cfg.TopPages = 0
	cfg.Funnels = []funnels.Definition{{Name: "buy", At: "jobs.yaml:3", Within: time.Hour, Steps: []funnels.Step{{Name: "home", Where: `pth == "/"`, At: "jobs.yaml:5"}}}}
	err := cfg.Validate()
	for _, want := range []string{"top_pages", "jobs.yaml:5", "did you mean path"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
}

func init() {
	register.Function2x0(showKinds)
}

// showKinds turns rows into text that begins with their kind.
func showKinds(rows table.Rows, emit func(string)) {
	kind := map[table.RowKind]string{table.Provisional: "open ", table.Withdrawn: "gone ", table.Sealed: "sealed "}[rows.Kind]
	showRows(rows, func(row string) { emit(kind + row) })
}

// TestFunnelsGoToSinksWhileTheyChange, as each minute leaves them, and once more when they
// are sealed.
func TestFunnelsGoToSinksWhileTheyChange(t *testing.T) {
	c := common(t)
	c.Live = &transforms.Live{Bucket: 10 * time.Minute, Provisional: map[string]bool{"funnels": true, "funnel_steps": true}}
	var wanted []string
	for _, output := range []string{"funnels", "funnel_steps"} {
		for _, row := range want[output] {
			wanted = append(wanted, "sealed "+row)
		}
	}
	buy := func(level int, times string, last, version int64) string {
		return fmt.Sprintf("open funnel=buy start_time=%d level=%d steps=3 converted=%d excluded=0 reached=%d step_times=%s last_time=%d breakdown=GET truncated=0 duration_ms=%d version=%d", ms, level, level/3, level, times, ms+last, last, version)
	}
	look := func(start, version int64) string {
		return fmt.Sprintf("open funnel=look start_time=%d level=1 steps=2 converted=0 excluded=0 reached=1 step_times=[0] last_time=%d truncated=0 duration_ms=0 version=%d", ms+start, ms+start, version)
	}
	wanted = append(wanted, buy(2, "[0,20000]", 20_000, 2), buy(3, "[0,20000,1830000]", 1_830_000, 3), look(20_000, 2), look(30_000, 1))
	ptest.BuildAndRun(t, func(s beam.Scope) {
		out := weblogs.Build(s, settings(), c, stream(s))
		passert.EqualsList(s, beam.ParDo(s, showKinds, beam.Flatten(s, out.Provisional...)), wanted)
	})
}
