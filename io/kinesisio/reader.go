package kinesisio

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"millrace/io/driver"
	"millrace/schemas/record"
)

// reader gives the blocks of its shards in turn. Fetchers read ahead; all that
// depends on the order of records happens in Next: lateness, rolls, watermark.
type reader struct {
	stream  *Stream
	opt     driver.StreamOptions
	rolling rolling
	sum     *summary
	end     int64 // records that arrive then or later are not read
	endTip  int64 // a shard that had nothing more then is done

	ctx     context.Context // of the fetchers
	cancel  context.CancelFunc
	running sync.WaitGroup
	news    chan struct{} // something new was fetched
	asked   atomic.Int64  // when somebody last wanted a block, Unix nanoseconds
	wanted  chan struct{} // wakes a fetcher that has stopped reading ahead

	mu     sync.Mutex
	state  *cursor
	shards []*shard // of state, in its order
	turn   int      // the shard to look at first
	known  *lineage // a new listing of shards, if there is one
	err    error
}

// shard is what a reader keeps beside the state of a shard.
type shard struct {
	*shardState
	identity record.Identity
	source   string   // identity as blocks have it
	fetcher  *fetcher // nil before it begins and after it is done
	stop     context.CancelFunc
	chunk    *chunk  // the one being given
	seen     fetched // when there was last no chunk
}

func (r *reader) add(state *shardState) {
	id := record.ShardIdentity(r.sum.arn, state.ID)
	r.shards = append(r.shards, &shard{shardState: state, identity: id, source: id.String()})
}

var _ driver.StreamReader = (*reader)(nil)

// patience is how long fetchers read ahead when nobody asks for a block.
const patience = 60 * time.Second

// Read starts a reader at a cursor. Its shards are read ahead in the background,
// also after ctx has ended, until Close, or until nobody asked for a block in a
// minute; it goes on with the next call.
func (s *Stream) Read(ctx context.Context, at driver.Cursor) (driver.StreamReader, error) {
	state, err := decodeCursor(at)
	if err != nil {
		return nil, err
	}
	sum, err := s.describe(ctx)
	if err != nil {
		return nil, err
	}
	if sum.arn != state.Stream {
		return nil, badCursor(fmt.Sprintf("it is of the stream %s, not of %s", state.Stream, sum.arn))
	}
	if sum.created != state.Created && sum.created != 0 && state.Created != 0 {
		return nil, &driver.Error{
			Doing: "read on from a cursor of", Object: s.place.String(), Class: driver.ErrChanged,
			Cause: errors.New("the stream was deleted and created again since"), Cure: "start anew",
		}
	}
	r := &reader{
		stream: s, opt: s.opt, sum: sum, state: state, news: make(chan struct{}, 1), wanted: make(chan struct{}),
		rolling: rolling{bytes: s.opt.RollBytes, every: s.opt.RollEvery.Milliseconds()},
		end:     math.MaxInt64, endTip: math.MaxInt64,
	}
	if s.until.bounded {
		r.end, r.endTip = s.until.end(state.Began)
	}
	r.asked.Store(s.now().UnixNano())
	r.ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, st := range state.Shards {
		r.add(st)
	}
	r.startShards()
	r.advance()
	return r, nil
}

// end tells the arrival time at which reading stops, and the time at which a
// shard without more has nothing left that arrived before: a record can be read a
// moment after it arrived.
func (u until) end(began int64) (record, tip int64) {
	const grace = 1000 // milliseconds
	if u.tip {
		return began + grace, began + grace
	}
	return u.at, u.at + 2*grace
}

// startShards starts fetchers of the shards that may be read.
func (r *reader) startShards() {
	live := 0
	for _, sh := range r.shards {
		if !sh.Done {
			live++
		}
	}
	for _, sh := range r.shards {
		if sh.Done || sh.fetcher != nil || r.waits(sh) {
			continue
		}
		r.start(sh, live)
	}
}

// waits tells whether a shard has a parent here that is not done.
func (r *reader) waits(sh *shard) bool {
	return slices.ContainsFunc(r.shards, func(parent *shard) bool {
		return !parent.Done && slices.Contains(sh.Parents, parent.ID)
	})
}

