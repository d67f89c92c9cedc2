package decode

import (
	"fmt"

	"millrace/schemas/badrow"
)

// Format is the layout of an access log.
type Format uint8

// The formats. Unknown is what Detect says of a file without a readable line;
// Parse then judges each line by itself.
const (
	Unknown Format = iota
	Common
	Combined
	VhostCombined
	numFormats
)

var formatNames = [numFormats]string{"unknown", "common", "combined", "vhost_combined"}

// String is the name of f as settings and record.Block spell it.
func (f Format) String() string {
	if f >= numFormats {
		return formatNames[Unknown]
	}
	return formatNames[f]
}

// ParseFormat is the inverse of String for the three known formats.
func ParseFormat(name string) (Format, error) {
	for f := Common; f < numFormats; f++ {
		if formatNames[f] == name {
			return f, nil
		}
	}
	return Unknown, fmt.Errorf("reading access log format %q: want common, combined or vhost_combined", name)
}

// detectBytes is how much of a file Detect looks at. It equals the part of a
// file that gives it its identity, which a source has at hand anyway.
const detectBytes = 64 << 10

// Detect tells the format of a file from its first bytes (up to 64 KiB count):
// the one most of the readable lines have, the richer one of equals. A last
// line without a line end may be cut and counts only when it is alone. Unknown
// means that no line could be read.
func Detect(head []byte) Format {
	head = whole(head)
	var (
		p     Parser
		log   AccessLog
		votes [numFormats]int
	)
	for lines := NewLines(head, 0); ; {
		line, _, ok := lines.Next()
		if !ok {
			break
		}
		if p.Parse(line, Unknown, &log) == badrow.None {
			votes[p.layout]++
		}
	}
	best := Unknown
	for f := Common; f < numFormats; f++ {
		if votes[f] > 0 && votes[f] >= votes[best] {
			best = f
		}
	}
	return best
}
