package kinesisio

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"millrace/io/driver"
	"millrace/schemas/record"
)

// fetcher reads a shard ahead, in a goroutine of its own. What it finds lies in
// its fields until the reader takes it; it decides nothing that depends on how
// far the reader is.
type fetcher struct {
	stream    *Stream
	shard     string
	retention time.Duration
	endTip    int64                      // a shard that has nothing more then is at the end of the stream
	target    int                        // bytes to ask for at a time, and to hold
	news      chan<- struct{}            // told when there is something new
	awake     func(context.Context) bool // waits until somebody wants records
	framing   framing

	// Only the goroutine uses these.
	pacer    pacer
	iterator string
	from     *int64 // where the shard begins without a position
	after    string // the last record fetched
	inside   string // the record behind it of which skip lines were given
	skip     int
	reached  int64  // the shard was read up to this time
	verify   bool   // the next record proves whether any were lost
	proved   bool   // nothing was lost up to the iterator
	perCall  int    // records to ask for
	buffer   []byte // of an answer
	failures int    // in a row

	mu    sync.Mutex
	room  sync.Cond
	found fetched
}

// fetched is what a fetcher has found and the reader not taken.
type fetched struct {
	chunks []*chunk
	bytes  int // of memory that the chunks take, about
	// tipSince and tipAt are times by the service's clock, the first and the last
	// at which the shard had nothing more than what was fetched; 0 while it has.
	tipSince, tipAt int64
	reached         int64
	behind          time.Duration
	upto            int64 // all that had arrived then was fetched
	// last: with the tip, all that arrived before the end of the stream was fetched.
	last bool
	// ended: nothing comes behind the chunks. heirs are the shards to go on with.
	ended              bool
	lost               bool     // with ended: the shard was gone before it was read to its end
	known              *lineage // with ended: the shards that the service still knows
	heirs              []*shardState
	err                error // final
	fault              fault
	retries, throttled int64
	records, size      int64
}

// fault is what reading fails with at present; zero when it does not.
type fault struct {
	text, code string
	since      int64
}

// finalTries is how often a call that no repetition should help is made before
// it is final: rights and names take a moment to be known everywhere.
const finalTries = 5

const callTimeout = 90 * time.Second

func (f *fetcher) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.room.Broadcast()
	})
	defer stop()
	for f.wait(ctx) {
		ended, err := f.fetch(ctx)
		if err == nil && ended {
			err = f.end(ctx)
			ended = err == nil
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil && !f.endures(ctx, err) || err == nil && ended {
			return
		}
	}
}

// wait returns when the next call may be made, false when none may ever.
func (f *fetcher) wait(ctx context.Context) bool {
	f.mu.Lock()
	for f.found.bytes >= f.target && ctx.Err() == nil {
		f.room.Wait()
	}
	f.mu.Unlock()
	return f.awake(ctx) && pause(ctx, f.pacer.next.Sub(f.stream.now()))
}

// endures counts a failure and waits; it is false when the error is final.
func (f *fetcher) endures(ctx context.Context, err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		err = &driver.Error{
			Doing: "read", Object: f.stream.place.String(), Class: driver.ErrUnavailable,
			Cause: fmt.Errorf("no answer within %v", callTimeout), Cure: "check the network",
		}
	}
	throttled := errors.Is(err, driver.ErrThrottled)
	f.failures++
	f.mu.Lock()
	if f.found.fault.since == 0 {
		f.found.fault.since = f.stream.serviceNow()
	}
	f.found.fault.text, f.found.fault.code = err.Error(), driver.FaultCode(errorCode(err), err)
	f.found.retries++
	if throttled {
		f.found.throttled++
	}
	final := !passes(err) && f.failures >= finalTries
	if final {
		f.found.err = err
	}
	f.mu.Unlock()
	if final {
		f.tell()
		return false
	}
	if throttled {
		f.pacer.refused()
	}
	return pause(ctx, retryPause(f.failures))
}

func (f *fetcher) tell() {
	select {
	case f.news <- struct{}{}:
	default:
	}
}

// fetch makes a call for records, and tells whether the shard has ended.
func (f *fetcher) fetch(ctx context.Context) (ended bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if f.endangered() && !f.proved {
		f.iterator, f.verify = "", true
	}
	if f.iterator == "" {
		if ended, err = f.iterate(ctx); ended || err != nil {
			return ended, err
		}
	}
	begun, asked := f.stream.now(), f.stream.serviceNow()
	out, err := f.stream.client.GetRecords(context.WithValue(ctx, answerBuffer{}, &f.buffer), &kinesis.GetRecordsInput{
		ShardIterator: &f.iterator, Limit: aws.Int32(int32(f.perCall)), StreamARN: f.arn(),
	}, once)
	if errors.Is(err, errAnswerLong) && f.perCall > 1 {
		f.perCall = max(1, f.perCall/4) // Kinesis stops at 10 MiB, others give what is asked for
		f.pacer.spend(begun, maxAnswer)
		return false, nil
	}
	if err != nil {
		f.pacer.spend(begun, 0)
		return false, f.failed(ctx, err)
	}
	f.stream.seeClock(out.ResultMetadata)
	f.failures = 0
	f.pacer.allowed()
	bytes := f.take(out, asked)
	f.pacer.spend(begun, bytes)
	f.iterator = aws.ToString(out.NextShardIterator)
	if f.iterator != "" && f.found.tipAt >= f.endTip { // only this goroutine changes it
		return false, f.confirm(ctx)
	}
	return f.iterator == "", nil
}

