package kinesisio

import (
	"millrace/io/driver"
	"millrace/schemas/record"
)

// give gives what is left of a shard's chunk, up to the end of a roll; nil when
// no record was left.
func (r *reader) give(sh *shard) *record.Block {
	c, b := sh.chunk, r.block(sh)
	from := c.line
	for ; c.part < len(c.parts); c.part++ {
		p := &c.parts[c.part]
		if p.begins || sh.Roll == nil {
			if p.arrival >= r.end {
				return r.giveLast(sh, b, from)
			}
			if sh.Roll != nil && (p.lost || sh.Roll.ends(p.arrival, r.rolling)) {
				r.lines(b, c, from)
				r.closeRoll(sh, b)
				return b
			}
			r.begin(sh, p)
		}
		b.Roll = record.RollOf(sh.identity, sh.Roll.First)
		lines := p.lines - c.line
		b.Behind = r.judge(sh, c, p, b.Behind)
		sh.Roll.Records += int64(lines)
		c.line = p.lines
		if !p.ends {
			sh.Inside, sh.Given = p.sequence, sh.Given+lines
			continue
		}
		sh.After, sh.Inside, sh.Given = p.sequence, "", 0
		sh.Reached = max(sh.Reached, p.arrival)
		if sh.Roll.Bytes >= r.rolling.bytes {
			c.part++
			r.lines(b, c, from)
			r.closeRoll(sh, b)
			sh.drop(c)
			return b
		}
	}
	r.lines(b, c, from)
	sh.drop(c)
	if len(b.Ends) == 0 {
		return nil
	}
	return b
}

// drop forgets a chunk that was given whole.
func (sh *shard) drop(c *chunk) {
	if c.part == len(c.parts) {
		sh.chunk = nil
	}
}

// giveLast gives what came before the end of the stream.
func (r *reader) giveLast(sh *shard, b *record.Block, from int) *record.Block {
	r.lines(b, sh.chunk, from)
	if sh.Roll == nil {
		r.finish(sh, false)
		return nil
	}
	r.closeRoll(sh, b)
	r.finish(sh, false)
	return b
}

// begin counts a stream record into its roll, a new one if none is open.
func (r *reader) begin(sh *shard, p *part) {
	sh.Lost = sh.Lost || p.lost
	if sh.Roll == nil {
		sh.Roll = &openRoll{First: p.sequence, After: sh.After, Lost: sh.Lost, FirstArrival: p.arrival, LastArrival: p.arrival}
		sh.Lost = false
	}
	sh.Roll.add(p)
}

// judge appends how late the lines of a part are, each against the watermark
// before it.
func (r *reader) judge(sh *shard, c *chunk, p *part, behind []int64) []int64 {
	disorder, allowed := r.opt.MaxDisorder.Milliseconds(), r.opt.AllowedLateness.Milliseconds()
	for _, at := range c.times[c.line:p.lines] {
		late := int64(0)
		if at != noTime {
			if mark := sh.Clock.watermark(disorder); mark != noTime && at < mark-allowed {
				late = mark - allowed - at
			}
			sh.Clock.see(at, p.arrival)
		}
		behind = append(behind, late)
	}
	return behind
}

// block is one without records.
func (r *reader) block(sh *shard) *record.Block {
	return &record.Block{Source: sh.source, Name: r.stream.place.name + "/" + sh.ID, Format: r.stream.format}
}

// lines gives the lines of a chunk from one on to a block, as views.
func (r *reader) lines(b *record.Block, c *chunk, from int) {
	to := c.line
	start, end := 0, 0
	if from > 0 {
		start = c.ends[from-1]
	}
	if to > 0 {
		end = c.ends[to-1]
	}
	b.Data = c.data[start:end:end]
	b.Ends = c.ends[from:to:to]
	if start > 0 {
		b.Ends = make([]int, to-from)
		for i := range b.Ends {
			b.Ends[i] = c.ends[from+i] - start
		}
	}
	b.Positions, b.Sequences, b.Arrivals = c.positions[from:to:to], c.sequences[from:to:to], c.arrivals[from:to:to]
	if to > from {
		b.Arrival, b.Near = c.arrivals[from], c.arrivals[from]
		b.Oversize = c.oversize
	}
	if b.Behind == nil {
		b.Behind = []int64{}
	}
}

// closeRoll ends the open roll of a shard with a block.
func (r *reader) closeRoll(sh *shard, b *record.Block) {
	b.Roll, b.Close = record.RollOf(sh.identity, sh.Roll.First), sh.Roll.close()
	b.Close.Next = r.next(sh)
	sh.Roll = nil
}

// Status describes the shards that are being read or wait for their parents.
func (r *reader) Status() []driver.ShardStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []driver.ShardStatus
	now := r.stream.serviceNow()
	for _, sh := range r.shards {
		if sh.Done {
			continue
		}
		s := driver.ShardStatus{Shard: sh.ID, Watermark: sh.Clock.watermark(r.opt.MaxDisorder.Milliseconds()), Idle: r.idle(sh, now)}
		if s.Watermark != noTime {
			s.Watermark -= r.opt.AllowedLateness.Milliseconds()
		}
		if sh.fetcher != nil {
			found, _ := sh.fetcher.status()
			s.Behind, s.Upto = found.behind, found.upto
			s.Fault, s.FaultCode, s.Since = found.fault.text, found.fault.code, found.fault.since
			s.Records, s.Bytes, s.Retries, s.Throttled = found.records, found.size, found.retries, found.throttled
		}
		list = append(list, s)
	}
	return list
}
