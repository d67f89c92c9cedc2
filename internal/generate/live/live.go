// Package live plays a simulation against a stream: the lines of a server farm, a shop
// or a ward arrive there at the times at which real ones would have written them.
//
// Every line that is made is put, with the name of its server, visitor or device as
// partition key, and is acknowledged at least once before the run ends well; a line can be
// in the stream twice (see kinesisio.Producer). A run that is interrupted stops
// making lines, delivers those on their way and then says how many were
// acknowledged. The truth is written only when it is true of the stream.
package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"millrace/internal/generate"
	"millrace/io/driver"
	"millrace/io/kinesisio"
)

// Options say what to play, where and how fast.
type Options struct {
	// Farm is what to simulate. Its Rate is in lines a second of the clock here. A
	// Start of zero means now. Without Lines it goes on until it is stopped.
	Farm generate.WeblogConfig
	// Script, if not nil, is played in place of a farm.
	Script *Script
	// Stream is a kinesis:// URL.
	Stream string
	// Speed is how many seconds of event time pass in a second of the clock; 1
	// when zero.
	Speed float64
	// Plain puts each line as a record of its own instead of packing many into
	// one.
	Plain bool
	// TruthDir is the folder for the truth; none when empty.
	TruthDir string
	// Grace is how long a run that was interrupted may take to deliver what is on
	// its way; 20 s when zero.
	Grace time.Duration
	// Watch, if not nil, is given the function that tells how far the run is, as
	// soon as it is under way.
	Watch func(status func() Status)
}

const (
	defaultRate     = 100
	defaultServers  = 16      // so that several shards have work
	defaultLongLine = 1 << 16 // the longest malformed line; a shard takes 1 MiB a second
	defaultGrace    = 20 * time.Second
	endless         = 366 // days of event time
)

// WithDefaults is o with what is zero replaced by what it means.
func (o Options) WithDefaults() Options {
	setDefault(&o.Speed, 1)
	setDefault(&o.Grace, defaultGrace)
	setDefault(&o.Farm.Rate, defaultRate)
	setDefault(&o.Farm.Servers, defaultServers)
	setDefault(&o.Farm.LongLine, defaultLongLine)
	setDefault(&o.Farm.Visitors, max(10_000, int(min(1e6, 40*o.Farm.Rate))))
	o.Farm.Flat, o.Farm.Steady = true, true
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// farm is the configuration of the simulation: rates are of event time there.
func (o Options) farm() generate.WeblogConfig {
	cfg := o.Farm
	cfg.Rate /= o.Speed
	if cfg.Lines == 0 {
		cfg.Days = endless
	}
	return cfg
}

// Validate reports everything that is wrong with the options but for the stream and the
// script.
func (o Options) Validate() error {
	o = o.WithDefaults()
	var faults []error
	if o.Speed < 0 || o.Speed > 1e5 {
		faults = append(faults, fmt.Errorf("generate: speed %g is not from 0 to 100,000", o.Speed))
		o.Speed = 1
	}
	if o.Script != nil {
		return errors.Join(faults...)
	}
	return errors.Join(append(faults, o.farm().Validate())...)
}

// Summary is how a run ended.
type Summary struct {
	kinesisio.ProducerStats
	Took        time.Duration
	Interrupted bool
	Truth       bool // its files were written
}

// Run plays until all lines are made, or ctx ends. It returns an
// error when not every line is acknowledged, and for a run that was to make a
// number of lines and was interrupted.
func Run(ctx context.Context, o Options) (sum Summary, err error) {
	if err := o.Validate(); err != nil {
		return sum, err
	}
	o = o.WithDefaults()
	// Until the stream is open, an interruption ends all; later it has grace.
	lasting, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	opening := context.AfterFunc(ctx, func() { end(context.Cause(ctx)) })
	var refusal atomic.Pointer[error]
	producer, err := kinesisio.NewProducer(lasting, o.Stream, kinesisio.ProducerOptions{
		Aggregate: !o.Plain, Unordered: true,
		Refused: func(_ kinesisio.Record, err error) { refusal.CompareAndSwap(nil, &err) },
	})
	if err != nil {
		return sum, err
	}
	opening()
	defer context.AfterFunc(ctx, func() {
		late := fmt.Errorf("%w, and the stream did not take what was on its way within %s", context.Cause(ctx), o.Grace)
		time.AfterFunc(o.Grace, func() { end(late) })
	})()
	sum, err = o.play(ctx, lasting, producer)
	if first := refusal.Load(); first != nil {
		err = errors.Join(fmt.Errorf("%d lines were refused; the first of them: %w", sum.Refused, *first), err)
	}
	return sum, err
}

// stream is what lines are put into.
type stream interface {
	Put(context.Context, kinesisio.Record) error
	Close(context.Context) error
	Stats() kinesisio.ProducerStats
}

// play runs the simulation until ctx ends, and delivers until lasting does.
func (o Options) play(ctx, lasting context.Context, s stream) (sum Summary, err error) {
	closed := false
	defer func() {
		if !closed { // on the way out of an error
			err = errors.Join(err, s.Close(lasting))
		}
	}()
	script := o.Script
	if script == nil {
		script = o.farmScript()
	}
	begin, start := time.Now(), script.Start
	if start.IsZero() {
		// The next whole second, so that no line comes before its time.
		begin = begin.Truncate(time.Second).Add(time.Second)
		start = begin
	}
	sim, err := script.Open(start)
	if err != nil {
		return sum, err
	}
	if c, ok := sim.(io.Closer); ok {
		defer func() { err = errors.Join(err, c.Close()) }()
	}
	if o.TruthDir != "" {
		if err := os.MkdirAll(o.TruthDir, 0o755); err != nil {
			return sum, fmt.Errorf("make folder for the truth: %w", err)
		}
	}
	p := newPlayer(o.Speed, script.Rate, s, start, begin)
	if o.Watch != nil {
		o.Watch(p.status)
	}
	for line := range sim.Lines() {
		if ctx.Err() != nil {
			sim.Stop()
		}
		if err = p.take(ctx, lasting, line); err != nil {
			break
		}
	}
	if err == nil {
		err = p.send(ctx, lasting)
	}
	closed = true
	err = errors.Join(err, s.Close(lasting))
	sum = Summary{ProducerStats: s.Stats(), Took: time.Since(begin), Interrupted: ctx.Err() != nil}
	if err != nil {
		return sum, err
	}
	if o.TruthDir != "" && sum.Refused == 0 {
		if err = sim.WriteTruth(o.TruthDir); err != nil {
			return sum, err
		}
		sum.Truth = true
	}
	if sum.Interrupted && script.Lines > 0 && sum.Accepted < script.Lines {
		err = &driver.Error{
			Doing: "play to", Object: o.Stream, Class: context.Cause(ctx),
			Cause: fmt.Errorf("interrupted after %d of %d lines", sum.Accepted, script.Lines),
		}
	}
	return sum, err
}
