package lakeio

import (
	"bytes"
	"io"
	"math"
)

// lineCutter cuts content into runs of whole lines, at places that depend on the
// content alone:
//
//   - The lines that start in [k*block, (k+1)*block) belong together, for each k.
//   - A line longer than maxLine stands alone, and only its first bytes are kept.
//
// So the blocks of a file are the same for every split size that is a multiple
// of block, for every read size, and on every machine. A line keeps its line
// feed; the last may lack one.
type lineCutter struct {
	r       io.Reader
	block   int
	maxLine int   // longest line carried, in bytes without its line feed
	end     int64 // a line that starts here or later is not ours; -1: all are
	length  int64 // of the content; -1 when unknown. It sizes buffers only.
	base    int64 // offset of buf[0]; a line starts here
	buf     []byte
	eof     bool
}

// lineRun is some lines from base on, or the head of one line of oversize bytes.
type lineRun struct {
	base     int64
	data     []byte
	oversize int64
}

const (
	oversizeHead = 4 << 10  // bytes kept of a line too long to carry
	cutAhead     = 16 << 10 // bytes read at a time in search of a line's end
)

// skipTorn drops the rest of a line that began before our range. The reader must
// start one byte before the range: when that byte is a line feed nothing is torn.
func (c *lineCutter) skipTorn() error {
	stop := int64(math.MaxInt64)
	if c.end >= 0 {
		stop = c.end // no line starts in our range
	}
	_, err := c.dropLine(stop)
	return err
}

// dropLine drops everything through the next line feed and tells whether there
// was one. It may give up at offset stop.
func (c *lineCutter) dropLine(stop int64) (found bool, err error) {
	for {
		if i := bytes.IndexByte(c.buf, '\n'); i >= 0 {
			c.drop(i + 1)
			return true, nil
		}
		c.drop(len(c.buf))
		if c.eof || c.base >= stop {
			return false, nil
		}
		c.buf = c.buf[:0]
		if err := c.fill(cutAhead); err != nil {
			return false, err
		}
	}
}

func (c *lineCutter) drop(n int) {
	c.base += int64(n)
	c.buf = c.buf[n:]
}

// next gives the next run, io.EOF after the last.
func (c *lineCutter) next() (lineRun, error) {
	if c.end >= 0 && c.base >= c.end {
		return lineRun{}, io.EOF
	}
	limit := (c.base/int64(c.block) + 1) * int64(c.block) // where the next run's lines begin
	if c.end >= 0 {
		limit = min(limit, c.end)
	}
	room := int(limit - c.base)
	if err := c.fill(room); err != nil {
		return lineRun{}, err
	}
	if len(c.buf) == 0 {
		return lineRun{}, io.EOF
	}
	// Walk over the lines that start before the limit, in steps of as many lines
	// as fit into maxLine: only the last line of a step is looked at.
	inside := min(room, len(c.buf))
	at := 0
	for at < inside {
		window := min(inside, at+c.maxLine+1)
		i := bytes.LastIndexByte(c.buf[at:window], '\n')
		if i < 0 {
			break
		}
		at += i + 1
	}
	if at < inside { // the line here crosses the limit, is the last, or is too long
		end, err := c.lineEnd(at)
		if err != nil {
			return lineRun{}, err
		}
		if end < 0 {
			return c.cutOversize(at)
		}
		at = end
	}
	return c.cut(at), nil
}

// lineEnd finds the end of the line at buf[at], reading on if need be; -1 when
// the line is too long.
func (c *lineCutter) lineEnd(at int) (int, error) {
	longest := at + c.maxLine + 1
	for from := at; ; {
		limit := min(len(c.buf), longest)
		if i := bytes.IndexByte(c.buf[from:limit], '\n'); i >= 0 {
			return from + i + 1, nil
		}
		if limit == longest {
			return -1, nil
		}
		if c.eof {
			return len(c.buf), nil
		}
		from = limit
		if err := c.fill(min(from+cutAhead, longest)); err != nil {
			return 0, err
		}
	}
}

// cut gives buf[:n] away for good and goes on in another buffer.
func (c *lineCutter) cut(n int) lineRun {
	run := lineRun{base: c.base, data: c.buf[:n:n]}
	rest := c.buf[n:]
	c.base += int64(n)
	c.buf = nil
	if len(rest) > 0 {
		c.buf = append(make([]byte, 0, max(c.size(), len(rest))), rest...)
	}
	return run
}

// cutOversize gives the lines before the one at buf[at]; when there are none,
// that line's head and length.
func (c *lineCutter) cutOversize(at int) (lineRun, error) {
	if at > 0 {
		return c.cut(at), nil
	}
	run := lineRun{base: c.base, data: bytes.Clone(c.buf[:min(oversizeHead, c.maxLine)])}
	found, err := c.dropLine(math.MaxInt64)
	if err != nil {
		return lineRun{}, err
	}
	run.oversize = c.base - run.base
	if found {
		run.oversize--
	}
	return run, nil
}

// size is how large a buffer from base on should be.
func (c *lineCutter) size() int {
	n := int64(c.block) + cutAhead
	if c.length >= 0 {
		n = min(n, c.length-c.base+1)
	}
	return int(max(n, 0))
}

// fill reads until buf holds n bytes or the content ends, and not a byte more.
func (c *lineCutter) fill(n int) error {
	if c.eof || len(c.buf) >= n {
		return nil
	}
	if c.length >= 0 { // beyond it there is only the end to meet
		n = int(min(int64(n), max(c.length-c.base, int64(len(c.buf)))+1))
	}
	if cap(c.buf) < n {
		c.buf = append(make([]byte, 0, max(n, c.size())), c.buf...)
	}
	for stalled := 0; len(c.buf) < n; {
		got, err := c.r.Read(c.buf[len(c.buf):n])
		c.buf = c.buf[:len(c.buf)+got]
		if err == io.EOF {
			c.eof = true
			return nil
		}
		if err != nil {
			return err
		}
		if stalled++; got > 0 {
			stalled = 0
		} else if stalled == 100 {
			return io.ErrNoProgress
		}
	}
	return nil
}
