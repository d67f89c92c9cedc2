package live

import (
	"context"
	"sync/atomic"
	"time"

	"millrace/internal/generate"
	"millrace/io/kinesisio"
)

// player puts lines when they are due. They are made second by second; the player
// spreads those of a second over its length.
type player struct {
	stream stream
	speed  float64
	start  int64     // Unix second of event time at which the log begins
	begin  time.Time // when that is on the clock

	second int64  // of event time, the one that is gathered
	text   []byte // its lines
	ends   []int
	keys   []string

	bucket bucket
	behind atomic.Int64 // how late the last line was, in nanoseconds
	stats  func() kinesisio.ProducerStats
}

// step is how often lines are put.
const step = 10 * time.Millisecond

// haste is how much faster than the rate lines are put after a delay.
const haste = 1.25

// newPlayer makes one for lines from a start on, so many a second of the clock.
func newPlayer(speed, rate float64, s stream, start, begin time.Time) *player {
	p := &player{stream: s, stats: s.Stats, speed: speed, start: start.Unix(), begin: begin}
	p.second = p.start
	// A second of event time can have some lines more than the rate says.
	p.bucket = bucket{rate: haste * rate, last: begin}
	return p
}

// take gathers the lines of a second and puts those of the one before.
func (p *player) take(ctx, lasting context.Context, line generate.Line) error {
	if line.At != p.second {
		if err := p.send(ctx, lasting); err != nil {
			return err
		}
		p.second = line.At
	}
	p.text = append(p.text, line.Text...)
	p.ends = append(p.ends, len(p.text))
	p.keys = append(p.keys, line.Key)
	return nil
}

// send puts the gathered lines, each when it is due; once ctx has ended, at once.
func (p *player) send(ctx, lasting context.Context) error {
	n, from := len(p.ends), 0
	for i, end := range p.ends {
		due := p.due(float64(i) / float64(n))
		for ctx.Err() == nil {
			now := time.Now()
			wait := due.Sub(now)
			if wait <= 0 {
				wait = p.bucket.take(now)
			}
			if wait <= 0 {
				p.behind.Store(int64(now.Sub(due)))
				break
			}
			rest(ctx, max(wait, step))
		}
		if err := p.stream.Put(lasting, kinesisio.Record{Key: p.keys[i], Data: p.text[from:end]}); err != nil {
			return err
		}
		from = end
	}
	p.text, p.ends, p.keys = p.text[:0], p.ends[:0], p.keys[:0]
	return nil
}

// due is when a part of the gathered second is over, on the clock.
func (p *player) due(part float64) time.Time {
	seconds := (float64(p.second-p.start) + part) / p.speed
	return p.begin.Add(time.Duration(seconds * float64(time.Second)))
}

func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// bucket lets through so many lines a second, and no more than those of two steps
// at once.
type bucket struct {
	rate   float64
	tokens float64
	last   time.Time
}

// take takes a token, or tells how long to wait for one.
func (b *bucket) take(now time.Time) time.Duration {
	if passed := now.Sub(b.last); passed > 0 {
		b.tokens = min(b.tokens+passed.Seconds()*b.rate, max(1, b.rate*(2*step).Seconds()))
		b.last = now
	}
	if b.tokens >= 1 {
		b.tokens--
		return 0
	}
	return time.Duration((1 - b.tokens) / b.rate * float64(time.Second))
}

// Status is how far a run is.
type Status struct {
	kinesisio.ProducerStats
	Passed time.Duration // since the first line was due
	Behind time.Duration // how much later than due the last line was put
}

func (p *player) status() Status {
	return Status{ProducerStats: p.stats(), Passed: max(0, time.Since(p.begin)), Behind: time.Duration(p.behind.Load())}
}
