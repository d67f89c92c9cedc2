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

// lakeCalls tells of the calls of a stage to its lake: those that are made again, and
// what was written. Beam's counters are not for several goroutines, and a bundle's
// reach the runner when it ends; so the log tells at once that a stage waits.
type lakeCalls struct {
	log   *slog.Logger
	again atomic.Int64
	limit limiter
}

func newLakeCalls(run, stage string) *lakeCalls {
	return &lakeCalls{log: newLog(run, "endpoint.WriteLive/"+stage), limit: limiter{every: retriesTold, most: 1}}
}

// retriesTold is how often a stage tells that it tries again.
const retriesTold = 30 * time.Second

// watch has the repetitions of calls below ctx counted.
func (c *lakeCalls) watch(ctx context.Context) context.Context {
	return driver.WithRetries(ctx, func(err error) {
		n := c.again.Add(1)
		if _, ok := c.limit.take(time.Now()); ok {
			c.log.WarnContext(ctx, "the lake fails, trying again", "error", err.Error(), "retries", n)
		}
	})
}

// over hands on what was counted since the last time, and returns err, the error that
// the calls ended with.
func (c *lakeCalls) over(ctx context.Context, err error) error {
	if n := c.again.Swap(0); n > 0 {
		lakeRetries.Inc(ctx, n)
	}
	if err != nil && ctx.Err() == nil {
		c.log.ErrorContext(ctx, "a stage fails at its lake", "error", err.Error())
	}
	return refused("the lake", err)
}

// refused says of an error that it is for others to put right. Status looks for these
// words.
func refused(by string, err error) error {
	for _, class := range []error{driver.ErrUnavailable, driver.ErrThrottled, driver.ErrPermission, driver.ErrFull, driver.ErrReadOnly} {
		if errors.Is(err, class) {
			return fmt.Errorf("%s refuses: %w", by, err)
		}
	}
	return err
}

// wrote counts rows that were put into the lake.
func (c *lakeCalls) wrote(ctx context.Context, done lakeio.Committed) {
	for output, n := range done.Rows {
		beam.NewCounter("millrace", "rows-"+output).Inc(ctx, n)
	}
}

var lakeRetries = beam.NewCounter("millrace", "lake-retries")
