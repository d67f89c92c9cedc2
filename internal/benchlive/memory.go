package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"millrace/internal/machine"
)

// cycle is one call of the source and its pause: how often it returns.
const cycle = 3 * time.Second

// memory watches a job at a steady rate.
func (b *bencher) memory(ctx context.Context) error {
	const in = "steady"
	if err := b.servers.kinesis.CreateStream(ctx, in, b.shards); err != nil {
		return err
	}
	before := machine.Load()
	until := time.Now().Add(startUp + b.steady).UTC().Truncate(time.Second)
	ctx, cancel := context.WithTimeoutCause(ctx, time.Until(until)+lakeTimeout, fmt.Errorf("the run did not end within %v of its end", lakeTimeout))
	defer cancel()
	farm, err := b.farm(ctx, in, b.rate, startUp+b.steady)
	if err != nil {
		return err
	}
	s, err := b.sampler()
	if err != nil {
		return err
	}
	run, err := b.job(ctx, in, "until="+until.Format(time.RFC3339), "--max-disorder", "30s", "--seal", "1m")
	if err != nil {
		return err
	}
	if err := s.watch(ctx, run, 2*time.Second, nil); err != nil {
		return err
	}
	if err := farm.Wait(); err != nil {
		return err
	}
	var held []sample
	for _, now := range s.samples {
		if now.job.Read.Records > 0 && now.job.Checkpoints.Size != nil && now.at.Before(until) {
			held = append(held, now)
		}
	}
	if len(held) < 10 {
		return errors.New("too few samples: give a longer -steady")
	}
	fmt.Fprintf(b.out, "## Memory and checkpoints, %d lines/s for %v, parallelism %d\n\nLoad before and after: %s, %s.\n\n", b.rate, b.steady, parallelism, before, machine.Load())
	fmt.Fprint(b.out, "| after | lines | worker MiB | TaskManager MiB | checkpoint kB | checkpoint s | watermark lag s |\n|---:|---:|---:|---:|---:|---:|---:|\n")
	const rows = 10
	for i := range rows + 1 {
		now := held[i*(len(held)-1)/rows]
		lag := "-"
		if now.job.Lag != nil {
			lag = fmt.Sprintf("%.0f", *now.job.Lag)
		}
		fmt.Fprintf(b.out, "| %v | %d | %d | %d | %.0f | %.2f | %s |\n", now.at.Sub(held[0].at).Round(time.Second), now.job.Read.Records,
			now.worker.rss>>20, now.manager.rss>>20, float64(*now.job.Checkpoints.Size)/1e3, *now.job.Checkpoints.Duration, lag)
	}
	// The first half warms up.
	half := held[len(held)/2:]
	perSecond := func(of func(sample) int64) float64 { return slope(half, of) }
	checkpoint := perSecond(func(s sample) int64 { return *s.job.Checkpoints.Size })
	a, z := half[0], half[len(half)-1]
	fmt.Fprintf(b.out, "\nIn the second half, by least squares: worker %+.1f kB/s, TaskManager %+.1f kB/s, checkpoint %+.2f kB/s; that is %+.1f kB a return of each of the %d elements, at a cycle of %v. ",
		perSecond(func(s sample) int64 { return s.worker.rss })/1e3, perSecond(func(s sample) int64 { return s.manager.rss })/1e3,
		checkpoint/1e3, checkpoint/1e3*cycle.Seconds()/parallelism, parallelism, cycle)
	span := z.at.Sub(a.at).Seconds()
	fmt.Fprintf(b.out, "CPU: worker %.0f %%, TaskManager %.0f %% of a core. State of the job is in the checkpoint, too, and grows until sessions close (30 minutes).\n\n",
		100*(z.worker.cpu-a.worker.cpu).Seconds()/span, 100*(z.manager.cpu-a.manager.cpu).Seconds()/span)
	return nil
}

// slope is the growth a second, by least squares.
func slope(samples []sample, of func(sample) int64) float64 {
	var x, y, xx, xy float64
	n := float64(len(samples))
	for _, s := range samples {
		dx, dy := s.at.Sub(samples[0].at).Seconds(), float64(of(s))
		x, y, xx, xy = x+dx, y+dy, xx+dx*dx, xy+dx*dy
	}
	return (n*xy - x*y) / (n*xx - x*x)
}
