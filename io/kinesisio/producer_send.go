package kinesisio

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"millrace/io/driver"
)

// unit is one Kinesis record on its way: the first n records of a lane.
type unit struct {
	lane    *lane
	records []queued // of the lane when the call was planned
	n       int
	packed  bool // n records in the format of the KPL
}

// run is the dispatcher: it plans calls and starts them until the Producer ends.
func (p *Producer) run() {
	defer close(p.stopped)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for p.ctx.Err() == nil {
		p.mu.Lock()
		call, refresh, until := p.next(p.now())
		if call != nil {
			p.calls++
			p.stats.Calls++
		}
		p.mu.Unlock()
		switch {
		case call != nil:
			p.calling.Go(func() { p.put(call) })
			continue
		case refresh:
			p.refresh()
			continue
		}
		if until == never {
			timer.Stop()
		} else {
			timer.Reset(until - p.now())
		}
		select {
		case <-p.wake:
		case <-timer.C:
		case <-p.ctx.Done():
		}
	}
	p.mu.Lock()
	p.fail(fmt.Errorf("put records into %s: %w", p.place, context.Cause(p.ctx)))
	p.mu.Unlock()
}

// next plans what to do now: a call, or a look at the shards, or else how long
// to wait for either.
func (p *Producer) next(now time.Duration) (call []unit, refresh bool, until time.Duration) {
	switch {
	case p.stale:
		return nil, p.calls == 0, never
	case p.calls >= p.opt.MaxCalls:
		return nil, false, never
	case now < p.nextCall:
		return nil, false, p.nextCall
	}
	p.promote(now)
	until = never
	if len(p.waiting) > 0 {
		until = p.waiting[0].due
	}
	if len(p.available) == 0 {
		return nil, false, until
	}
	pressing := p.pressing()
	if due := p.available[0].due; !pressing && due > now {
		return nil, false, min(until, due)
	}
	p.nextCall = now + p.pace.pause
	return p.plan(now, pressing), false, 0
}

// plan takes what is due into a call, and what may as well go with it.
func (p *Producer) plan(now time.Duration, pressing bool) (call []unit) {
	size := 0
	for len(p.available) > 0 && len(call) < maxCallRecords {
		l := p.available[0]
		if !pressing && p.opt.Aggregate && l.due > now+p.opt.MaxDelay/2 {
			break // it shall gather more
		}
		most := len(l.queue)
		if l.suspects > 0 {
			most = min(l.suspects, l.pack)
		}
		u := unit{lane: l, records: l.queue[:1], n: 1}
		if p.opt.Aggregate {
			u.records = l.queue[:most:most]
		}
		bound := p.bound(&u)
		if len(call) > 0 && (size+bound > maxCallBytes || !joins(l, call)) {
			break
		}
		heap.Pop(&p.available)
		l.flying = len(u.records)
		size += bound
		call = append(call, u)
	}
	return call
}

// joins tells whether a lane may be in a call with others: suspects go with suspects, up
// to what each of them allows.
func joins(l *lane, call []unit) bool {
	first := call[0].lane
	if l.suspects == 0 || first.suspects == 0 {
		return l.suspects == first.suspects
	}
	return len(call) < min(l.most, first.most)
}

// bound is how many bytes a unit has at most, once packed.
func (p *Producer) bound(u *unit) int {
	if len(u.records) == 1 {
		return u.records[0].size() + aggregateOverhead + len(aggregateMagic)
	}
	return min(p.aggregateLimit(), u.lane.bytes+len(u.records)*aggregateOverhead) + len(aggregateKey)
}

// aggregateLimit is how long the data of an aggregate may be: no more than a shard
// takes in a second, even where a single record may be longer.
func (p *Producer) aggregateLimit() int { return min(p.limit, defaultRecord) - len(aggregateKey) }

