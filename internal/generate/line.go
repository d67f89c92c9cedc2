package generate

import (
	"strconv"
	"time"
)

// request is what one line says. The time is the running second.
type request struct {
	who      int32
	server   uint16
	method   string // empty for a line whose request is raw
	target   []byte
	proto    string // empty for HTTP/0.9
	raw      string // the request as it stands, when method is empty
	status   int
	size     int64 // -1 for none
	referrer []byte
	page     bool // a page of the site rather than one of its files
	bot      bool
	agent    string // instead of that of who
	addr     string // instead of that of who
	user     string // instead of that of who
	planted  string // personal data to put also where a reader must not look
}

// stamp writes times. Date and zone are formatted once a day, the time of day
// once a second.
type stamp struct {
	zone int64
	day  int64
	text []byte // "[03/Mar/2025:00:00:00 +0000]"
}

func newStamp(zone time.Duration) stamp { return stamp{zone: int64(zone / time.Second), day: -1 << 62} }

const stampLayout = "[02/Jan/2006:15:04:05 -0700]"

func (s *stamp) set(unix int64) {
	local := unix + s.zone
	if day := local / 86400; day != s.day {
		s.day = day
		s.text = time.Unix(unix, 0).In(time.FixedZone("", int(s.zone))).AppendFormat(s.text[:0], stampLayout)
	}
	t := local % 86400
	putTwo(s.text[13:], t/3600)
	putTwo(s.text[16:], t/60%60)
	putTwo(s.text[19:], t%60)
}

func putTwo(b []byte, n int64) { b[0], b[1] = byte('0'+n/10), byte('0'+n%10) }

// isPerson tells whether who is one of the people.
func (f *Farm) isPerson(who int32) bool { return int(who) < f.cfg.Visitors }

func (f *Farm) other(who int32) *actor { return &f.others[int(who)-f.cfg.Visitors] }

// send writes the line of a request: formats it, records its truth, and passes it
// to the log, once or, rarely, twice.
func (f *Farm) send(q *request) {
	b := f.line[:0]
	if f.cfg.Format.apache() {
		b = f.appendApache(b, q)
	} else {
		b = f.appendOther(b, q)
	}
	f.line = b

	f.record(q)
	f.pipe.send(f.now, f.delay(), int(q.server), b)
	f.written++
	// A value planted stays in one line, so that its visitor has one event.
	if q.agent == "" && q.addr == "" && f.rng.hit(f.duplicates) && f.written < f.limit {
		f.record(q)
		f.truth.total.Duplicated++
		f.pipe.send(f.now, f.delay(), int(q.server), b)
		f.written++
	}
	if f.rng.hit(f.malformed) && f.written < f.limit && f.written > formatSample {
		f.sendBad(int(q.server))
	}
}

// appendApache writes the line of a request in a layout of Apache's.
func (f *Farm) appendApache(b []byte, q *request) []byte {
	b = append(f.appendHead(b, q), f.stamp.text...)
	b = append(b, ` "`...)
	if q.method != "" {
		b = append(b, q.method...)
		b = append(b, ' ')
		b = append(b, q.target...)
		if q.proto != "" {
			b = append(b, ' ')
			b = append(b, q.proto...)
		}
	} else {
		b = append(b, q.raw...)
	}
	b = append(b, '"', ' ', byte('0'+q.status/100), byte('0'+q.status/10%10), byte('0'+q.status%10), ' ')
	if q.size < 0 {
		b = append(b, '-')
	} else {
		b = strconv.AppendInt(b, q.size, 10)
	}
	if f.cfg.Format != Common {
		b = append(b, ` "`...)
		if len(q.referrer) == 0 {
			b = append(b, '-')
		} else {
			b = append(b, q.referrer...)
		}
		b = append(b, `" "`...)
		b = append(b, f.agentOf(q)...)
		b = append(b, '"')
	}
	return b
}

// formatSample is how many lines come before the first malformed one, so that who
// guesses the format from the first lines sees some.
const formatSample = 50

// appendHead writes the fields before the time.
func (f *Farm) appendHead(b []byte, q *request) []byte {
	if f.cfg.Format == VhostCombined {
		b = append(b, "shop.example.com:443 "...)
	}
	staff := false
	switch {
	case q.addr != "":
		b = append(b, q.addr...)
	case f.isPerson(q.who):
		b = f.people.appendAddr(b, int(q.who))
		staff = isStaff(int(q.who))
	default:
		b = append(b, f.other(q.who).addr...)
	}
	b = append(b, " - "...)
	switch {
	case q.user != "":
		b = append(b, q.user...)
	case staff:
		b = f.people.appendUser(b, int(q.who))
	default:
		b = append(b, '-')
	}
	return append(b, ' ')
}

func (f *Farm) agentOf(q *request) string {
	switch {
	case q.agent != "":
		return q.agent
	case f.isPerson(q.who):
		return f.people.agent(int(q.who))
	}
	return f.other(q.who).agent
}

// elsewhere sends one request in eight to another server than the visit's.
func (f *Farm) elsewhere(v *visit) uint16 {
	if f.cfg.Servers > 1 && f.rng.oneIn(8) {
		return uint16(f.rng.n(f.cfg.Servers))
	}
	return v.server
}
