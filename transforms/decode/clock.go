package decode

import (
	"encoding/binary"

	"millrace/schemas/badrow"
)

const (
	secondMS = 1000
	minuteMS = 60 * secondMS
	hourMS   = 60 * minuteMS
	dayMS    = 24 * hourMS

	// earliest is 1995-01-01T00:00:00Z in Unix milliseconds: no access log of
	// these formats is older, so an earlier time is a broken clock.
	earliest = 788_918_400_000
)

// CheckArrival is the upper time bound, which needs the record's arrival time
// and so is the caller's to apply: an event more than a day after its arrival
// (both in Unix milliseconds) is badrow.TimeBounds. arrival 0 means unknown and
// sets no bound.
func CheckArrival(event, arrival int64) badrow.Reason {
	if arrival != 0 && event-arrival > dayMS {
		return badrow.TimeBounds
	}
	return badrow.None
}

// stampLen is the length of "17/May/2015:10:05:03 +0000".
const stampLen = 26

// clock reads time fields. It remembers the last date and zone, which nearly
// every line shares with the one before.
type clock struct {
	date0 uint64 // "17/May/2"
	date1 uint32 // "015:"
	zone  uint64 // " +0000" in the upper six bytes
	base  int64  // midnight of that date in that zone, Unix ms
	known bool
}

func (c *clock) read(stamp []byte) (ms int64, ok bool) {
	if len(stamp) != stampLen {
		return readStamp(stamp)
	}
	b := (*[stampLen]byte)(stamp)
	date0 := binary.LittleEndian.Uint64(b[0:])
	date1 := binary.LittleEndian.Uint32(b[8:])
	zone := binary.LittleEndian.Uint64(b[18:]) >> 16
	if date0 != c.date0 || date1 != c.date1 || zone != c.zone || !c.known {
		base, ok := midnight(b[:12], b[20:])
		if !ok {
			return 0, false
		}
		*c = clock{date0: date0, date1: date1, zone: zone, base: base, known: true}
	}
	day, ok := timeOfDay(binary.LittleEndian.Uint64(b[12:]))
	return c.base + day, ok
}

// readStamp reads dd/Mon/yyyy:HH:MM:SS[.fraction] ±hhmm. Fractions are cut to
// milliseconds. Second 60 is a leap second, which Unix time does not have: it is
// the first second of the next minute, as in POSIX.
func readStamp(stamp []byte) (ms int64, ok bool) {
	if len(stamp) < stampLen {
		return 0, false
	}
	zone := stamp[len(stamp)-6:]
	base, ok := midnight(stamp[:12], zone)
	if !ok {
		return 0, false
	}
	day, ok := timeOfDay(binary.LittleEndian.Uint64(stamp[12:]))
	if !ok {
		return 0, false
	}
	if fraction := stamp[20 : len(stamp)-6]; len(fraction) > 0 {
		if fraction[0] != '.' || len(fraction) < 2 || len(fraction) > 10 {
			return 0, false
		}
		weight := int64(100)
		for _, c := range fraction[1:] {
			if c-'0' > 9 {
				return 0, false
			}
			day += int64(c-'0') * weight
			weight /= 10
		}
	}
	return base + day, true
}

// timeOfDay reads "HH:MM:SS", loaded little-endian, in milliseconds.
func timeOfDay(x uint64) (ms int64, ok bool) {
	x ^= 0x3030_3a_3030_3a_3030 // digits become 0 to 9, colons 0
	if (x|(x+0x7676_7f_7676_7f_7676))&highBits != 0 {
		return 0, false
	}
	h := int64(x&15*10 + x>>8&15)
	m := int64(x>>24&15*10 + x>>32&15)
	s := int64(x>>48&15*10 + x>>56&15)
	return h*hourMS + m*minuteMS + s*secondMS, h < 24 && m < 60 && s <= 60
}

// midnight reads "dd/Mon/yyyy:" and " ±hhmm": the Unix milliseconds at which
// that date began in that zone.
func midnight(date, zone []byte) (ms int64, ok bool) {
	_, _ = date[11], zone[5]
	d, dOK := digits2(date[0:])
	century, cOK := digits2(date[7:])
	y, yOK := digits2(date[9:])
	zh, zhOK := digits2(zone[2:])
	zm, zmOK := digits2(zone[4:])
	if !(dOK && cOK && yOK && zhOK && zmOK) || zh > 23 || zm > 59 ||
		date[2] != '/' || date[6] != '/' || date[11] != ':' || zone[0] != ' ' {
		return 0, false
	}
	y += 100 * century
	m := month(date[3:])
	if m == 0 || d == 0 || d > daysIn(m, y) {
		return 0, false
	}
	offset := zh*hourMS + zm*minuteMS
	switch zone[1] {
	case '-':
		offset = -offset
	case '+':
	default:
		return 0, false
	}
	return days(y, m, d)*dayMS - offset, true
}

func digits2(b []byte) (int64, bool) {
	tens, units := b[0]-'0', b[1]-'0'
	return int64(tens)*10 + int64(units), tens <= 9 && units <= 9
}

// month is 1 to 12 for an English abbreviation in any case, else 0.
func month(b []byte) int64 {
	const names = "janfebmaraprmayjunjulaugsepoctnovdec"
	for i := 0; i < len(names); i += 3 {
		if b[0]|0x20 == names[i] && b[1]|0x20 == names[i+1] && b[2]|0x20 == names[i+2] {
			return int64(i/3 + 1)
		}
	}
	return 0
}

func daysIn(m, y int64) int64 {
	if m == 2 && y%4 == 0 && (y%100 != 0 || y%400 == 0) {
		return 29
	}
	return int64("\x1f\x1c\x1f\x1e\x1f\x1e\x1f\x1f\x1e\x1f\x1e\x1f"[m-1])
}

// days counts from 1970-01-01 in the proleptic Gregorian calendar, years
// starting in March so that the leap day is the last (Hinnant, "chrono-Compatible
// Low-Level Date Algorithms").
func days(y, m, d int64) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	era := (y + 400) / 400 // y is never below -1
	yearOfEra := y + 400 - era*400
	dayOfYear := (153*(m-3)+2)/5 + d - 1
	dayOfEra := yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear
	return (era-1)*146_097 + dayOfEra - 719_468
}
