package redshift

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"millrace/internal/testenv"
	"millrace/internal/testenv/postgres"
)

// Warehouse is a database that is asked as Redshift is, over PostgreSQL's protocol.
type Warehouse struct {
	Addr     string // host:port
	Database string
	Node     *postgres.Node

	reader *reader
	s3     func() string // endpoint that COPY reads from
	tls    *tls.Config   // nil for none
	dir    string

	mu    sync.Mutex
	fault func(sql string) error // what a statement fails with; nil for none
	files int
}

// Options are what a Warehouse can be told.
type Options struct {
	TLS *tls.Config          // offered to clients
	S3  *testenv.S3Server    // that COPY reads from
	Via func() (addr string) // host:port that COPY reaches it by; its own when nil
}

// New makes an empty database that reads from an S3 server.
func New(t testing.TB, o Options) *Warehouse {
	t.Helper()
	w := &Warehouse{Node: postgres.Server(t), reader: newReader(t), tls: o.TLS, dir: t.TempDir()}
	w.s3 = func() string { return o.S3.Endpoint }
	if o.Via != nil {
		w.s3 = func() string { return "http://" + o.Via() }
	}
	w.Database = w.Node.Database(t)
	conn := w.Node.Connect(t, w.Database)
	// The clock as Redshift calls it.
	if _, err := conn.Exec(t.Context(), `CREATE FUNCTION getdate() RETURNS timestamp LANGUAGE sql AS $$ SELECT date_trunc('second', now() AT TIME ZONE 'UTC') $$`); err != nil {
		t.Fatal(err)
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.Addr = listener.Addr().String()
	var serving sync.WaitGroup
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	t.Cleanup(func() {
		cancel()
		listener.Close()
		serving.Wait()
	})
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { w.serve(ctx, conn) })
		}
	})
	return w
}

// Break has statements fail with what f gives for them, until f is nil. They do not
// reach PostgreSQL then.
func (w *Warehouse) Break(f func(sql string) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = f
}

func (w *Warehouse) broken(sql string) error {
	w.mu.Lock()
	f := w.fault
	w.mu.Unlock()
	if f == nil {
		return nil
	}
	return f(sql)
}

// Requests that come before a connection begins, by their codes.
const (
	cancelRequest = 80877102
	sslRequest    = 80877103
	gssRequest    = 80877104
)

// serve carries a connection of a client, until it or ctx ends.
func (w *Warehouse) serve(ctx context.Context, client net.Conn) {
	defer func() { client.Close() }()
	stop := context.AfterFunc(ctx, func() { client.Close() })
	defer stop()
	for {
		start, err := readStart(client)
		if err != nil {
			return
		}
		switch binary.BigEndian.Uint32(start[4:8]) {
		case sslRequest, gssRequest:
			if w.tls == nil || binary.BigEndian.Uint32(start[4:8]) == gssRequest {
				if _, err := client.Write([]byte{'N'}); err != nil {
					return
				}
				continue
			}
			if _, err := client.Write([]byte{'S'}); err != nil {
				return
			}
			client = tls.Server(client, w.tls)
			continue
		}
		server, err := net.Dial("tcp", w.Node.Addr)
		if err != nil {
			return
		}
		defer server.Close()
		if _, err := server.Write(start); err != nil {
			return
		}
		if binary.BigEndian.Uint32(start[4:8]) == cancelRequest {
			_, _ = io.Copy(io.Discard, server) // closes when it is done
			return
		}
		(&session{w: w, client: client, server: server, copies: make(chan byte)}).carry()
		return
	}
}

// readStart reads a message that has no type.
func readStart(r io.Reader) ([]byte, error) {
	head := make([]byte, 8)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head)
	if n < 8 || n > 64<<10 {
		return nil, errors.New("no beginning of a connection")
	}
	whole := make([]byte, n)
	_, err := io.ReadFull(r, whole[copy(whole, head):])
	return whole, err
}

// file is a name for the rows of one COPY.
func (w *Warehouse) file() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.files++
	return filepath.Join(w.dir, fmt.Sprintf("copy%d.csv", w.files))
}

// rows reads what a COPY names into a file, open to be read.
func (w *Warehouse) rows(c *copying) (*os.File, error) {
	name := w.file()
	if err := w.reader.read(readRequest{Manifest: c.manifest, Endpoint: w.s3(), Out: name}); err != nil {
		return nil, fmt.Errorf("S3ServiceException or unreadable data: %w", err)
	}
	return os.Open(name)
}
