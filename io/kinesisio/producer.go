package kinesisio

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
)

// Limits of the service.
const (
	maxCallRecords = 500
	maxCallBytes   = 5 << 20 // data and keys; a greater record goes alone
	maxKeyLength   = 256     // code points
	defaultRecord  = 1 << 20 // data and key of one record, where the stream says nothing
)

// Record is a user record: what a consumer gets, after de-aggregation.
type Record struct {
	Key string // partition key, 1 to 256 characters
	// ExplicitHashKey, if not empty, decides the shard instead of the hash of Key:
	// a decimal number below 2^128.
	ExplicitHashKey string
	Data            []byte
}

// size is what the service's limits count.
func (r *Record) size() int { return len(r.Key) + len(r.Data) }

// weight is the memory that a record takes, about.
func (r *Record) weight() int { return r.size() + 100 }

// ProducerOptions say how a Producer works. Zero means the default.
type ProducerOptions struct {
	// Aggregate packs records of one shard into aggregated records, the format of
	// the Kinesis Producer Library. It lifts throughput far above the 1,000 records
	// a second that a shard takes; consumers must take the records apart. It needs
	// the right to list shards.
	Aggregate bool
	// Unordered lets records of one partition key overtake each other. Without it
	// and without Aggregate, one record of a key is on its way at a time, so that
	// a key moves at one record a round trip.
	Unordered bool
	// MaxDelay is how long a record may wait for others to go with; 100 ms.
	MaxDelay time.Duration
	// AggregateBytes is how much of a shard's records goes without waiting for
	// more; 128 KiB. What gathers while a call is under way goes together, up to
	// the limit of a record.
	AggregateBytes int
	// MaxBuffered bounds the memory of records that are accepted and not yet
	// acknowledged: keys, data and 100 bytes for each; 64 MiB. Put waits for room.
	MaxBuffered int
	// MaxCalls is how many calls are under way at a time; 4.
	MaxCalls int
	// CallTimeout is when a call counts as lost and is repeated; 30 s.
	CallTimeout time.Duration
	// Refused is told of each record that the service, or its limits, can never
	// accept, and why; the others go on. It may be called from any goroutine, one
	// call at a time, and must not call the Producer. The record's data are valid
	// during the call. Without it the first refusal ends the Producer.
	Refused func(Record, error)

	refused func(*queued, error) // what is told instead, for rows; nil when nobody is
}

