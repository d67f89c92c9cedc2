package authlog

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"millrace/internal/nearest"
	"millrace/schemas/badrow"
	"millrace/transforms/decode"
)

// Format is the name of the format of a Spec.
const Format = "syslog"

// Spec says how lines are read. As text it is
//
//	syslog [until=DAY] [zone=+02:00]
//
// until is the day on which the log ends, or a later one: lines of the traditional
// form have no year, and theirs is the latest in which they are not after that day. It
// decides where it is given; else the arrival of a line's record does, and without
// either such a line is a bad row. zone is the offset of the writer's clock; UTC unless
// given. Lines with a timestamp of RFC 3339 have both by themselves.
type Spec struct {
	Until  string // day; empty for none
	Zone   string // offset; empty for UTC
	until  int64  // start of the day on the writer's clock, Unix milliseconds; 0 for none
	offset int32  // seconds
}

// ParseSpec is the inverse of String. The empty text is syslog.
func ParseSpec(text string) (s Spec, err error) {
	fail := func(format string, a ...any) (Spec, error) {
		return Spec{}, fmt.Errorf("format %q: %w", text, fmt.Errorf(format, a...))
	}
	words := strings.Fields(text)
	if len(words) > 0 && words[0] != Format {
		return fail("there is no format %q; there is %s", words[0], Format)
	}
	day := time.Time{}
	for i, word := range words {
		key, value, _ := strings.Cut(word, "=")
		switch {
		case i == 0:
		case key == "until":
			if day, err = time.Parse(time.DateOnly, value); err != nil || day.Year() < 1995 {
				return fail("until %q: write the day on which the log ends, such as 2026-03-31", value)
			}
			s.Until = value
		case key == "zone":
			t, err := time.Parse("Z07:00", value)
			if err != nil {
				return fail("zone %q: write an offset such as +01:00", value)
			}
			_, seconds := t.Zone()
			s.Zone, s.offset = value, int32(seconds)
		default:
			near := nearest.Name(key, []string{"until", "zone"})
			if near == "" {
				return fail("%q: there are until=DAY and zone=+01:00", word)
			}
			return fail("%q: did you mean %s=?", word, near)
		}
	}
	if s.Until != "" {
		s.until = day.UnixMilli() - int64(s.offset)*1000
	}
	return s, nil
}

// String is the format as text.
func (s Spec) String() string {
	text := Format
	if s.Until != "" {
		text += " until=" + s.Until
	}
	if s.Zone != "" {
		text += " zone=" + s.Zone
	}
	return text
}

// Decoder reads lines. It belongs to one goroutine.
type Decoder struct {
	spec   Spec
	parser decode.SyslogParser
	log    decode.AuthLog
}

// Open makes a decoder.
func (s Spec) Open() *Decoder {
	return &Decoder{spec: s, parser: decode.SyslogParser{Offset: s.offset}}
}

// Decode reads a line of a record that arrived at a time, 0 when nobody knows. skip
// tells that it is blank. Views in into are valid as long as the line is.
func (d *Decoder) Decode(line []byte, arrival int64, into *decode.AuthLog) (skip bool, reason badrow.Reason) {
	if len(line) == 0 {
		return true, badrow.None
	}
	d.parser.Reference = d.spec.until
	if d.parser.Reference == 0 {
		d.parser.Reference = arrival
	}
	return false, d.parser.Parse(line, into)
}

// EventTime reads only the time, in Unix milliseconds, as Decode does.
func (d *Decoder) EventTime(line []byte, arrival int64) (ms int64, ok bool) {
	skip, reason := d.Decode(line, arrival, &d.log)
	return d.log.Time, !skip && reason == badrow.None
}

// ErrNoYear is of a file whose lines have no year, where nobody said which it is.
var ErrNoYear = errors.New("its lines have no year, and a file does not say when they came: give the day on which the log ends, or a later one, as in --format 'syslog until=2026-03-31' (docs/jobs/authlogs.md)")

// triedLines is how many lines of a file are looked at.
const triedLines = 100

// Inspect reads the beginning of a file. near is the time of the first line that can
// be read, 0 for none; note is what a person should know.
func Inspect(head []byte, s Spec) (near int64, note string, err error) {
	d, log, tried := s.Open(), decode.AuthLog{}, 0
	lines := decode.NewLines(head, 0)
	for line, _, ok := lines.Next(); ok && tried < triedLines; line, _, ok = lines.Next() {
		skip, reason := d.Decode(line, 0, &log)
		if skip {
			continue
		}
		if reason == badrow.None {
			return log.Time, "", nil
		}
		if _, dated := d.EventTime(line, someArrival); dated {
			return 0, "", ErrNoYear
		}
		tried++
	}
	if tried > 0 {
		note = fmt.Sprintf("none of the first %d lines is one of syslog; is it a log of authentication?", tried)
	}
	return 0, note, nil
}

// someArrival is any time: with one, a line that has all but its year can be read.
var someArrival = time.Date(2024, 12, 31, 0, 0, 0, 0, time.UTC).UnixMilli()
