package kinesisio

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go/middleware"

	"millrace/io/driver"
)

// Stream reads a Kinesis data stream.
type Stream struct {
	place  place
	client *kinesis.Client
	opt    driver.StreamOptions
	format string
	start  start
	until  until
	limits limits
	now    func() time.Time
	skew   atomic.Int64 // of the service's clock against ours, nanoseconds

	mu      sync.Mutex
	summary *summary
}

var _ driver.Stream = (*Stream)(nil)

// start is where shards without a position begin, as the URL says.
type start struct {
	rule startRule
	at   int64  // Unix milliseconds, for startTime
	file string // for startPositions; only Begin reads it, so workers need not have it
}

type startRule int

const (
	startHorizon startRule = iota
	startLatest
	startTime
	startPositions
)

// until is where a stream ends.
type until struct {
	bounded bool
	tip     bool  // where the stream ended at Begin
	at      int64 // else the arrival time, Unix milliseconds, of the first record not read
}

// limits bound how fast a reader asks, and how much it holds.
type limits struct {
	poll    time.Duration // between calls for records of a shard
	rate    int64         // bytes a second of a shard
	ahead   int64         // bytes read ahead by a reader
	block   int           // bytes of a block
	maxLine int
}

const (
	defaultPoll    = 250 * time.Millisecond // of five calls a second that a shard bears
	defaultRate    = 2 << 20
	defaultAhead   = 64 << 20
	defaultBlock   = 256 << 10
	defaultMaxLine = 1 << 20
	maxMaxLine     = 10 << 20 // more no stream record holds
)

// OpenStream opens a stream named by a URL:
//
//	kinesis://NAME
//	kinesis://arn:aws:kinesis:REGION:ACCOUNT:stream/NAME
//
// It asks the service nothing yet. Parameters:
//
//	start=trim_horizon   the oldest records kept; latest; a time (2026-01-31T12:00:00Z) by
//	                     arrival; positions, to read on where others ended. It is said
//	                     of the shards that exist at Begin; others begin at their beginning
//	positions=FILE       what Positions gave; only Begin reads it
//	until=tip            end with what had arrived at Begin; or at an arrival time
//	region=eu-west-1     of the stream
//	format=combined      the decoder of its records
//	poll=250ms           between two calls for records of a shard
//	rate=2MiB            bytes a second that are asked of a shard
//	ahead=64MiB          bytes that one reader holds, about
//	block=256KiB         about how much one block holds
//	max_line=1MiB        a longer line is given as its length and first bytes
func OpenStream(ctx context.Context, location string, opt driver.StreamOptions) (*Stream, error) {
	p, err := parsePlace(location)
	if err != nil {
		return nil, err
	}
	s := &Stream{place: p, opt: opt, now: time.Now}
	if s.opt.EventTime == nil {
		s.opt.EventTime = func(string) func([]byte, int64) (int64, bool) {
			return func([]byte, int64) (int64, bool) { return 0, false }
		}
	}
	if s.opt.RollBytes <= 0 {
		s.opt.RollBytes = math.MaxInt64
	}
	if s.opt.RollEvery <= 0 {
		s.opt.RollEvery = 100 * 365 * 24 * time.Hour
	}
	s.format = p.Text("format", opt.Format)
	s.limits = limits{
		poll: p.Duration("poll", defaultPoll), rate: p.Bytes("rate", defaultRate), ahead: p.Bytes("ahead", defaultAhead),
		block: int(min(p.Bytes("block", defaultBlock), 64<<20)), maxLine: int(p.Bytes("max_line", defaultMaxLine)),
	}
	startText, positions, untilText := p.Text("start", ""), p.Text("positions", ""), p.Text("until", "")
	if err := p.Done(); err != nil {
		return nil, err
	}
	if s.limits.maxLine > maxMaxLine {
		return nil, badPlace(p.String(), "max_line can be 10MiB at most", "choose a smaller one")
	}
	if s.start, err = parseStart(p, startText, positions); err != nil {
		return nil, err
	}
	if s.until, err = parseUntil(p, untilText); err != nil {
		return nil, err
	}
	if s.client, err = newClient(ctx, p); err != nil {
		return nil, err
	}
	s.place.region = s.client.Options().Region
	return s, nil
}

func parseStart(p place, text, positions string) (start, error) {
	switch {
	case text == "positions" || text == "" && positions != "":
		if positions == "" {
			return start{}, badPlace(p.String(), "start=positions needs the parameter positions", "name the file with positions=FILE")
		}
		return start{rule: startPositions, file: positions}, nil
	case positions != "":
		return start{}, badPlace(p.String(), "start="+text+" and positions contradict each other", "leave one out")
	case text == "" || text == "trim_horizon":
		return start{rule: startHorizon}, nil
	case text == "latest":
		return start{rule: startLatest}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return start{}, badPlace(p.String(), fmt.Sprintf("start=%s is not trim_horizon, latest, positions or a time", text), "write a time as 2026-01-31T12:00:00Z")
	}
	return start{rule: startTime, at: at.UnixMilli()}, nil
}