// put makes a call and deals with its answer.
func (p *Producer) put(call []unit) {
	entries := make([]types.PutRecordsRequestEntry, len(call))
	for i := range call {
		entries[i] = p.entry(&call[i])
	}
	stream, arn := p.place.target()
	ctx, cancel := context.WithTimeout(p.ctx, p.opt.CallTimeout)
	defer cancel()
	out, err := p.client.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: stream, StreamARN: arn, Records: entries}, once)
	if err == nil && len(out.Records) != len(call) {
		err = fmt.Errorf("an answer for %d of %d records", len(out.Records), len(call))
	}
	p.settle(call, out, err)
}

// aggregateKey is the partition key of an aggregated record. What decides its
// shard is its explicit hash key; consumers use the keys inside.
const aggregateKey = "a"

// entry makes the Kinesis record. A record that goes alone goes as it is, unless
// a consumer would take it for an aggregate.
func (p *Producer) entry(u *unit) types.PutRecordsRequestEntry {
	first := &u.records[0]
	if p.opt.Aggregate {
		a, _ := p.packers.Get().(*aggregate)
		if a == nil {
			a = &aggregate{}
		}
		defer func() { a.reset(); p.packers.Put(a) }()
		room := p.aggregateLimit()
		n := 0
		for n < len(u.records) && a.add(u.records[n].Key, u.records[n].ExplicitHashKey, u.records[n].Data, room) {
			n++
		}
		if n > 1 || strings.HasPrefix(string(first.Data[:min(len(first.Data), len(aggregateMagic))]), aggregateMagic) && a.size() <= room {
			u.n, u.packed = n, true
			return types.PutRecordsRequestEntry{
				Data: a.appendTo(make([]byte, 0, a.size())), PartitionKey: aws.String(aggregateKey),
				// That of a record inside: wherever the shards are cut meanwhile, this
				// one at least comes to its own.
				ExplicitHashKey: aws.String(first.hash.String()),
			}
		}
	}
	e := types.PutRecordsRequestEntry{Data: first.Data, PartitionKey: &first.Key}
	if first.ExplicitHashKey != "" {
		e.ExplicitHashKey = &first.ExplicitHashKey
	}
	if e.Data == nil {
		e.Data = []byte{}
	}
	return e
}

// settle acknowledges the records that an answer says are stored, and puts the
// others first in line.
func (p *Producer) settle(call []unit, out *kinesis.PutRecordsOutput, err error) {
	p.mu.Lock()
	p.calls--
	if out != nil && p.pace.pause > 0 {
		p.pace.passed()
	}
	for _, u := range call {
		for i := range u.n {
			u.lane.queue[i].attempts++
		}
	}
	var refused []queued
	var again error // what the call, or some of it, is made again for
	switch outcome, cause := p.outcomeOf("write to", err); outcome {
	case wasPut:
		again = p.settleEach(call, out.Records)
	case wasThrottled, wasLost:
		p.stats.Fault = cause.Error()
		p.again(call, outcome)
		again = cause
	case wasInvalid:
		err = causeOf(cause)
		refused = p.narrow(call, err)
	case wasBrokenOff:
		for _, u := range call {
			p.stats.Uncertain += int64(u.n)
		}
	case wasDenied:
		p.fail(cause)
	}
	p.announce()
	p.signal()
	p.mu.Unlock()
	for i := range refused {
		p.tell(&refused[i], p.refusal(&refused[i].Record, err, ""))
	}
	if again != nil {
		driver.Retried(p.ctx, again)
	}
}

// settleEach deals with an answer, record by record. The error is what those are put
// again for that failed.
func (p *Producer) settleEach(call []unit, results []types.PutRecordsResultEntry) error {
	throttled := 0
	fault := ""
	for i := range call {
		u, r := &call[i], &results[i]
		switch code := aws.ToString(r.ErrorCode); {
		case code != "":
			if _, class := classify(code, 0, "PutRecords", p.place); errors.Is(class, driver.ErrThrottled) {
				throttled++
				u.lane.pace.throttled()
			}
			fault = strings.TrimSuffix(code+": "+aws.ToString(r.ErrorMessage), ": ")
			p.retry(u)
		case p.opt.Aggregate && aws.ToString(r.ShardId) != u.lane.name:
			p.stale = true
			if u.packed { // whether a reader takes it depends on that shard's range
				u.lane.flying, u.lane.landed = u.n, aws.ToString(r.ShardId)
				continue
			}
			p.acknowledge(u.lane, u.n)
			p.stats.Records++
			p.proceed(u.lane)
		default:
			p.acknowledge(u.lane, u.n)
			p.stats.Records++
			p.proceed(u.lane)
		}
	}
	p.stats.Fault = fault
	p.stats.Throttled += int64(throttled)
	if 2*throttled >= len(call) && throttled > 1 {
		p.slowDown()
	}
	if fault == "" {
		return nil
	}
	failed := &driver.Error{Doing: "write to", Object: p.place.String(), Class: driver.ErrUnavailable, Cause: errors.New(fault)}
	if throttled > 0 {
		failed.Class = driver.ErrThrottled
	}
	return failed
}

