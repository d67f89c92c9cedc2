package endpoint

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/io/driver"
)

// shardReport tells of a reader's shards: by gauges, which status reads from the
// runner, and in the worker's log. Gauges are what comes through: Flink keeps the last
// value of each and gives it over REST, where a distribution is a text and a counter
// cannot fall. They have no labels and no text, come when a bundle ends, and stay when
// nobody sets them, whence the form of driver.ReadFigures.
type shardReport struct {
	log   *slog.Logger
	told  time.Time
	shown map[string]*shownShard
}

// shownShard is what was told of a shard.
type shownShard struct {
	retries, throttled int64
	gauges             bool   // it has some
	code               string // of the fault that a gauge tells
	since              int64  // of the fault that is in the log, or may come there
	logged             time.Time
}

const (
	shardsTold = 5 * time.Second // between two reports; Flink fetches metrics every ten
	// mostShards is how many shards of a reader have gauges, those that fail or are the
	// furthest behind: each goes through the runner, and its name stays there.
	mostShards = 50
	// A fault shorter than briefFault is as it should be (a service that is asked too
	// often says so); a longer one is told again every faultTold.
	briefFault = 10 * time.Second
	faultTold  = 5 * time.Minute
)

func newShardReport(run string) *shardReport {
	return &shardReport{log: newLog(run, "endpoint.Follow"), shown: map[string]*shownShard{}}
}

// tell reports, unless it just did. Over tells that the shards are not read any more.
func (r *shardReport) tell(ctx context.Context, reader driver.StreamReader, now time.Time, over bool) {
	if !over && now.Sub(r.told) < shardsTold {
		return
	}
	r.told = now
	list := reader.Status()
	if over {
		list = nil
	}
	slices.SortFunc(list, worst)
	there := map[string]bool{}
	for i := range list {
		s := &list[i]
		there[s.Shard] = true
		shown := r.shown[s.Shard]
		if shown == nil {
			shown = &shownShard{}
			r.shown[s.Shard] = shown
			r.log.InfoContext(ctx, "reading a shard", "shard", s.Shard)
		}
		r.count(ctx, shown, s)
		r.say(ctx, shown, s, now)
		r.gauge(ctx, shown, s, i < mostShards)
	}
	for shard, shown := range r.shown {
		if there[shard] {
			continue
		}
		r.gauge(ctx, shown, &driver.ShardStatus{Shard: shard}, false)
		delete(r.shown, shard)
		if !over {
			r.log.InfoContext(ctx, "a shard is read to its end", "shard", shard)
		}
	}
}

// worst puts shards that fail first, the longest first, then those that are the
// furthest behind.
func worst(a, b driver.ShardStatus) int {
	if (a.Since == 0) != (b.Since == 0) {
		return cmp.Compare(b.Since, a.Since)
	}
	return cmp.Or(cmp.Compare(a.Since, b.Since), cmp.Compare(a.Upto, b.Upto), cmp.Compare(a.Shard, b.Shard))
}

func (r *shardReport) count(ctx context.Context, shown *shownShard, s *driver.ShardStatus) {
	readRetries.Inc(ctx, s.Retries-shown.retries)
	readThrottled.Inc(ctx, s.Throttled-shown.throttled)
	shown.retries, shown.throttled = s.Retries, s.Throttled
}

func (r *shardReport) say(ctx context.Context, shown *shownShard, s *driver.ShardStatus, now time.Time) {
	if s.Since == 0 {
		if !shown.logged.IsZero() {
			r.log.InfoContext(ctx, "the reads of a shard work again", "shard", s.Shard, "failed_since", time.UnixMilli(shown.since).UTC())
		}
		shown.since, shown.logged = 0, time.Time{}
		return
	}
	shown.since = s.Since
	if now.Sub(time.UnixMilli(s.Since)) < briefFault || now.Sub(shown.logged) < faultTold {
		return
	}
	shown.logged = now
	r.log.WarnContext(ctx, "the reads of a shard fail, trying again",
		"shard", s.Shard, "since", time.UnixMilli(s.Since).UTC(), "code", s.FaultCode, "error", s.Fault, "retries", s.Retries)
}

// gauge sets the gauges of a shard, or says by them that there is nothing to tell any
// more.
func (r *shardReport) gauge(ctx context.Context, shown *shownShard, s *driver.ShardStatus, show bool) {
	set := func(figure string, value int64) {
		beam.NewGauge(driver.FiguresNamespace, driver.FigureName(s.Shard, figure)).Set(ctx, value)
	}
	if shown.code != "" && (!show || shown.code != s.FaultCode) {
		set(driver.FigureFault+shown.code, 0)
		shown.code = ""
	}
	switch {
	case show:
		set(driver.FigureUpto, s.Upto)
		set(driver.FigureAge, s.Behind.Milliseconds())
		set(driver.FigureWatermark, s.Watermark)
		if s.Since > 0 {
			set(driver.FigureFault+s.FaultCode, s.Since)
			shown.code = s.FaultCode
		}
	case shown.gauges:
		set(driver.FigureUpto, -1)
	}
	shown.gauges = show
}

var (
	readRetries   = beam.NewCounter("millrace", "read-retries")
	readThrottled = beam.NewCounter("millrace", "read-throttled")
)