func (o ProducerOptions) withDefaults() ProducerOptions {
	setDefault(&o.MaxDelay, 100*time.Millisecond)
	setDefault(&o.AggregateBytes, 128<<10)
	setDefault(&o.MaxBuffered, 64<<20)
	setDefault(&o.MaxCalls, 4)
	setDefault(&o.CallTimeout, 30*time.Second)
	if told := o.Refused; told != nil && o.refused == nil {
		o.refused = func(q *queued, err error) { told(q.Record, err) }
	}
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// ProducerStats count user records unless they say otherwise.
type ProducerStats struct {
	Accepted     int64 // by Put
	Acknowledged int64 // by the service
	Refused      int64 // told to ProducerOptions.Refused
	Uncertain    int64 // in calls broken off at the end: they may be in the stream
	Bytes        int64 // data and keys acknowledged
	Records      int64 // Kinesis records acknowledged; fewer than user records with Aggregate
	Calls        int64 // of PutRecords
	Retried      int64 // Kinesis records put again
	Throttled    int64 // Kinesis records the service refused for their rate, to be put again
	// Fault is what the latest call failed with; empty when it went well.
	Fault string
}

// Pending is how many records are neither acknowledged nor refused.
func (s ProducerStats) Pending() int64 { return s.Accepted - s.Acknowledged - s.Refused }

// putter is the part of the Kinesis client that a Producer needs.
type putter interface {
	PutRecords(context.Context, *kinesis.PutRecordsInput, ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error)
	ListShards(context.Context, *kinesis.ListShardsInput, ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error)
}

// Producer puts records into a stream: in batches, each record again until the
// service acknowledges it, and those of a partition key in order.
//
// Every record that Put accepts is in the stream at least once when Flush returns
// without error. It can be there twice: Kinesis has no way to recognise a call
// that is repeated because its answer was lost, so that duplicates are for readers
// to drop. Records with equal key and explicit hash key keep their order, repeated
// ones included, in the sense that the first appearance of each precedes the
// first of the next; ProducerOptions.Unordered gives this up.
//
// A Producer is safe for concurrent use.
type Producer struct {
	client putter
	place  place
	limit  int // bytes of data and key of one record
	opt    ProducerOptions
	start  time.Time // the zero of its clock

	ctx     context.Context // of the calls
	cancel  context.CancelCauseFunc
	wake    chan struct{} // something changed that the dispatcher waits for
	stopped chan struct{} // the dispatcher has ended
	calling sync.WaitGroup
	telling sync.Mutex // one call of Refused at a time
	packers sync.Pool  // of *aggregate

	mu        sync.Mutex
	stats     ProducerStats
	buffered  int           // weight of what is accepted and not settled
	settled   chan struct{} // closed when records are settled or the Producer ends
	err       error         // why it ended
	closing   bool          // no more records are accepted
	flushing  int           // callers of Flush
	crowded   int           // callers of Put that wait for room
	chunk     []byte        // where the next data are copied to
	lanes     map[string]*lane
	available laneHeap
	waiting   laneHeap
	calls     int // under way
	pace      pace
	nextCall  time.Duration
	shards    shardMap
	stale     bool // shards is no longer true
}

// NewProducer opens a stream for writing. Of its URL, the parameters aggregate
// (true or false) and order (key or none) win over the options. It lives until
// Close, or until ctx ends, which breaks off what is under way.
func NewProducer(ctx context.Context, url string, opt ProducerOptions) (*Producer, error) {
	place, err := parsePlace(url)
	if err != nil {
		return nil, err
	}
	opt = readProducer(place, opt)
	if err := place.Done(); err != nil {
		return nil, err
	}
	return openProducer(ctx, ctx, place, opt, nil)
}

// readProducer reads the parameters that all writers of a stream have.
func readProducer(p place, opt ProducerOptions) ProducerOptions {
	opt.Aggregate = p.Bool("aggregate", opt.Aggregate)
	order := "key"
	if opt.Unordered {
		order = "none"
	}
	opt.Unordered = p.OneOf("order", order, "key", "none") == "none"
	return opt
}

// openProducer asks the stream, in calls that end with asking, for the limit of its
// records and for its shards, and puts through wrap, unless nil. The Producer ends
// with ctx.
func openProducer(ctx, asking context.Context, at place, opt ProducerOptions, wrap func(putter) putter) (*Producer, error) {
	client, err := newClient(ctx, at)
	if err != nil {
		return nil, err
	}
	name, arn := at.target()
	stream, err := client.DescribeStreamSummary(asking, &kinesis.DescribeStreamSummaryInput{StreamName: name, StreamARN: arn})
	if err != nil {
		return nil, serviceError("write to", at, err)
	}
	limit := defaultRecord
	if d := stream.StreamDescriptionSummary; d != nil && aws.ToInt32(d.MaxRecordSizeInKiB) > 0 {
		limit = int(*d.MaxRecordSizeInKiB) << 10
	}
	put := putter(client)
	if wrap != nil {
		put = wrap(client)
	}
	return newProducer(ctx, asking, put, at, limit, opt)
}

// newProducer starts a Producer for records of up to limit bytes, key included.
func newProducer(ctx, asking context.Context, client putter, at place, limit int, opt ProducerOptions) (*Producer, error) {
	p := &Producer{
		client: client, place: at, limit: limit, opt: opt.withDefaults(), start: time.Now(),
		wake: make(chan struct{}, 1), stopped: make(chan struct{}), settled: make(chan struct{}), lanes: map[string]*lane{},
	}
	if p.opt.Aggregate {
		var err error
		if p.shards, err = listShards(asking, client, at); err != nil {
			return nil, serviceError("list the shards of", at, err)
		}
	}
	p.ctx, p.cancel = context.WithCancelCause(ctx)
	go p.run()
	return p, nil
}

// Put accepts a record, whose data it copies. It waits while MaxBuffered bytes
// are on their way. An error says that the record was not accepted: because ctx
// ended, or because the Producer did, for a reason that concerns every record.
func (p *Producer) Put(ctx context.Context, r Record) error { return p.accept(ctx, queued{Record: r}) }

func (p *Producer) accept(ctx context.Context, q queued) error {
	if ctx.Err() != nil {
		return fmt.Errorf("put a record into %s: %w", p.place, context.Cause(ctx))
	}
	if err := p.check(&q.Record); err != nil {
		return p.refuseNew(&q, err)
	}
	weight := q.weight()
	if p.opt.Aggregate {
		q.hash = q.Record.hash()
	}
	p.mu.Lock()
	for p.err == nil && !p.closing && p.buffered > 0 && p.buffered+weight > p.opt.MaxBuffered {
		p.crowded++
		p.signal()
		err := p.await(ctx)
		p.crowded--
		if err != nil {
			p.mu.Unlock()
			return fmt.Errorf("put a record into %s: %w", p.place, err)
		}
	}
	defer p.mu.Unlock()
	if err := p.ended(); err != nil {
		return err
	}
	p.stats.Accepted++
	p.buffered += weight
	q.Data, q.at = p.keep(q.Data), p.now()
	p.enqueue(q)
	return nil
}

// ended says why no more records are accepted.
func (p *Producer) ended() error {
	switch {
	case p.err != nil:
		return p.err
	case p.closing:
		return fmt.Errorf("put a record into %s: the producer is closed", p.place)
	}
	return nil
}

// Flush sends what waits for company and returns when every record accepted
// before, and while it waits, is acknowledged or refused.
func (p *Producer) Flush(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flushing++
	defer func() { p.flushing-- }()
	p.signal()
	for p.err == nil && p.stats.Pending() > 0 {
		if err := p.await(ctx); err != nil {
			return fmt.Errorf("flush %s: %w", p.place, err)
		}
	}
	if p.stats.Pending() == 0 && errors.Is(p.err, errClosed) {
		return nil
	}
	return p.err
}

// await waits, without the lock, until records are settled or the Producer ends.
func (p *Producer) await(ctx context.Context) error {
	settled := p.settled
	p.mu.Unlock()
	defer p.mu.Lock()
	select {
	case <-settled:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close flushes and ends the Producer. When ctx ends first, or the Producer
// failed, calls under way are broken off and the error says how many of the
// accepted records were not acknowledged and how many of these may be in the
// stream nonetheless.
func (p *Producer) Close(ctx context.Context) error {
	p.mu.Lock()
	p.closing = true
	p.announce()
	p.mu.Unlock()
	err := p.Flush(ctx)
	p.cancel(errClosed)
	<-p.stopped
	p.calling.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		return nil
	}
	if n := p.stats.Pending(); n > 0 {
		err = fmt.Errorf("%w; %d of %d records were not acknowledged, and %d of these may be in the stream", err, n, p.stats.Accepted, p.stats.Uncertain)
	}
	return err
}

var errClosed = errors.New("the producer is closed")

// Stats tells how far the Producer is.
func (p *Producer) Stats() ProducerStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stats
}

// Limit is how many bytes of key and data a record may have.
func (p *Producer) Limit() int { return p.limit }

// fail ends the Producer; the first reason counts.
func (p *Producer) fail(err error) {
	if p.err == nil {
		p.err = err
		p.cancel(err)
		p.announce()
	}
}

// announce wakes whoever waits for records to be settled.
func (p *Producer) announce() {
	close(p.settled)
	p.settled = make(chan struct{})
}

// signal wakes the dispatcher.
func (p *Producer) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// now is the Producer's clock: the time since its start.
func (p *Producer) now() time.Duration { return time.Since(p.start) }

// never is later than any time of the clock.
const never = time.Duration(math.MaxInt64)
