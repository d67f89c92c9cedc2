package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"golang.org/x/sync/errgroup"

	"millrace/internal/localservers"
	"millrace/internal/machine"
)

const (
	// startUp is what a job may take until it reads.
	startUp = 45 * time.Second
	// peek is the pause between two looks at the rows, and so the error of latency.
	peek = 100 * time.Millisecond
)

// delay measures the time from a line to the row that counts it.
func (b *bencher) delay(ctx context.Context) error {
	const in, rows = "latency", "latency-traffic"
	if err := b.servers.kinesis.CreateStream(ctx, in, b.shards); err != nil {
		return err
	}
	if err := b.servers.kinesis.CreateStream(ctx, rows, 1); err != nil {
		return err
	}
	before := machine.Load()
	seen := seconds{}
	err := b.whileItComes(ctx, played{
		job: func(ctx context.Context, until string) (*localservers.Program, error) {
			return b.job(ctx, in, until, "--output", "traffic=kinesis://"+rows, "--max-disorder", "30s")
		},
		player: func(ctx context.Context) (*localservers.Program, error) {
			b.step("the farm writes %d lines/s for %v", b.rate, b.latency)
			return b.farm(ctx, in, b.rate, b.latency)
		},
		read: map[string]func([]byte, time.Time) error{rows: seen.add},
	})
	if err != nil {
		return err
	}
	b.report(seen, before)
	return nil
}

// played is a job whose rows are watched while something is played to it.
type played struct {
	job    func(ctx context.Context, until string) (*localservers.Program, error)
	player func(context.Context) (*localservers.Program, error)
	read   map[string]func([]byte, time.Time) error // by stream; calls come one at a time

	// Without probes, these are empty.
	to     string // stream
	probe  func(n int, now time.Time) []byte
	probes *probes
}

// whileItComes runs a job to the end of what is played, which begins when the job is there
// to read it, and reads streams meanwhile.
func (b *bencher) whileItComes(ctx context.Context, p played) error {
	until := time.Now().Add(startUp + b.latency + 15*time.Second).UTC().Truncate(time.Second)
	ctx, cancel := context.WithTimeoutCause(ctx, time.Until(until)+lakeTimeout, fmt.Errorf("the run did not end within %v of its end", lakeTimeout))
	defer cancel()
	s, err := b.sampler()
	if err != nil {
		return err
	}
	run, err := p.job(ctx, "until="+until.Format(time.RFC3339))
	if err != nil {
		return err
	}
	watching, watchCtx := errgroup.WithContext(ctx)
	watchCtx, stop := context.WithCancel(watchCtx)
	defer stop()
	var one sync.Mutex
	for stream, add := range p.read {
		shards, err := b.servers.kinesis.Client.ListShards(ctx, &kinesis.ListShardsInput{StreamName: aws.String(stream)})
		if err != nil {
			return err
		}
		for _, shard := range shards.Shards {
			watching.Go(func() error {
				return b.rows(watchCtx, stream, aws.ToString(shard.ShardId), func(data []byte, now time.Time) error {
					one.Lock()
					defer one.Unlock()
					return add(data, now)
				})
			})
		}
	}
	var player *localservers.Program
	var failed error
	probing, stopProbes := context.WithCancel(ctx)
	defer stopProbes()
	began := time.Now()
	err = s.watch(ctx, run, time.Second, func(now sample) {
		if player == nil && failed == nil && (now.job.Watermark != nil || now.job.State == "RUNNING" && time.Since(began) > startUp*2/3) {
			if player, failed = p.player(ctx); failed == nil && p.probe != nil {
				// Not longer than the player: a reader of a shard in which nothing comes any
				// more waits before the watermark goes on.
				last := time.Now().Add(b.latency)
				watching.Go(func() error { return b.putProbes(probing, last, p, &one) })
			}
		}
	})
	stop()
	stopProbes()
	if err := errors.Join(err, failed, watching.Wait()); err != nil {
		return err
	}
	if player == nil {
		return fmt.Errorf("the job did not read within %v", startUp+b.latency)
	}
	return player.Wait()
}