func (r *reader) start(sh *shard, live int) {
	lim := r.stream.limits
	f := &fetcher{
		stream: r.stream, shard: sh.ID, retention: r.sum.retention, endTip: r.endTip, news: r.news, awake: r.awake,
		framing: framing{eventTime: r.opt.EventTime(r.stream.format), hashes: sh.hashes(), block: lim.block, maxLine: lim.maxLine},
		target:  int(min(2<<20, max(256<<10, lim.ahead/int64(2*live)))),
		pacer:   pacer{every: lim.poll, rate: lim.rate},
		from:    sh.From, after: sh.After, inside: sh.Inside, skip: sh.Given, reached: sh.Reached, perCall: 500,
	}
	f.room.L = &f.mu
	sh.fetcher = f
	var ctx context.Context
	ctx, sh.stop = context.WithCancel(r.ctx)
	r.running.Go(func() { f.run(ctx) })
}

// awake waits while nobody wants records.
func (r *reader) awake(ctx context.Context) bool {
	for ctx.Err() == nil {
		if r.stream.now().UnixNano()-r.asked.Load() < int64(patience) {
			return true
		}
		select {
		case <-r.wanted:
		case <-ctx.Done():
		}
	}
	return false
}

// want notes that somebody asks for a block.
func (r *reader) want() {
	r.asked.Store(r.stream.now().UnixNano())
	for {
		select {
		case r.wanted <- struct{}{}:
		default:
			return
		}
	}
}

// Next gives the next block, nil when ctx ends first or everything was given.
func (r *reader) Next(ctx context.Context) (*record.Block, error) {
	for {
		r.want()
		b, done, err := r.step()
		if b != nil || err != nil || done {
			return b, err
		}
		timer := time.NewTimer(time.Second) // for what the clock decides
		select {
		case <-r.news:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, nil
		case <-r.ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("read %s: the reader is closed", r.stream.place)
		}
		timer.Stop()
	}
}