// acknowledge settles the first n records of a lane as stored.
func (p *Producer) acknowledge(l *lane, n int) {
	p.stats.Acknowledged += int64(n)
	for i := range n {
		p.stats.Bytes += int64(l.queue[i].size())
	}
	p.drop(l, n)
	l.clear(n)
}

// retry puts a unit that failed first in line, after a while.
func (p *Producer) retry(u *unit) {
	l := u.lane
	l.flying = 0
	l.tries++
	p.stats.Retried++
	p.delay(l, max(backoff(l.tries), l.pace.pause))
}

// again retries every unit of a call that failed as a whole.
func (p *Producer) again(call []unit, why outcome) {
	if why == wasThrottled {
		p.stats.Throttled += int64(len(call))
		p.slowDown()
	}
	for i := range call {
		p.retry(&call[i])
	}
}

// slowDown keeps calls apart.
func (p *Producer) slowDown() {
	p.pace.throttled()
	p.nextCall = p.now() + p.pace.pause
}

// narrow searches a call that the service finds invalid for the record that is, by
// halves. One that was alone is refused.
func (p *Producer) narrow(call []unit, cause error) (refused []queued) {
	if len(call) == 1 && call[0].n == 1 {
		l := call[0].lane
		refused = append(refused, l.queue[0])
		p.stats.Refused++
		p.drop(l, 1)
		l.clear(1)
		if p.opt.refused == nil {
			p.fail(p.refusal(&refused[0].Record, cause, ""))
			return nil
		}
		p.proceed(l)
		return refused
	}
	for i := range call {
		l := call[i].lane
		l.flying = 0
		l.suspect(call[i].n, len(call))
		p.stats.Retried++
		p.offer(l)
	}
	return nil
}

// outcome is how a call ended.
type outcome int

const (
	wasPut       outcome = iota // answered, record by record
	wasThrottled                // refused for its rate
	wasLost                     // no answer, or one that the service is not well: it may have been done
	wasInvalid                  // refused for something that it holds
	wasDenied                   // refused for a reason that concerns every call
	wasBrokenOff                // ended by the Producer
)

// outcomeOf tells how a call ended, and gives its error a text for people.
func (p *Producer) outcomeOf(doing string, err error) (outcome, error) {
	switch {
	case err == nil:
		return wasPut, nil
	case p.ctx.Err() != nil:
		return wasBrokenOff, fmt.Errorf("%s %s: %w", doing, p.place, context.Cause(p.ctx))
	case errors.Is(err, context.DeadlineExceeded):
		return wasLost, &driver.Error{Doing: doing, Object: p.place.String(), Class: driver.ErrUnavailable, Cause: fmt.Errorf("no answer within %s", p.opt.CallTimeout)}
	}
	err = serviceError(doing, p.place, err)
	switch {
	case errors.Is(err, driver.ErrThrottled):
		return wasThrottled, err
	case errors.Is(err, driver.ErrInvalid):
		return wasInvalid, err
	case errors.Is(err, driver.ErrNotFound), errors.Is(err, driver.ErrPermission):
		return wasDenied, err
	}
	return wasLost, err
}

// causeOf is what the service said, without what it was asked.
func causeOf(err error) error {
	if e := new(driver.Error); errors.As(err, &e) && e.Cause != nil {
		return e.Cause
	}
	return err
}
