package kinesisio

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"millrace/io/driver"
)

// shardMap tells which shard a record comes to.
type shardMap struct {
	open []shardRange // by hash
	all  map[string]hashRange
}

type shardRange struct {
	name string
	hashRange
}

// listShards asks for the shards of a stream.
func listShards(ctx context.Context, client putter, at place) (m shardMap, err error) {
	m.all = map[string]hashRange{}
	name, arn := at.target()
	for in := (&kinesis.ListShardsInput{StreamName: name, StreamARN: arn}); in != nil; {
		page, err := client.ListShards(ctx, in)
		if err != nil {
			return m, err
		}
		for _, s := range page.Shards {
			r := shardRange{name: aws.ToString(s.ShardId)}
			var first, last bool
			if s.HashKeyRange != nil {
				r.first, first = parseHashKey(aws.ToString(s.HashKeyRange.StartingHashKey))
				r.last, last = parseHashKey(aws.ToString(s.HashKeyRange.EndingHashKey))
			}
			if !first || !last {
				return m, &driver.Error{Doing: "list the shards of", Object: at.String(), Class: driver.ErrCorrupt, Cause: fmt.Errorf("the hash range of %s cannot be read", r.name)}
			}
			m.all[r.name] = r.hashRange
			if s.SequenceNumberRange == nil || s.SequenceNumberRange.EndingSequenceNumber == nil {
				m.open = append(m.open, r)
			}
		}
		in = nil
		if page.NextToken != nil {
			in = &kinesis.ListShardsInput{NextToken: page.NextToken}
		}
	}
	slices.SortFunc(m.open, func(a, b shardRange) int { return a.first.compare(b.first) })
	return m, nil
}

// shardOf is the open shard of a hash. Where there is none, for a moment while
// shards are cut, the nearest stands in: the answer to a put will tell.
func (m *shardMap) shardOf(h hashKey) string {
	if len(m.open) == 0 {
		return ""
	}
	at, found := slices.BinarySearchFunc(m.open, h, func(s shardRange, h hashKey) int { return s.first.compare(h) })
	if !found {
		at = max(0, at-1)
	}
	return m.open[at].name
}

// refresh learns the shards anew, once nothing is on its way, and moves all
// records to their lanes.
func (p *Producer) refresh() {
	for tries := 1; ; tries++ {
		m, err := listShards(p.ctx, p.client, p.place)
		p.mu.Lock()
		done, lost := false, ""
		var again error
		outcome, cause := p.outcomeOf("list the shards of", err)
		switch outcome {
		case wasPut:
			lost = p.unknown(&m)
			if done = lost == ""; done {
				p.relane(m)
			}
		case wasThrottled, wasLost:
			p.stats.Fault, again = cause.Error(), cause
		case wasBrokenOff, wasInvalid, wasDenied:
			p.fail(cause)
			done = true
		}
		if lost != "" && tries > maxRefreshes {
			p.fail(&driver.Error{Doing: "list the shards of", Object: p.place.String(), Class: driver.ErrCorrupt, Cause: fmt.Errorf("a record came to shard %s, which is not among them", lost)})
			done = true
		}
		p.mu.Unlock()
		if again != nil {
			driver.Retried(p.ctx, again)
		}
		if done || !rest(p.ctx, backoff(tries)) {
			return
		}
	}
}

// maxRefreshes is how often the service may not know a shard that it has just
// named: lists can lag.
const maxRefreshes = 20

// unknown names a shard that records came to and that m lacks.
func (p *Producer) unknown(m *shardMap) string {
	for _, l := range p.lanes {
		if _, ok := m.all[l.landed]; l.landed != "" && !ok {
			return l.landed
		}
	}
	return ""
}

// relane follows new shards.
func (p *Producer) relane(m shardMap) {
	lanes := p.lanes
	p.lanes, p.available, p.waiting = map[string]*lane{}, nil, nil
	p.shards, p.stale = m, false
	for _, l := range lanes {
		if l.landed != "" {
			p.land(l, m.all[l.landed])
		}
		for _, q := range l.queue {
			p.enqueue(q)
		}
	}
	p.announce()
}

// land settles an aggregate that came to another shard than expected. Readers
// drop the whole of it when one of its records does not belong there (see
// deaggregate); then all of them go again.
func (p *Producer) land(l *lane, r hashRange) {
	p.stats.Records++
	for _, q := range l.queue[:l.flying] {
		if !r.contains(q.hash) {
			p.stats.Retried++
			return
		}
	}
	p.acknowledge(l, l.flying)
}
