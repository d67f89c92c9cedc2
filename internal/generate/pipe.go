package generate

import (
	"encoding/binary"
	"time"
)

// pipe delays lines on their way to the log, each by at most the bound. A line
// that is not delayed is passed on without being copied.
type pipe struct {
	yield   func(Line) bool
	stopped bool     // the reader wants no more
	bound   int      // seconds
	ring    [][]byte // for each coming second the lines due: length, server, text
}

func newPipe(bound time.Duration) pipe {
	seconds := int(bound / time.Second)
	return pipe{bound: seconds, ring: make([][]byte, seconds+1)}
}

// send passes a line on now, or some seconds later.
func (p *pipe) send(now int64, delay, server int, text []byte) {
	if p.stopped {
		return
	}
	if delay == 0 {
		p.stopped = !p.yield(Line{Server: server, At: now, Text: text})
		return
	}
	slot := &p.ring[(now+int64(delay))%int64(len(p.ring))]
	*slot = binary.LittleEndian.AppendUint32(*slot, uint32(len(text)))
	*slot = binary.LittleEndian.AppendUint16(*slot, uint16(server))
	*slot = append(*slot, text...)
}

// flush passes on what is due now.
func (p *pipe) flush(now int64) {
	slot := &p.ring[now%int64(len(p.ring))]
	for b := *slot; len(b) > 0 && !p.stopped; {
		n := 6 + int(binary.LittleEndian.Uint32(b))
		p.stopped = !p.yield(Line{Server: int(binary.LittleEndian.Uint16(b[4:])), At: now, Text: b[6:n:n]})
		b = b[n:]
	}
	*slot = (*slot)[:0]
}

// drain passes on everything that is due after now.
func (p *pipe) drain(now int64) {
	for range p.bound {
		now++
		p.flush(now)
	}
}

// delay draws how long a line waits.
func (f *Farm) delay() int {
	d := f.disorder()
	if f.cfg.Shuffle > 0 {
		d += f.rng.between(0, int(f.cfg.Shuffle/time.Second))
	}
	return d
}

// disorder draws how long the end of a response takes: most of them no time, some
// up to the bound.
func (f *Farm) disorder() int {
	bound := int(f.cfg.Disorder / time.Second)
	if bound == 0 {
		return 0
	}
	x := f.rng.uint64()
	if x&15 != 0 {
		return 0
	}
	if x>>4&15 == 0 { // one in 256: as late as allowed, or nearly
		return bound - int(x>>33)%(bound+3)/4
	}
	return min(bound, 1+int(f.rng.exp()*int64(bound)/16>>16))
}
