package kinesisio

import "bytes"

// chunk holds consecutive records of a shard as a block will: lines one behind
// the other, without their ends.
type chunk struct {
	parts     []part
	data      []byte
	ends      []int
	positions []int64
	sequences []string
	arrivals  []int64
	times     []int64 // event times, or noTime
	oversize  int64   // the length of the only line, when it is too long to carry

	part, line int // the first that the reader has not taken
}

// part is a stream record in a chunk, or some lines of one: a line too long to
// carry makes a chunk of its own, and may lie in the middle of a record.
type part struct {
	sequence string
	arrival  int64
	bytes    int  // of the whole stream record
	held     int  // bytes of memory that the record takes, about; counted once it ends
	lines    int  // where its lines end in the chunk
	begins   bool // it holds the record's first line, or the record has none
	ends     bool // likewise the last
	lost     bool // records before this one were lost
}

// framing says how stream records are cut into lines.
type framing struct {
	eventTime func(line []byte, arrival int64) (int64, bool)
	hashes    hashRange
	block     int // bytes of a chunk, about
	maxLine   int // longest line carried
}

// framer cuts stream records into lines and collects these in chunks.
type framer struct {
	framing
	chunks []*chunk
	size   int // bytes still to come, about

	now part // the stream record at hand
	own int  // its lines in the last chunk
}

const (
	oversizeHead = 4 << 10 // bytes kept of a line too long to carry
	// lineBytes is what a line takes besides its text in the lists of a chunk. A record
	// of nothing but line feeds is so many times larger in memory than in the stream.
	lineBytes = 8 + 8 + 16 + 8 + 8
	// maxChunkLines bounds those lists: text alone does not fill a chunk whose lines
	// are empty.
	maxChunkLines = 64 << 10
)

// add takes a stream record, of which skip lines were given before. A line ends
// with a line feed or with carriage return and line feed; what follows the last
// one is a line, too, unless it is empty. A record without bytes is one empty
// line. The position of a line is the number of its user record in an aggregated
// record, with the number of the line in that 32 bits higher.
func (f *framer) add(p part, data []byte, skip int) {
	users, aggregated := deaggregate(data, f.hashes)
	if !aggregated {
		users = [][]byte{data}
	}
	p.bytes, p.held, p.begins = len(data), len(data), skip == 0
	f.now, f.own = p, 0
	if n := len(f.chunks); n == 0 || len(f.chunks[n-1].data) >= f.block || len(f.chunks[n-1].ends) >= maxChunkLines || f.chunks[n-1].oversize > 0 {
		f.open()
	}
	for sub, user := range users {
		for number := int64(0); ; number++ {
			line, rest, found := bytes.Cut(user, newline)
			if found && len(line) > 0 && line[len(line)-1] == '\r' {
				line = line[:len(line)-1]
			}
			if skip > 0 {
				skip--
			} else {
				f.line(line, int64(sub)+number<<32)
			}
			if user = rest; len(user) == 0 {
				break
			}
		}
	}
	f.now.ends = true
	f.closePart()
	f.size -= len(data)
}

var newline = []byte{'\n'}

// open begins a chunk.
func (f *framer) open() {
	room := max(0, min(f.size, f.block+f.block/4))
	f.chunks, f.own = append(f.chunks, &chunk{data: make([]byte, 0, room)}), 0
}

// closePart ends what the last chunk has of the record at hand.
func (f *framer) closePart() {
	c := f.chunks[len(f.chunks)-1]
	f.now.lines = len(c.ends)
	c.parts = append(c.parts, f.now)
	f.now.begins, f.now.lost = false, false
}

func (f *framer) line(line []byte, position int64) {
	c := f.chunks[len(f.chunks)-1]
	if long := len(line) > f.maxLine; long && len(c.ends) > 0 || c.oversize > 0 || len(c.ends) >= maxChunkLines {
		if f.own > 0 {
			f.closePart()
		}
		f.open()
		c = f.chunks[len(f.chunks)-1]
	}
	at := int64(noTime)
	if len(line) > f.maxLine {
		c.oversize = int64(len(line))
		line = line[:min(oversizeHead, f.maxLine)]
	} else if ms, ok := f.eventTime(line, f.now.arrival); ok {
		at = ms
	}
	c.data = append(c.data, line...)
	c.ends = append(c.ends, len(c.data))
	c.positions = append(c.positions, position)
	c.sequences = append(c.sequences, f.now.sequence)
	c.arrivals = append(c.arrivals, f.now.arrival)
	c.times = append(c.times, at)
	f.now.held += lineBytes
	f.own++
}

// held is the memory that the records which end in the chunk take, about.
func (c *chunk) held() (bytes int) {
	for _, p := range c.parts {
		if p.ends {
			bytes += p.held
		}
	}
	return bytes
}

// joins appends another chunk that comes right behind this one, if both together
// are small enough and nothing was taken of this one yet.
func (c *chunk) joins(next *chunk, most int) bool {
	if c.part > 0 || c.oversize > 0 || next.oversize > 0 || len(c.data)+len(next.data) > most || len(c.ends)+len(next.ends) > maxChunkLines {
		return false
	}
	lines, bytes := len(c.ends), len(c.data)
	for _, p := range next.parts {
		p.lines += lines
		c.parts = append(c.parts, p)
	}
	for _, end := range next.ends {
		c.ends = append(c.ends, end+bytes)
	}
	c.data = append(c.data, next.data...)
	c.positions = append(c.positions, next.positions...)
	c.sequences = append(c.sequences, next.sequences...)
	c.arrivals = append(c.arrivals, next.arrivals...)
	c.times = append(c.times, next.times...)
	return true
}
