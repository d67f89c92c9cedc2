package generate

// Odd lines that are none the less log lines: what a server facing the internet
// writes about clients that speak badly, or not at all.

const (
	oddShare   = 0.004
	strayCount = 64
)

// startOdd lets one of the strays connect.
func (f *Farm) startOdd() {
	f.enter(visit{kind: stray, who: int32(f.cfg.Visitors + f.strays + f.rng.n(strayCount))}, 1)
}

// odd writes the next kind of odd line, each in turn.
func (f *Farm) odd(v *visit) {
	q := request{who: v.who, server: v.server, status: 400, size: 226}
	f.oddRound++
	switch f.oddRound % 6 {
	case 1, 2: // connected, and sent nothing until the server gave up
		q.raw, q.status, q.size = "-", 408, -1
	case 3: // HTTP/0.9
		q.method, q.raw, q.status, q.size, q.page = "GET", "/", 200, 4521, true
	case 4: // TLS to a port without it, escaped as Apache does
		q.raw = `\x16\x03\x01\x02`
	case 5: // another protocol
		q.raw = `SSH-2.0-Go`
	case 0:
		q.method, q.raw, q.proto, q.status, q.size = "OPTIONS", "*", "HTTP/1.0", 200, -1
	}
	if q.method != "" {
		f.target = append(f.target[:0], q.raw...)
		q.target = f.target
	}
	f.send(&q)
}
