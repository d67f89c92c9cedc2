package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"millrace/internal/machine"
)

// fast are the parameters of a stream whose server sets no limits.
const fast = "poll=20ms&rate=64MiB"

const lakeTimeout = 5 * time.Minute

// throughput is what one run took for the bytes of a stream.
type throughput struct {
	seconds, worker, manager float64 // wall clock, CPU seconds
	whole, wholeManager      float64 // CPU seconds from the start of the job to its end
	peak                     int64   // bytes resident of the workers, as sampled
	fault                    string  // with which the run ended after all was read
}

// lake measures Kinesis to lake, and Flink SQL that counts the same lines.
func (b *bencher) lake(ctx context.Context) error {
	const stream = "lake"
	if err := b.servers.kinesis.CreateStream(ctx, stream, b.shards); err != nil {
		return err
	}
	files := []string{b.path("input", "0.log"), b.path("input", "1.log")}
	size, err := b.fill(ctx, stream, b.lines, files...)
	if err != nil {
		return err
	}
	sql, err := b.compileSQL(ctx)
	if err != nil {
		return err
	}
	mb := float64(size) / 1e6
	fmt.Fprintf(b.out, "## Kinesis to lake, %d lines (%.0f MB) over %d shards, parallelism %d\n\n", b.lines, mb, b.shards, parallelism)
	fmt.Fprint(b.out, "All outputs and the encrypted raw archive. From the first to the last record read; \"whole\" is from the submission to the end, with start, sealing and commits. MB/s a core is bytes by CPU seconds of the Go worker.\n\n")
	fmt.Fprint(b.out, "| run | load | s | MB/s | worker CPU s | JVM CPU s | MB/s a core of worker | of worker and JVM | whole: worker CPU s | JVM CPU s | MB/s a core of worker | worker peak MiB | Flink SQL s | MB/s | JVM CPU s | MB/s a core | ratio of MB/s a core, millrace (worker and JVM) to SQL |\n|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	var faults []string
	for i := range b.runs {
		before := machine.Load()
		ours, err := b.through(ctx, stream, size)
		if err != nil {
			return err
		}
		peer, err := b.runSQL(ctx, sql, files)
		if err != nil {
			return err
		}
		all := mb / (ours.worker + ours.manager)
		fmt.Fprintf(b.out, "| %d | %s | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %d | %.1f | %.1f | %.1f | %.1f | %.2f |\n", i+1, before,
			ours.seconds, mb/ours.seconds, ours.worker, ours.manager, mb/ours.worker, all, ours.whole, ours.wholeManager, mb/ours.whole, ours.peak>>20,
			peer.seconds, mb/peer.seconds, peer.manager, mb/peer.manager, all/(mb/peer.manager))
		if ours.fault != "" {
			faults = append(faults, fmt.Sprintf("Run %d read everything, but ended with an error: %s", i+1, ours.fault))
		}
	}
	for _, fault := range faults {
		fmt.Fprintf(b.out, "\n%s\n", fault)
	}
	fmt.Fprintln(b.out)
	if b.profile == "" {
		return nil
	}
	// Workers that Flink starts cannot be profiled; these are the same program.
	_, err = b.through(ctx, stream, size, "--environment", "loopback", "--cpuprofile", b.profile)
	return err
}

// through runs the job once over what a stream holds.
func (b *bencher) through(ctx context.Context, stream string, size int64, more ...string) (t throughput, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, lakeTimeout, fmt.Errorf("the run over %s did not end within %v", stream, lakeTimeout))
	defer cancel()
	s, err := b.sampler()
	if err != nil {
		return t, err
	}
	run, err := b.job(ctx, stream, "until=tip&"+fast, append([]string{"--max-disorder", b.disorder}, more...)...)
	if err != nil {
		return t, err
	}
	failed := s.watch(ctx, run, 500*time.Millisecond, nil)
	first, last, ok := reading(s.samples)
	if !ok {
		return t, errors.Join(errors.New("the job ended before its counters were seen; give more -lines"), failed)
	}
	if failed != nil && last.job.Read.Records != int64(b.lines) {
		return t, failed
	}
	if failed != nil {
		t.fault = failed.Error()
		b.step("%s", t.fault)
	}
	if last.job.Read.Records != int64(b.lines) {
		b.step("the last count of records that Flink told is %d of %d", last.job.Read.Records, b.lines)
	}
	end := s.samples[len(s.samples)-1]
	t.seconds = last.at.Sub(first.at).Seconds()
	t.worker, t.manager = (last.worker.cpu - first.worker.cpu).Seconds(), (last.manager.cpu - first.manager.cpu).Seconds()
	t.whole, t.wholeManager = end.worker.cpu.Seconds(), end.manager.cpu.Seconds()
	t.peak = slices.MaxFunc(s.samples, func(a, b sample) int { return int(a.worker.rss - b.worker.rss) }).worker.rss
	b.step("%.1f s, %.1f MB/s, worker %.1f CPU s, JVM %.1f CPU s; %s", t.seconds, float64(size)/1e6/t.seconds, t.worker, t.manager, run.Stdout.String())
	return t, nil
}
