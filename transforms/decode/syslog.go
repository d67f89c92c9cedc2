package decode

import (
	"bytes"
	"net/netip"
	"time"

	"millrace/schemas/badrow"
	"millrace/schemas/pii"
)

// AuthLog is one parsed line of a syslog of authentication (auth.log, secure).
// Its fields are views into the line and valid until the line's block is reused.
// Texts are personal data: they name users, hosts and commands.
type AuthLog struct {
	Time    int64 // Unix milliseconds UTC
	Host    pii.Text
	Program []byte // "sshd"; empty where the line names none
	PID     int32  // 0 if there is none
	Message pii.Text

	Event  AuthEvent  // what sshd says; AuthOther for other programs
	User   pii.Text   // of the event; can be empty
	Source pii.Text   // address or host name of the client
	Addr   netip.Addr // the same as an address, IPv4-mapped IPv6 as IPv4; invalid for a host name
	Port   int32      // of the client; 0 if the line has none
	Method []byte     // "password", "publickey"; of logins and failures
	Times  int32      // how often it happened: "message repeated 5 times"
}

// SyslogParser reads lines of the traditional form of syslog (RFC 3164: "Mar 27
// 13:06:56 host sshd[1291]: ...", with a priority in front or without) and with
// timestamps of RFC 3339.
//
// The traditional form has no year. Its year is the latest one in which the time
// exists and is not more than a day after Reference: a log is written before it is
// read, but for a clock that is ahead. Reference is the arrival time of the record;
// of a file, which has none, the end of the time that it is known to cover. Where
// nobody knows either it is 0, and such lines have no time.
type SyslogParser struct {
	Reference int64 // Unix milliseconds
	Offset    int32 // of the writer's clock from UTC, in seconds
}

const (
	syslogStamp = len("Mar 27 13:06:56")
	dayMillis   = 24 * 60 * 60 * 1000
)

var months = [...]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}

// Parse reads one line (without its line end) into into. It returns badrow.None,
// or why the line is no event: Format, Truncated, Timestamp or TimeBounds; into
// then holds nothing of use.
func (p *SyslogParser) Parse(line []byte, into *AuthLog) badrow.Reason {
	*into = AuthLog{Times: 1}
	line = cutPriority(TrimMark(line))
	var rest []byte
	var reason badrow.Reason
	if into.Time, rest, reason = p.stamp(line); reason != badrow.None {
		return reason
	}
	if into.Time < earliest {
		return badrow.TimeBounds
	}
	host := bytes.IndexByte(rest, ' ')
	if host < 0 {
		return badrow.Truncated
	}
	if host == 0 {
		return badrow.Format
	}
	into.Host = pii.Of(rest[:host])
	message := into.readTag(rest[host+1:])
	into.Message = pii.Of(message)
	if string(into.Program) == "sshd" || bytes.HasPrefix(into.Program, []byte("sshd-")) {
		into.readSSHD(message)
	}
	return badrow.None
}

// cutPriority removes "<34>" in front of a line.
func cutPriority(line []byte) []byte {
	if len(line) == 0 || line[0] != '<' {
		return line
	}
	end := bytes.IndexByte(line[:min(len(line), len("<191>"))], '>')
	if end < 2 {
		return line
	}
	for _, c := range line[1:end] {
		if c-'0' > 9 {
			return line
		}
	}
	return line[end+1:]
}

// stamp reads the time and gives what follows it and a space.
func (p *SyslogParser) stamp(line []byte) (ms int64, rest []byte, reason badrow.Reason) {
	if len(line) > 10 && line[4] == '-' && line[0]-'0' <= 9 {
		end := bytes.IndexByte(line, ' ')
		if end < 0 {
			return 0, nil, badrow.Truncated
		}
		t, err := time.Parse(time.RFC3339Nano, string(line[:end]))
		if err != nil {
			return 0, nil, badrow.Timestamp
		}
		return t.UnixMilli(), line[end+1:], badrow.None
	}
	month := monthOf(line)
	if month == 0 {
		return 0, nil, badrow.Format
	}
	if len(line) <= syslogStamp {
		return 0, nil, badrow.Truncated
	}
	day, ok1 := twoDigits(line[4:], true)
	hour, ok2 := twoDigits(line[7:], false)
	minute, ok3 := twoDigits(line[10:], false)
	second, ok4 := twoDigits(line[13:], false)
	separators := line[3] == ' ' && line[6] == ' ' && line[9] == ':' && line[12] == ':' && line[syslogStamp] == ' '
	if !ok1 || !ok2 || !ok3 || !ok4 || !separators || hour > 23 || minute > 59 || second > 60 {
		return 0, nil, badrow.Timestamp
	}
	ms, ok := p.yearly(month, day, int64(hour*3600+minute*60+second)*1000)
	if !ok {
		return 0, nil, badrow.Timestamp
	}
	return ms, line[syslogStamp+1:], badrow.None
}

func monthOf(line []byte) time.Month {
	if len(line) < 4 {
		return 0
	}
	for i, m := range months {
		if string(line[:3]) == m {
			return time.Month(i + 1)
		}
	}
	return 0
}

// twoDigits reads two digits, the first of which may be a space for a day.
func twoDigits(b []byte, space bool) (int, bool) {
	tens, ones := b[0]-'0', b[1]-'0'
	if space && b[0] == ' ' {
		tens = 0
	}
	return int(tens)*10 + int(ones), tens <= 9 && ones <= 9
}

// yearly finds the year: see SyslogParser. The 29th of February can be up to eight
// years ago.
func (p *SyslogParser) yearly(month time.Month, day int, inDay int64) (ms int64, ok bool) {
	if p.Reference == 0 {
		return 0, false
	}
	latest := time.UnixMilli(p.Reference + dayMillis).UTC()
	for back := range 9 {
		t := time.Date(latest.Year()+1-back, month, day, 0, 0, 0, 0, time.UTC)
		if t.Month() != month || t.Day() != day {
			continue
		}
		ms = t.UnixMilli() + inDay - int64(p.Offset)*1000
		if ms <= latest.UnixMilli() {
			return ms, true
		}
	}
	return 0, false
}

// readTag reads "sshd[1291]: " and gives what follows it. A line without a colon
// after the program is a message of none.
func (a *AuthLog) readTag(b []byte) (message []byte) {
	end := 0
	for end < len(b) && b[end] > ' ' && b[end] != '[' && b[end] != ':' {
		end++
	}
	at, pid := end, int32(0)
	if at < len(b) && b[at] == '[' {
		size := bytes.IndexByte(b[at:], ']')
		if size < 0 {
			return b
		}
		pid, _ = smallNumber(b[at+1 : at+size])
		at += size + 1
	}
	if end == 0 || at >= len(b) || b[at] != ':' {
		return b
	}
	a.Program, a.PID = b[:end], pid
	return bytes.TrimPrefix(b[at+1:], []byte(" "))
}

// smallNumber reads digits that fit 31 bits.
func smallNumber(b []byte) (n int32, ok bool) {
	if len(b) == 0 || len(b) > 9 {
		return 0, false
	}
	for _, c := range b {
		if c-'0' > 9 {
			return 0, false
		}
		n = n*10 + int32(c-'0')
	}
	return n, true
}