// confirm makes sure that a shard at its tip is the end of its line, and was not
// closed in favour of others that have something still.
func (f *fetcher) confirm(ctx context.Context) error {
	listed, err := f.stream.listShards(ctx, once)
	if err != nil {
		return err
	}
	open := newLineage(listed).open[f.shard]
	f.mu.Lock()
	f.found.last = open
	f.mu.Unlock()
	f.tell()
	return nil
}

func (f *fetcher) arn() *string {
	_, arn := f.stream.place.target()
	return arn
}

// failed says what an error of a call for records means.
func (f *fetcher) failed(ctx context.Context, err error) error {
	switch errorCode(err) {
	case "ExpiredIteratorException":
		f.iterator = ""
		return nil
	case "ResourceNotFoundException":
		f.iterator = ""
		return f.missing(ctx, err)
	}
	err = serviceError("read", f.stream.place, err)
	if errors.Is(err, driver.ErrInvalid) || f.failures > 1 && !errors.Is(err, driver.ErrPermission) {
		f.iterator = "" // it may be the cause
	}
	return err
}

// missing tells a stream that is gone from a shard that is.
func (f *fetcher) missing(ctx context.Context, err error) error {
	name, arn := f.stream.place.target()
	out, again := f.stream.client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: name, StreamARN: arn}, once)
	gone := errorCode(again) == "ResourceNotFoundException"
	if again == nil && out.StreamDescriptionSummary != nil {
		gone = out.StreamDescriptionSummary.StreamStatus == types.StreamStatusDeleting
	}
	if gone {
		return &driver.Error{
			Doing: "read", Object: f.stream.place.String(), Class: driver.ErrNotFound,
			Cause: fmt.Errorf("the stream was deleted while it was read: %w", shortError{errorCode(err), err}),
			Cure:  "what it had not given is lost; create it again and start anew",
		}
	}
	if again != nil {
		return serviceError("describe", f.stream.place, again)
	}
	return &driver.Error{
		Doing: "read", Object: f.stream.place.String(), Class: driver.ErrUnavailable,
		Cause: fmt.Errorf("%s is not there: %w", f.shard, errShardMissing), Cure: "wait",
	}
}

var errShardMissing = errors.New("its records were dropped, or it is asked of the wrong server")

// endangered tells whether the position is about to be, or was, dropped from the
// stream. Calls then begin at the last record read, and not behind it: as long as
// the service still has that one, nothing behind it was dropped.
func (f *fetcher) endangered() bool {
	const margin = 10 * time.Minute
	if f.after == "" || f.retention == 0 {
		return false
	}
	return f.reached < f.stream.serviceNow()-f.retention.Milliseconds()+margin.Milliseconds()
}

// iterate finds where to read on.
func (f *fetcher) iterate(ctx context.Context) (ended bool, err error) {
	err = f.iterateFrom(ctx, f.position())
	code := errorCode(err)
	if gone := code == "InvalidArgumentException" || code == "ResourceNotFoundException"; gone && f.after != "" && f.failures > 1 {
		// The number is no longer known, or the shard is not. What was read before is
		// passed over, so this costs time at worst.
		f.verify = true
		err = f.iterateFrom(ctx, &kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
	}
	if errorCode(err) != "ResourceNotFoundException" {
		return false, serviceError("read", f.stream.place, err)
	}
	if err = f.missing(ctx, err); !errors.Is(err, errShardMissing) {
		return false, err
	}
	listed, again := f.stream.listShards(ctx, once)
	if again != nil {
		return false, again
	}
	if _, there := newLineage(listed).shards[f.shard]; there {
		return false, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.found.lost = true // it was dropped with what it still had
	return true, nil
}

func (f *fetcher) position() *kinesis.GetShardIteratorInput {
	switch {
	case f.after != "" && f.verify:
		return &kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeAtSequenceNumber, StartingSequenceNumber: aws.String(decimal(f.after))}
	case f.after != "":
		return &kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeAfterSequenceNumber, StartingSequenceNumber: aws.String(decimal(f.after))}
	case f.from != nil:
		return &kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeAtTimestamp, Timestamp: aws.Time(time.UnixMilli(*f.from))}
	}
	return &kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeTrimHorizon}
}