func parseUntil(p place, text string) (until, error) {
	switch text {
	case "":
		return until{}, nil
	case "tip":
		return until{bounded: true, tip: true}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return until{}, badPlace(p.String(), fmt.Sprintf("until=%s is not tip or a time", text), "write a time as 2026-01-31T12:00:00Z")
	}
	return until{bounded: true, at: at.UnixMilli()}, nil
}

// summary is what the service says of a stream.
type summary struct {
	arn       string
	created   int64 // Unix milliseconds, 0 when not told
	retention time.Duration
	record    int // bytes of the largest record
}

// describe asks once.
func (s *Stream) describe(ctx context.Context) (*summary, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.summary != nil {
		return s.summary, nil
	}
	name, arn := s.place.target()
	out, err := s.client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: name, StreamARN: arn})
	if err != nil {
		return nil, serviceError("describe", s.place, err)
	}
	s.seeClock(out.ResultMetadata)
	d := out.StreamDescriptionSummary
	if d == nil || aws.ToString(d.StreamARN) == "" {
		return nil, &driver.Error{
			Doing: "describe", Object: s.place.String(), Class: driver.ErrUnavailable, Cause: errors.New("the answer lacks the stream's ARN"),
			Cure: "check that AWS_ENDPOINT_URL_KINESIS points at a Kinesis service",
		}
	}
	if d.StreamStatus == types.StreamStatusDeleting || d.StreamStatus == types.StreamStatusCreating {
		return nil, &driver.Error{
			Doing: "read", Object: s.place.String(), Class: driver.ErrUnavailable,
			Cause: fmt.Errorf("the stream is %s", d.StreamStatus), Cure: "wait until it is ACTIVE",
		}
	}
	sum := &summary{arn: *d.StreamARN, retention: time.Duration(aws.ToInt32(d.RetentionPeriodHours)) * time.Hour}
	if d.StreamCreationTimestamp != nil {
		sum.created = d.StreamCreationTimestamp.UnixMilli()
	}
	if sum.record = int(aws.ToInt32(d.MaxRecordSizeInKiB)) << 10; sum.record == 0 {
		sum.record = 1 << 20 // unless the owner raised it, which the service then tells
	}
	s.summary = sum
	return sum, nil
}

// RecordLimit is the size in bytes of the largest record that the stream takes,
// partition key included: 1 MiB unless its owner raised it.
func (s *Stream) RecordLimit(ctx context.Context) (int, error) {
	sum, err := s.describe(ctx)
	if err != nil {
		return 0, err
	}
	return sum.record, nil
}

// seeClock compares the service's clock with ours. An answer tells whole seconds,
// so a small difference means nothing.
func (s *Stream) seeClock(m middleware.Metadata) {
	server, ok := awsmiddleware.GetServerTime(m)
	if !ok {
		return
	}
	skew := server.Add(500 * time.Millisecond).Sub(s.now())
	if skew.Abs() < 2*time.Second {
		skew = 0
	}
	s.skew.Store(int64(skew))
}

// serviceNow is the time by the service's clock, in Unix milliseconds.
func (s *Stream) serviceNow() int64 {
	return s.now().Add(time.Duration(s.skew.Load())).UnixMilli()
}

// maxShards is how many shards of a stream are believed, of a listing and of a
// cursor: several times what the service lets an account have. A listing has the
// closed ones, too, as long as their records are kept.
const maxShards = 100_000

var errTooManyShards = errors.New("there are more shards than a stream can have")

// listShards gives all shards that the service still knows, oldest first.
func (s *Stream) listShards(ctx context.Context, call ...func(*kinesis.Options)) ([]types.Shard, error) {
	name, arn := s.place.target()
	var shards []types.Shard
	for in := (&kinesis.ListShardsInput{StreamName: name, StreamARN: arn}); ; {
		page, err := s.client.ListShards(ctx, in, call...)
		if err != nil {
			return nil, serviceError("list the shards of", s.place, err)
		}
		shards = append(shards, page.Shards...)
		if len(shards) > maxShards {
			return nil, serviceError("list the shards of", s.place, fmt.Errorf("%w: it lists more than %d", errTooManyShards, maxShards))
		}
		if aws.ToString(page.NextToken) == "" {
			return shards, nil
		}
		in = &kinesis.ListShardsInput{NextToken: page.NextToken, StreamARN: arn}
	}
}
