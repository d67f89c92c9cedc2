package weblogs_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/passert"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"

	"millrace/jobs/weblogs"
	"millrace/schemas/record"
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
