package weblogs_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/passert"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/teststream"

	"millrace/jobs/weblogs"
	"millrace/schemas/ledger"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms"
)

func init() {
	register.Function2x0(showLateness)
	register.Function2x1(addLedgers)
	register.Function1x1(showLedger)
}

// showLateness turns events into their paths and whether they are marked late.
func showLateness(rows table.Rows, emit func(string)) {
	b := rows.Batch
	for row := range b.Len() {
		emit(fmt.Sprintf("%s late=%v", b.Text(weblog.EventPath, row), b.Bool(weblog.EventLate, row)))
	}
}

// addLedgers sums ledgers up, in JSON.
func addLedgers(a, b []byte) []byte {
	var x, y ledger.Ledger
	must(json.Unmarshal(a, &x))
	must(json.Unmarshal(b, &y))
	x.Add(y)
	sum, err := json.Marshal(x)
	must(err)
	return sum
}

func showLedger(b []byte) string {
	var l ledger.Ledger
	must(json.Unmarshal(b, &l))
	return l.String()
}

// begins is the time of the first event of each block.
var begins = []int64{ms, ms + 20_000, ms + 30_000}

const (
	lateAt   = ms + 60_000    // the time of late events
	lateFrom = ms + 40*minute // the watermark when they come: the first visit is closed
)

// lateLines would change every table, were they counted: the person's cart within both
// funnels, and a failure.
var lateLines = []string{
	`203.0.113.9 - - [01/Mar/2026:10:01:00 +0000] "GET /cart HTTP/1.1" 200 900 "-" ` + human,
	`192.0.2.1 - - [01/Mar/2026:10:01:00 +0000] "GET /late HTTP/1.1" 503 0 "-" ` + human,
}

// lateBlock is the late lines as a source marks them.
func lateBlock() record.Block {
	b := record.Block{Source: strings.Repeat("0", 32), Name: "test.log", Format: "combined"}
	for i, line := range lateLines {
		b.Data = append(b.Data, line...)
		b.Ends, b.Positions, b.Behind = append(b.Ends, len(b.Data)), append(b.Positions, int64(10_000+i)), append(b.Behind, lateFrom-lateAt)
	}
	return b
}

// unruly brings the blocks in an order, before each of which the watermark is as far as it
// may be for none to be late; one of them a second time, marked as a source marks what it
// reads again; and the late lines, when what they belong to is sealed.
func unruly(s beam.Scope, order []int, again int) beam.PCollection {
	c, all, watermark := teststream.NewConfig(), blocks(), int64(0)
	advance := func(to int64) {
		if to > watermark {
			watermark = to
			must(c.AdvanceWatermark(to))
		}
	}
	for i, n := range order {
		next := begins[n]
		for _, later := range order[i:] {
			next = min(next, begins[later])
		}
		advance(next)
		must(c.AddElements(watermark, all[n]))
		if n == again {
			twice := all[n]
			twice.Duplicate = true
			must(c.AddElements(watermark, twice))
		}
	}
	advance(lateFrom)
	must(c.AddElements(watermark, lateBlock()))
	must(c.AdvanceWatermarkToInfinity())
	return teststream.Create(s, c)
}

// TestShuffledRepeatedAndLateLinesGiveWhatAListGives: what came late is in late, and nowhere
// else but, marked, in events.
func TestShuffledRepeatedAndLateLinesGiveWhatAListGives(t *testing.T) {
	var late, events []string
	for i := range lateLines {
		late = append(late, fmt.Sprintf("event_time=%d position=%d delay_ms=%d", lateAt, 10_000+i, lateFrom-lateAt))
	}
	for _, path := range []string{"/", "/style.css", "/product", "/product", "/cart"} {
		events = append(events, path+" late=false")
	}
	events = append(events, "/cart late=true", "/late late=true")
	for name, source := range map[string]struct {
		live  bool
		order []int
		again int
	}{
		"live":             {true, []int{1, 0, 2}, 0}, // the watermark moves on between
		"live, backwards":  {true, []int{2, 1, 0}, 1},
		"stream, not live": {false, []int{2, 0, 1}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			c := common(t)
			if source.live {
				c.Live = &transforms.Live{Bucket: 10 * time.Minute}
			}
			ptest.BuildAndRun(t, func(s beam.Scope) {
				out := weblogs.Build(s, settings(), c, unruly(s, source.order, source.again))
				expect(s, out)
				passert.EqualsList(s.Scope("late"), beam.ParDo(s, showRows, out.Rows["late"]), late)
				passert.EqualsList(s.Scope("events"), beam.ParDo(s, showLateness, out.Rows["events"]), events)
				if !source.live { // live, the ledger is of rolls, and these blocks are of none
					passert.Equals(s.Scope("ledger"), beam.ParDo(s, showLedger, beam.Combine(s, addLedgers, out.Ledger)), "in 10 = events 7 + bad 1 + duplicate 2 + skipped 0, truncated 1")
				}
			})
		})
	}
}
