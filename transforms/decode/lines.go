package decode

import "bytes"

// Lines walks the lines of a block.
type Lines struct {
	data []byte
	base int64
	pos  int
}

// NewLines starts at the first line of data; base is the offset of data[0] in
// the decompressed content.
func NewLines(data []byte, base int64) Lines { return Lines{data: data, base: base} }

// Next returns the next line without its end (LF or CRLF) and the offset of its
// first byte in the decompressed content; ok is false after the last one. An
// empty line is a line; there is none behind the last line end. The line's
// capacity ends with it, so an append cannot touch what follows.
func (l *Lines) Next() (line []byte, offset int64, ok bool) {
	rest := l.data[l.pos:]
	if len(rest) == 0 {
		return nil, 0, false
	}
	offset = l.base + int64(l.pos)
	end := bytes.IndexByte(rest, '\n')
	if end < 0 {
		end = len(rest)
		l.pos += end
	} else {
		l.pos += end + 1
	}
	if end > 0 && rest[end-1] == '\r' {
		end--
	}
	return rest[:end:end], offset, true
}