func (f *fetcher) iterateFrom(ctx context.Context, in *kinesis.GetShardIteratorInput) error {
	in.ShardId = &f.shard
	in.StreamName, in.StreamARN = f.stream.place.target()
	out, err := f.stream.client.GetShardIterator(ctx, in, once)
	if err != nil {
		return err
	}
	f.iterator = aws.ToString(out.ShardIterator)
	return nil
}

// take cuts an answer into chunks and leaves them to the reader.
func (f *fetcher) take(out *kinesis.GetRecordsOutput, asked int64) (bytes int) {
	for i := range out.Records {
		bytes += len(out.Records[i].Data)
	}
	cut := framer{framing: f.framing, size: bytes}
	known := false // a record that was read before was met
	fresh := false // one that was not
	for i := range out.Records {
		r := &out.Records[i]
		p := part{sequence: record.Sequence(aws.ToString(r.SequenceNumber)), arrival: f.arrival(r)}
		if !later(p.sequence, f.after) {
			known = true
			continue
		}
		p.lost = f.verify && !known
		f.verify = false
		skip := 0
		if p.sequence == f.inside {
			skip = f.skip
		}
		f.inside, f.skip = "", 0
		cut.add(p, r.Data, skip)
		fresh = true
		f.after, f.reached = p.sequence, max(f.reached, p.arrival)
	}
	if known {
		f.verify = false
	}
	f.proved = known && !fresh
	held := 0
	for _, c := range cut.chunks {
		held += c.held()
	}
	behind := time.Duration(aws.ToInt64(out.MillisBehindLatest)) * time.Millisecond
	tip := len(out.Records) == 0 && behind == 0 && aws.ToString(out.NextShardIterator) != ""
	if tip {
		f.reached = max(f.reached, asked)
	}
	f.adapt(len(out.Records), max(bytes, held))

	f.mu.Lock()
	f.put(cut.chunks)
	f.found.bytes += held
	f.found.behind, f.found.reached, f.found.fault = behind, f.reached, fault{}
	f.found.upto = asked - behind.Milliseconds()
	f.found.records += int64(len(out.Records))
	f.found.size += int64(bytes)
	switch {
	case !tip:
		f.found.tipSince, f.found.tipAt = 0, 0
	case f.found.tipSince == 0:
		f.found.tipSince, f.found.tipAt = asked, asked
	default:
		f.found.tipAt = asked
	}
	f.mu.Unlock()
	if tip || len(cut.chunks) > 0 {
		f.tell()
	}
	return bytes
}

func (f *fetcher) arrival(r *types.Record) int64 {
	if r.ApproximateArrivalTimestamp == nil {
		return f.stream.serviceNow()
	}
	return r.ApproximateArrivalTimestamp.UnixMilli()
}

// adapt asks for as many records as bring about the target of bytes.
func (f *fetcher) adapt(records, bytes int) {
	if records == 0 {
		return
	}
	fit := max(1, int(int64(f.target)*int64(records)/int64(max(bytes, 1))))
	f.perCall = min(fit, 4*f.perCall, maxAnswerRecords)
}

// put appends chunks to those that wait; small ones are joined.
func (f *fetcher) put(chunks []*chunk) {
	for _, c := range chunks {
		waiting := f.found.chunks
		if n := len(waiting); n > 0 && waiting[n-1].joins(c, f.framing.block) {
			continue
		}
		f.found.chunks = append(f.found.chunks, c)
	}
}

// end finds the shards to go on with after the end of this one.
func (f *fetcher) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	listed, err := f.stream.listShards(ctx, once)
	if err != nil {
		return err
	}
	closed := &shardState{ID: f.shard, First: f.framing.hashes.first.String(), Last: f.framing.hashes.last.String()}
	known := newLineage(listed)
	heirs, found := known.successors(closed)
	if !found {
		return &driver.Error{
			Doing: "read", Object: f.stream.place.String(), Class: driver.ErrUnavailable,
			Cause: fmt.Errorf("%s is closed and has no children yet", f.shard), Cure: "wait",
		}
	}
	f.mu.Lock()
	f.found.ended, f.found.heirs, f.found.known, f.found.fault = true, heirs, known, fault{}
	f.mu.Unlock()
	f.tell()
	return nil
}

// next takes the first chunk that waits; without one it tells all else.
func (f *fetcher) next() (*chunk, fetched) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.found.chunks) == 0 {
		return nil, f.found
	}
	c := f.found.chunks[0]
	f.found.chunks[0] = nil
	f.found.chunks = f.found.chunks[1:]
	f.found.bytes -= c.held()
	f.room.Broadcast()
	return c, fetched{}
}

// status is what was found, without what waits.
func (f *fetcher) status() (found fetched, waiting bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	found = f.found
	found.chunks = nil
	return found, len(f.found.chunks) > 0
}
