package device

import (
	"fmt"
	"slices"
	"strings"

	"millrace/schemas/badrow"
	"millrace/transforms/decode"
)

// columns reads lines of CSV (RFC 4180, without line ends inside quotes).
type columns struct {
	header string
	at     [numFields]int // column of each field, -1 for none
	width  int
	cells  [][]byte
	texts  []byte // cells that had doubled quotes
}

const maxColumns = 1024

func newCSV(s Spec) (*columns, error) {
	r := &columns{header: s.Header}
	cells, reason := r.split([]byte(s.Header))
	if reason != badrow.None || s.Header == "" {
		return nil, fmt.Errorf("format csv: its header line %q cannot be read", s.Header)
	}
	var names []string
	for _, c := range cells {
		names = append(names, strings.TrimSpace(string(c)))
	}
	r.width = len(names)
	for f, place := range s.places {
		r.at[f] = -1
		if place != "" {
			r.at[f] = slices.Index(names, place)
		}
	}
	for _, f := range needed {
		if r.at[f] < 0 && s.constants[f] == "" {
			return nil, fmt.Errorf("format csv: the header %q has no column %s; say where the %s stands with %s=COLUMN, or what it always is with %[3]s:=TEXT", s.Header, s.places[f], fieldNames[f], fieldNames[f])
		}
	}
	return r, nil
}

func (r *columns) read(line []byte, into *fields) (bool, badrow.Reason) {
	line = decode.TrimMark(line)
	if len(line) == 0 || string(line) == r.header {
		return true, badrow.None
	}
	cells, reason := r.split(line)
	if reason != badrow.None {
		return false, reason
	}
	switch {
	case len(cells) < r.width:
		return false, badrow.Truncated
	case len(cells) > r.width:
		return false, badrow.Format
	}
	for f, at := range r.at {
		if at >= 0 {
			into[f] = cells[at]
		}
	}
	return false, badrow.None
}

// split gives the cells of a line.
func (r *columns) split(line []byte) ([][]byte, badrow.Reason) {
	r.cells, r.texts = r.cells[:0], r.texts[:0]
	for {
		if len(r.cells) == maxColumns {
			return nil, badrow.Format
		}
		if len(line) > 0 && line[0] == '"' {
			cell, rest, reason := r.quoted(line[1:])
			if reason != badrow.None {
				return nil, reason
			}
			r.cells = append(r.cells, cell)
			if len(rest) == 0 {
				return r.cells, badrow.None
			}
			if rest[0] != ',' {
				return nil, badrow.Format
			}
			line = rest[1:]
			continue
		}
		end := slices.Index(line, ',')
		if end < 0 {
			return append(r.cells, line), badrow.None
		}
		r.cells = append(r.cells, line[:end:end])
		line = line[end+1:]
	}
}

// quoted gives the cell up to its closing quote; doubled quotes stand for one.
func (r *columns) quoted(line []byte) (cell, rest []byte, reason badrow.Reason) {
	start := len(r.texts)
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] != '"':
			r.texts = append(r.texts, line[i])
		case i+1 < len(line) && line[i+1] == '"':
			r.texts = append(r.texts, '"')
			i++
		default:
			return r.texts[start:len(r.texts):len(r.texts)], line[i+1:], badrow.None
		}
	}
	return nil, nil, badrow.Truncated
}
