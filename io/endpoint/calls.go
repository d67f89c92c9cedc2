package endpoint

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/io/driver"
	"millrace/io/lakeio"
)

// calls tells of those that a stage makes to its lake or its sink again. Beam's
// counters are not for several goroutines, and a bundle's reach the runner when it
// ends; so the log tells at once that a stage waits.
type calls struct {
	to      string // "the lake" or "the sink"
	retries beam.Counter
	log     *slog.Logger
	again   atomic.Int64
	limit   limiter
	waiting *waiting // nil for the lake, where it would be noted
	hold    *holdups
	who     string // among these
}

func newLakeCalls(run, stage string) *calls {
	return &calls{to: "the lake", hold: &progressOf(run).hold, who: "the lake", retries: lakeRetries, log: newLog(run, "endpoint.WriteLive/"+stage), limit: limiter{every: retriesTold, most: 1}}
}

func newSinkCalls(lake, run, output string) *calls {
	return &calls{to: "the sink", hold: &progressOf(run).hold, who: "the sink of " + output, waiting: newWaiting(lake, run, output), retries: beam.NewCounter("millrace", "retries-"+output), log: newLog(run, "endpoint.Send/"+output), limit: limiter{every: retriesTold, most: 1}}
}

// retriesTold is how often a stage tells that it tries again.
const retriesTold = 30 * time.Second

// watch has the repetitions of calls below ctx counted.
func (c *calls) watch(ctx context.Context) context.Context {
	return driver.WithRetries(ctx, func(err error) {
		n := c.again.Add(1)
		c.hold.note(c.who, err, time.Now())
		if _, ok := c.limit.take(time.Now()); ok {
			c.log.WarnContext(ctx, c.to+" fails, trying again", "error", err.Error(), "retries", n)
		}
		if c.waiting != nil {
			c.waiting.again(context.WithoutCancel(ctx), err)
		}
	})
}

// over hands on what was counted since the last time, and returns err, the error that
// the calls ended with.
func (c *calls) over(ctx context.Context, err error) error {
	if n := c.again.Swap(0); n > 0 {
		c.retries.Inc(ctx, n)
		c.hold.over(c.who)
	}
	if err != nil && ctx.Err() == nil {
		c.log.ErrorContext(ctx, "a stage fails at "+c.to, "error", err.Error())
	}
	return forOthers(c.to, err)
}

// forOthers says of an error that it is for others to put right. Status looks for these
// words.
func forOthers(by string, err error) error {
	for _, class := range []error{driver.ErrUnavailable, driver.ErrThrottled, driver.ErrPermission, driver.ErrFull, driver.ErrReadOnly} {
		if errors.Is(err, class) {
			return fmt.Errorf("%s refuses: %w", by, err)
		}
	}
	return err
}

// wrote counts rows that were put into the lake.
func wrote(ctx context.Context, done lakeio.Committed) {
	for output, n := range done.Rows {
		beam.NewCounter("millrace", "rows-"+output).Inc(ctx, n)
	}
}

var lakeRetries = beam.NewCounter("millrace", "lake-retries")
