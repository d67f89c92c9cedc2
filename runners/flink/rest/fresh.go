package rest

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

const (
	// stale is the age from which on metrics are collected anew; Flink's own
	// interval is ten seconds.
	stale = 10 * time.Second
	// collecting is how long the JobManager takes to ask its TaskManagers.
	collecting = 500 * time.Millisecond
)

// freshen makes the JobManager collect the metrics of a job. It does so when it
// is asked for them, but answers with what it had before: nothing at first, and
// later what it collected at the last question, be it an hour ago.
func (c *Client) freshen(ctx context.Context, id string) error {
	c.mu.Lock()
	known := time.Since(c.metered) < stale
	c.metered = time.Now()
	c.mu.Unlock()
	if known {
		return nil
	}
	if err := c.ofJob(ctx, "read the metrics of", id, http.MethodGet, "/metrics", nil, nil); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return fmt.Errorf("read the metrics of job %s: %w", id, context.Cause(ctx))
	case <-time.After(collecting):
		return nil
	}
}
