package weblogs_test

import (
	"fmt"
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
	"millrace/schemas/weblog"
	"millrace/transforms"
)

func init() { register.Function2x0(showPages) }

// manyPaths are blocks of two hours: the first has 110 requests for 62 paths, of which
// somebody made up 60, the second ten for two.
func manyPaths() (out []record.Block) {
	base := int64(0)
	for i := range 10 {
		var text strings.Builder
		add := func(hour int, paths ...string) {
			for _, path := range paths {
				fmt.Fprintf(&text, `203.0.113.%d - - [01/Mar/2026:%d:%02d:00 +0000] "GET %s HTTP/1.1" 200 100 "-" %s`+"\n", i, hour, i, path, human)
			}
		}
		add(10, "/", "/cart", "/", "/cart", "/")
		for j := range 6 {
			add(10, fmt.Sprintf("/made-up/%d-%d", i, j))
		}
		add(11, []string{"/", "/cart", "/"}[i%3])
		out = append(out, record.Block{Source: strings.Repeat("0", 32), Name: "test.log", Format: "combined", Base: base, Data: []byte(text.String())})
		base += int64(text.Len())
	}
	return out
}

// showPages turns top pages into text. Of rows that are not exact it says whether the
// true number, of which "/" has 30 and others have fewer, is within the bounds.
func showPages(rows table.Rows, emit func(string)) {
	b := rows.Batch
	for row := range b.Len() {
		var p weblog.TopPage
		b.Row(row, &p)
		views := fmt.Sprint(p.Views)
		if !*p.Exact {
			views = fmt.Sprintf("about 30, within the bounds: %v", p.Views >= 30 && p.Views-*p.ViewsError <= 30 && *p.ViewsError <= 110/10)
		}
		emit(fmt.Sprintf("%d: %s %s, version %d, visitors %v", p.WindowStart, p.Path, views, p.Version, p.Visitors != nil || *p.ViewsError > 0))
	}
}

// TestMorePagesThanTheLimitAreMarked, in batch and live, and the hour that has no more
// than the limit is exact beside them.
func TestMorePagesThanTheLimitAreMarked(t *testing.T) {
	rows := []string{
		fmt.Sprintf("%d: / about 30, within the bounds: true, version 110, visitors true", ms),
		fmt.Sprintf("%d: / 7, version 10, visitors true", ms+60*minute),
	}
	for name, live := range map[string]*transforms.Live{"batch": nil, "live": {Bucket: 10 * time.Minute}} {
		t.Run(name, func(t *testing.T) {
			c := common(t)
			c.Live = live
			s := weblogs.Defaults()
			s.TopPages, s.ExactPages, s.PageSketches = 1, 10, true
			if err := s.Validate(); err != nil {
				t.Fatal(err)
			}
			ptest.BuildAndRun(t, func(scope beam.Scope) {
				bring := blocksOf
				if live != nil {
					bring = streamOf
				}
				out := weblogs.Build(scope, s, c, bring(scope, manyPaths()))
				passert.EqualsList(scope, beam.ParDo(scope, showPages, out.Rows["top_pages"]), rows)
			})
		})
	}
}
