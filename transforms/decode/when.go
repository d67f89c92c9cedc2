package decode

import "encoding/binary"

// dayClock reads dates and times; it remembers the last date.
type dayClock struct {
	last  [10]byte
	base  int64
	known bool
	clock clock
}

// date reads yyyy-mm-dd: its midnight in Unix milliseconds.
func (d *dayClock) date(b []byte) (int64, bool) {
	if len(b) != 10 {
		return 0, false
	}
	if d.known && string(b) == string(d.last[:]) {
		return d.base, true
	}
	century, ok1 := digits2(b)
	year, ok2 := digits2(b[2:])
	month, ok3 := digits2(b[5:])
	day, ok4 := digits2(b[8:])
	year += 100 * century
	if !(ok1 && ok2 && ok3 && ok4) || b[4] != '-' || b[7] != '-' || month < 1 || month > 12 || day < 1 || day > daysIn(month, year) {
		return 0, false
	}
	d.base, d.known = days(year, month, day)*dayMS, true
	copy(d.last[:], b)
	return d.base, true
}

// clockTime reads HH:MM:SS in milliseconds.
func clockTime(b []byte) (int64, bool) {
	if len(b) != 8 {
		return 0, false
	}
	return timeOfDay(binary.LittleEndian.Uint64(b))
}

// any reads ISO 8601 with an offset, the time field of Apache (with or without
// brackets), or Unix time: seconds with or without a fraction up to eleven
// digits, milliseconds above.
func (d *dayClock) any(b []byte) (int64, bool) {
	if n := len(b); n > 2 && b[0] == '[' && b[n-1] == ']' {
		b = b[1 : n-1]
	}
	switch {
	case len(b) >= 20 && b[4] == '-':
		return d.iso(b)
	case len(b) >= stampLen && b[2] == '/':
		return d.clock.read(b)
	}
	whole := 0
	for whole < len(b) && b[whole]-'0' <= 9 {
		whole++
	}
	if whole > 11 {
		return number(b)
	}
	us, ok := micros(b, 6)
	return us / 1000, ok
}

// iso reads yyyy-mm-ddTHH:MM:SS[.fraction](Z|±hh:mm|±hhmm).
func (d *dayClock) iso(b []byte) (int64, bool) {
	base, ok1 := d.date(b[:10])
	day, ok2 := clockTime(b[11:19])
	if !ok1 || !ok2 || b[10] != 'T' && b[10] != ' ' {
		return 0, false
	}
	ms := base + day
	rest := b[19:]
	if rest[0] == '.' || rest[0] == ',' {
		weight := int64(100)
		i := 1
		for ; i < len(rest) && rest[i]-'0' <= 9; i++ {
			ms += int64(rest[i]-'0') * weight
			weight /= 10
		}
		if i == 1 {
			return 0, false
		}
		rest = rest[i:]
	}
	if len(rest) == 1 && rest[0] == 'Z' {
		return ms, true
	}
	if len(rest) == 6 && rest[3] == ':' {
		rest = []byte{rest[0], rest[1], rest[2], rest[4], rest[5]}
	}
	if len(rest) != 5 || rest[0] != '+' && rest[0] != '-' {
		return 0, false
	}
	h, ok1 := digits2(rest[1:])
	m, ok2 := digits2(rest[3:])
	if !ok1 || !ok2 || h > 23 || m > 59 {
		return 0, false
	}
	offset := h*hourMS + m*minuteMS
	if rest[0] == '-' {
		offset = -offset
	}
	return ms - offset, true
}