// second is a window of a second in which lines came.
type second struct {
	views map[string]int64     // by status class, the highest so far
	at    map[string]time.Time // when it was first seen
}

type seconds map[time.Time]*second

func (s seconds) add(data []byte, now time.Time) error {
	var row struct {
		Start   time.Time `json:"window_start"`
		Seconds int       `json:"window_seconds"`
		Class   string    `json:"status_class"`
		Views   int64     `json:"views"`
	}
	if err := json.Unmarshal(data, &row); err != nil {
		return fmt.Errorf("reading a row of traffic: %w: %.200s", err, data)
	}
	if row.Seconds != 1 {
		return nil
	}
	w := s[row.Start]
	if w == nil {
		w = &second{views: map[string]int64{}, at: map[string]time.Time{}}
		s[row.Start] = w
	}
	if row.Views > w.views[row.Class] {
		w.views[row.Class], w.at[row.Class] = row.Views, now
	}
	return nil
}

// putProbes puts one after another, the last at a time, or until ctx ends.
func (b *bencher) putProbes(ctx context.Context, last time.Time, p played, one *sync.Mutex) error {
	for n := 0; time.Now().Before(last); n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(probeEvery):
		}
		now := time.Now()
		one.Lock()
		p.probes.put[n] = now
		one.Unlock()
		_, err := b.servers.kinesis.Client.PutRecord(ctx, &kinesis.PutRecordInput{StreamName: aws.String(p.to), PartitionKey: aws.String(fmt.Sprintf("probe-%d", n)), Data: p.probe(n, now)})
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// rows reads a shard until ctx ends.
func (b *bencher) rows(ctx context.Context, stream, shard string, add func([]byte, time.Time) error) error {
	first, err := b.servers.kinesis.Client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName: aws.String(stream), ShardId: aws.String(shard), ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		return err
	}
	for at := first.ShardIterator; ctx.Err() == nil; {
		answer, err := b.servers.kinesis.Client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: at})
		if err != nil && ctx.Err() == nil {
			return err
		}
		if err != nil {
			return nil //nolint:nilerr // it was told to end
		}
		now := time.Now()
		for _, r := range answer.Records {
			if err := add(r.Data, now); err != nil {
				return err
			}
		}
		at = answer.NextShardIterator
		select {
		case <-ctx.Done():
		case <-time.After(peek):
		}
	}
	return nil
}

func (b *bencher) report(seen seconds, before string) {
	var delays []time.Duration
	var lines int64
	for start, w := range seen {
		var last time.Time
		for class, at := range w.at {
			lines += w.views[class]
			if at.After(last) {
				last = at
			}
		}
		delays = append(delays, last.Sub(start.Add(time.Second)))
	}
	fmt.Fprintf(b.out, "## From line to provisional row, %d lines/s, parallelism %d\n\n", b.rate, parallelism)
	fmt.Fprintf(b.out, "For each second of event time: from its end, when its last line is put, to the moment a row with its final count is read from the stream of rows (looked at every %v). The producer's wait, the stream and the reading are in it.\n\n", peek)
	if len(delays) == 0 {
		fmt.Fprint(b.out, "No row came.\n\n")
		return
	}
	b.quantiles(delays, before, fmt.Sprintf("%d seconds, %d lines", len(delays), lines))
}

// quantiles prints delays.
func (b *bencher) quantiles(delays []time.Duration, before, of string) {
	slices.Sort(delays)
	at := func(q float64) float64 { return delays[min(len(delays)-1, int(q*float64(len(delays))))].Seconds() }
	fmt.Fprint(b.out, "| load before, after | of | min s | p50 s | p90 s | p99 s | max s |\n|---|---|---:|---:|---:|---:|---:|\n")
	fmt.Fprintf(b.out, "| %s, %s | %s | %.2f | %.2f | %.2f | %.2f | %.2f |\n\n", before, machine.Load(), of, at(0), at(0.5), at(0.9), at(0.99), at(1))
}
