package testenv

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Meter stands between a client and whatever disturbs its way to a server, and
// sees of a disturbance what the client sees: so a test can tell whether one has
// hit anything. It passes everything on as it comes, resets of connections too.
type Meter struct {
	Addr string // host:port to connect to

	mu     sync.Mutex
	ways   map[*metered]bool // connections that are open
	failed int
	late   int
	bytes  int64
	opened int
	ended  int
}

// lateness is how long a server of a test, undisturbed, does not take to answer.
const lateness = 300 * time.Millisecond

// Met is what clients met up to now.
type Met struct {
	// Troubled are requests of a protocol with one request at a time on a
	// connection, like HTTP/1.1, that got no answer before their connection ended,
	// or none within 300 ms.
	Troubled int
	Bytes    int64 // that came from the server
	Opened   int   // connections
	Ended    int   // of these
}

// metered is a connection. A request is open from its first byte until the first
// of the answer.
type metered struct {
	since time.Time // zero while none is open
}

// NewMeter starts a meter before addr, host:port.
func NewMeter(t testing.TB, addr string) *Meter {
	t.Helper()
	m := &Meter{ways: map[*metered]bool{}}
	m.Addr = relay(t, func(net.Conn) (string, error) { return addr, nil }, m.open)
	return m
}

// Met tells what clients met.
func (m *Meter) Met() Met {
	m.mu.Lock()
	defer m.mu.Unlock()
	met := Met{Troubled: m.failed + m.late, Bytes: m.bytes, Opened: m.opened, Ended: m.ended}
	for w := range m.ways {
		if w.waits() {
			met.Troubled++
		}
	}
	return met
}

// waits tells whether a request has been open for too long.
func (w *metered) waits() bool { return !w.since.IsZero() && time.Since(w.since) > lateness }

func (m *Meter) open() (passed func(answer bool, n int), closed func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w := &metered{}
	m.ways[w] = true
	m.opened++
	passed = func(answer bool, n int) {
		m.mu.Lock()
		defer m.mu.Unlock()
		switch {
		case answer:
			m.bytes += int64(n)
			if w.waits() {
				m.late++
			}
			w.since = time.Time{}
		case w.since.IsZero():
			w.since = time.Now()
		}
	}
	closed = func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.ways, w)
		m.ended++
		if !w.since.IsZero() {
			m.failed++
		}
	}
	return passed, closed
}

// Switchboard is one address from which clients are connected to wherever they
// want: each first writes host:port and a line feed. With a proxy before it, many
// servers whose ports are not known beforehand have one way that can be disturbed.
func Switchboard(t testing.TB) (addr string) {
	t.Helper()
	return relay(t, func(conn net.Conn) (string, error) {
		var to []byte
		for b := make([]byte, 1); ; to = append(to, b[0]) {
			if _, err := io.ReadFull(conn, b); err != nil {
				return "", err
			}
			if b[0] == '\n' {
				return string(to), nil
			}
			if len(to) > 100 {
				return "", errors.New("no address in the first line")
			}
		}
	}, nil)
}

// relay listens, and connects each client with the server that to names. It ends
// with the test. watch, unless nil, is called for each connection and gives what is
// told of bytes that pass, answers or not, and of the connection's end.
func relay(t testing.TB, to func(net.Conn) (string, error), watch func() (passed func(answer bool, n int), closed func())) (addr string) {
	t.Helper()
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relayed{conns: map[net.Conn]bool{}}
	r.group.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // the test is over
			}
			r.group.Go(func() { r.serve(client, to, watch) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		r.end()
		r.group.Wait()
	})
	return listener.Addr().String()
}

// relayed are the connections of a relay, to be closed with it.
type relayed struct {
	group sync.WaitGroup
	mu    sync.Mutex
	conns map[net.Conn]bool
	ended bool
}

func (r *relayed) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	for c := range r.conns {
		c.Close()
	}
}

// keep notes a connection; it is closed at once when the relay has ended.
func (r *relayed) keep(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns[c] = true
	if r.ended {
		c.Close()
	}
}

func (r *relayed) drop(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		c.Close()
		delete(r.conns, c)
	}
}

func (r *relayed) serve(client net.Conn, to func(net.Conn) (string, error), watch func() (func(bool, int), func())) {
	r.keep(client)
	defer r.drop(client)
	addr, err := to(client)
	if err != nil {
		return
	}
	server, err := net.Dial("tcp", addr)
	if err != nil {
		reset(client)
		return
	}
	r.keep(server)
	defer r.drop(server)
	passed, closed := func(bool, int) {}, func() {}
	if watch != nil {
		passed, closed = watch()
	}
	defer closed()
	var both sync.WaitGroup
	both.Go(func() { pass(server, client, func(n int) { passed(false, n) }) })
	both.Go(func() { pass(client, server, func(n int) { passed(true, n) }) })
	both.Wait()
}

// pass copies what comes from one connection to another, and its end: a reset, or
// that nothing more comes.
func pass(to, from net.Conn, passed func(n int)) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			passed(n)
			if _, err := to.Write(buffer[:n]); err != nil {
				reset(from)
				return
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, syscall.ECONNRESET):
			reset(to)
			return
		default:
			if half, ok := to.(*net.TCPConn); ok {
				_ = half.CloseWrite() // who is not there any more needs no word
			}
			return
		}
	}
}

// reset ends a connection without a word of farewell.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.Close()
}
