package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"millrace/internal/machine"
)

// catchUp watches the watermark while a backlog is worked off.
func (b *bencher) catchUp(ctx context.Context) error {
	const stream = "backlog"
	if err := b.servers.kinesis.CreateStream(ctx, stream, b.shards); err != nil {
		return err
	}
	size, err := b.fill(ctx, stream, b.backlog)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, lakeTimeout, fmt.Errorf("the run did not end within %v", lakeTimeout))
	defer cancel()
	before := machine.Load()
	s, err := b.sampler()
	if err != nil {
		return err
	}
	run, err := b.job(ctx, stream, "until=tip&"+fast, "--max-disorder", b.disorder)
	if err != nil {
		return err
	}
	if err := s.watch(ctx, run, time.Second, nil); err != nil {
		return err
	}
	first, last, ok := reading(s.samples)
	if !ok {
		return errors.New("the job ended before its counters were seen; give more -backlog")
	}
	fmt.Fprintf(b.out, "## Catch-up, a backlog of %d lines (%.0f MB), parallelism %d\n\nThe watermark is %s behind the lines by --max-disorder. Load before and after: %s, %s.\n\n", b.backlog, float64(size)/1e6, parallelism, b.disorder, before, machine.Load())
	fmt.Fprint(b.out, "| after s | MB read | MB/s | watermark | worker MiB |\n|---:|---:|---:|---|---:|\n")
	from := first
	var stood, longest time.Duration
	var mark time.Time
	for _, now := range s.samples {
		if !now.at.After(first.at) || now.at.After(last.at) {
			continue
		}
		if w := now.job.Watermark; w != nil && w.After(mark) {
			mark, stood = *w, 0
		} else if !mark.IsZero() {
			stood += time.Second
			longest = max(longest, stood)
		}
		if now.at.Sub(from.at) < 3*time.Second && now.at != last.at {
			continue
		}
		text := "none"
		if !mark.IsZero() {
			text = mark.UTC().Format(time.DateTime)
		}
		read := now.job.Read.Bytes - from.job.Read.Bytes
		fmt.Fprintf(b.out, "| %.0f | %.0f | %.1f | %s | %d |\n", now.at.Sub(first.at).Seconds(), float64(now.job.Read.Bytes)/1e6,
			float64(read)/1e6/now.at.Sub(from.at).Seconds(), text, now.worker.rss>>20)
		from = now
	}
	fmt.Fprintf(b.out, "\nThe longest time that Flink told no new watermark while records came: %v.\n\n", longest)
	return nil
}