func (r *reader) step() (b *record.Block, done bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.shards {
		at := (r.turn + i) % len(r.shards)
		sh := r.shards[at]
		if sh.fetcher == nil {
			continue
		}
		if b = r.serve(sh); b != nil {
			r.turn = at + 1
			break
		}
		r.err = firstError(r.err, sh.seen.err)
	}
	r.forget()
	r.advance()
	if b == nil {
		err = r.err
	}
	return b, r.done(), err
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// serve gives the next block of a shard, nil when there is none now.
func (r *reader) serve(sh *shard) *record.Block {
	for {
		if sh.chunk == nil {
			c, seen := sh.fetcher.next()
			if c == nil {
				sh.seen = seen
				return r.settle(sh)
			}
			sh.chunk, sh.seen = c, fetched{}
			if r.state.Low != nil { // an idle shard wakes, or one begins that nobody waited for
				sh.Clock.raise(*r.state.Low + r.opt.AllowedLateness.Milliseconds())
			}
		}
		if b := r.give(sh); b != nil || sh.Done {
			return b
		}
	}
}

// settle decides for a shard without records to give: whether the clock ends its
// roll, and whether it is done.
func (r *reader) settle(sh *shard) *record.Block {
	sh.Reached = max(sh.Reached, sh.seen.reached)
	switch {
	case sh.seen.ended:
		sh.Lost = sh.Lost || sh.seen.lost
		b := r.closing(sh, true)
		r.finish(sh, true)
		r.adopt(sh, sh.seen.heirs)
		r.known = sh.seen.known
		return b
	case sh.seen.tipAt == 0:
	case sh.seen.last:
		return r.stopAt(sh)
	case sh.Roll != nil && sh.Roll.over(sh.seen.tipAt, r.rolling):
		return r.closing(sh, false)
	}
	return nil
}

// stopAt ends the reading of a shard where the stream is to end.
func (r *reader) stopAt(sh *shard) *record.Block {
	var b *record.Block
	if sh.Roll != nil {
		b = r.closing(sh, false)
	}
	r.finish(sh, false)
	return b
}

// closing ends the roll of a shard in a block without records. At the end of a
// shard without an open roll it is a roll of nothing, named by the number behind
// the last record.
func (r *reader) closing(sh *shard, end bool) *record.Block {
	b := r.block(sh)
	b.Ends, b.Positions, b.Sequences, b.Arrivals, b.Behind = []int{}, []int64{}, []string{}, []int64{}, []int64{}
	if sh.Roll != nil {
		r.closeRoll(sh, b)
	} else {
		b.Roll = record.RollOf(sh.identity, behind(sh.After))
		b.Close = &record.Close{After: sh.After, Lost: sh.Lost, Next: r.next(sh)}
		sh.Lost = false
	}
	b.Close.End = end
	return b
}

// finish takes a shard out of the reading.
func (r *reader) finish(sh *shard, ended bool) {
	sh.Done, sh.Ended = true, ended
	sh.stop()
	sh.fetcher, sh.chunk = nil, nil
}

// adopt goes on with the shards that follow a closed one. They begin at the time
// it had reached, so whether their records are late follows from the records
// alone.
func (r *reader) adopt(closed *shard, heirs []*shardState) {
	for _, heir := range heirs {
		if compareShards(heir.ID, r.state.Newest) > 0 && r.state.shard(heir.ID) == nil {
			r.state.Shards = append(r.state.Shards, heir)
			r.add(heir)
		}
	}
	for _, sh := range r.shards {
		begun := sh.After != "" || sh.Inside != "" // by positions of which the parent's was not the last
		if !sh.Done && !begun && sh.fetcher == nil && slices.Contains(sh.Parents, closed.ID) && closed.covers(sh.shardState) {
			sh.Clock, sh.Heir = closed.Clock.child(), true
		}
	}
	r.startShards()
}

// forget drops shards that are done and that the service has forgotten, so that a
// cursor does not grow for ever. The others stay: positions tell that they ended.
func (r *reader) forget() {
	if r.known == nil {
		return
	}
	r.shards = slices.DeleteFunc(r.shards, func(sh *shard) bool { return sh.Done && r.known.shards[sh.ID] == nil })
	r.state.Shards = r.state.Shards[:0]
	for _, sh := range r.shards {
		r.state.Shards = append(r.state.Shards, sh.shardState)
	}
	r.known = nil
}

// done tells whether every shard is.
func (r *reader) done() bool {
	return !slices.ContainsFunc(r.shards, func(sh *shard) bool { return !sh.Done })
}

// advance moves the watermark: it is the least of what the shards allow, less the
// lateness that is allowed.
func (r *reader) advance() {
	if r.done() {
		r.raise(math.MaxInt64)
		return
	}
	now, low, idle := r.stream.serviceNow(), int64(math.MaxInt64), true
	for _, sh := range r.shards {
		if sh.Done || sh.fetcher == nil && r.heldByParent(sh) || r.idle(sh, now) {
			continue
		}
		idle = false
		low = min(low, sh.Clock.watermark(r.opt.MaxDisorder.Milliseconds()))
	}
	if idle {
		low = now - (r.opt.MaxDisorder + r.opt.IdleAfter).Milliseconds()
	}
	if low != noTime {
		r.raise(low - r.opt.AllowedLateness.Milliseconds())
	}
}

func (r *reader) raise(low int64) {
	if r.state.Low == nil || *r.state.Low < low {
		r.state.Low = &low
	}
}

// heldByParent tells whether the parent that a waiting shard inherits its time
// from is not done, and so holds the watermark for both.
func (r *reader) heldByParent(sh *shard) bool {
	return slices.ContainsFunc(r.shards, func(parent *shard) bool {
		return !parent.Done && slices.Contains(sh.Parents, parent.ID) && parent.covers(sh.shardState)
	})
}

// idle tells whether a shard has been at its tip for so long that it no longer
// holds the watermark.
func (r *reader) idle(sh *shard, now int64) bool {
	if r.opt.IdleAfter <= 0 || sh.chunk != nil || sh.fetcher == nil {
		return false
	}
	found, waiting := sh.fetcher.status()
	return !waiting && found.tipSince != 0 && now-found.tipSince >= r.opt.IdleAfter.Milliseconds()
}

// Cursor is where the reader stands.
func (r *reader) Cursor() (driver.Cursor, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.encode()
}

// Watermark is math.MinInt64 before every shard has given a time.
func (r *reader) Watermark() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state.Low == nil {
		return math.MinInt64
	}
	return *r.state.Low
}

// Done tells whether everything was given; of an unbounded stream, too, when all
// shards of this reader have ended and others have their children.
func (r *reader) Done() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done()
}

// Close ends the reading ahead.
func (r *reader) Close() error {
	r.cancel()
	r.running.Wait()
	return nil
}
