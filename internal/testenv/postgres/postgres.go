// Package postgres runs a PostgreSQL server for tests.
//
// The tests of a process share one server, each with a database of its own. It asks
// for a password, listens on loopback only, and promises nothing for after a crash
// of the machine (fsync is off).
package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"millrace/internal/testenv"
	"millrace/internal/testenv/install"
)

// User and Password are the server's administrator.
const (
	User     = "millrace"
	Password = "pg-canary-7f3a" // tests look for it where it must not be
)

const startTimeout = 60 * time.Second

// Node is a server.
type Node struct {
	Addr string // host:port

	log       logBuffer
	databases atomic.Int64
}

// shared is the server that the tests of a process share.
var shared struct {
	once sync.Once
	node *Node
	err  error
}

// Server is the server that the tests of this process share. It starts with the
// first test that wants it, which takes some seconds, and ends with the process.
func Server(t testing.TB) *Node {
	t.Helper()
	dir, err := install.Postgres(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	shared.once.Do(func() { shared.node, shared.err = start(dir, testenv.FreeAddress(t)) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.node
}

// Database makes an empty database for a test and gives its name.
func (n *Node) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", n.databases.Add(1))
	n.administer(t, "CREATE DATABASE "+name)
	t.Cleanup(func() { n.administer(t, "DROP DATABASE "+name+" WITH (FORCE)") })
	return name
}

// URL is the address of a database, with the password.
func (n *Node) URL(database string) string {
	return fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", User, Password, n.Addr, database)
}

// Connect opens a connection of the administrator for the length of the test.
func (n *Node) Connect(t testing.TB, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), n.URL(database))
	if err != nil {
		t.Fatalf("PostgreSQL: %v; its log:\n%s", err, n.log.String())
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func (n *Node) administer(t testing.TB, sql string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // cleanups call it, too
	conn, err := pgx.Connect(ctx, n.URL("postgres"))
	if err != nil {
		t.Fatalf("PostgreSQL: %v; its log:\n%s", err, n.log.String())
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Fatalf("PostgreSQL: %s: %v", sql, err)
	}
}

// run serves a folder until the pipe at standard input closes, which it does when
// the process of the tests ends, and then removes all there is.
const run = `
exec 3<&0
"$1/bin/postgres" -D "$2/cluster" -c listen_addresses=127.0.0.1 -c "port=$3" -c unix_socket_directories= \
	-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=64MB 3<&- &
server=$!
(cat <&3 >/dev/null; kill -INT $server) &
wait $server
rm -rf "$2"
`

func start(dir, addr string) (*Node, error) {
	// t.TempDir would be gone with the first of the tests that share it.
	data, err := os.MkdirTemp("", "millrace-postgres-")
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	who, err := owner(&dir, data)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	password := filepath.Join(data, "password")
	if err := errors.Join(os.WriteFile(password, []byte(Password), 0o600), chown(who, password)); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	initdb := exec.Command(filepath.Join(dir, "bin", "initdb"), "--pgdata="+filepath.Join(data, "cluster"), "--username="+User, "--pwfile="+password,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = data, &syscall.SysProcAttr{Credential: who}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: initdb: %w\n%s", err, out)
	}
	n := &Node{Addr: addr}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	cmd := exec.Command("/bin/sh", "-c", run, "postgres", dir, data, port)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = data, &n.log, &n.log, &syscall.SysProcAttr{Credential: who}
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	return n, n.wait(cmd)
}

func (n *Node) wait(cmd *exec.Cmd) error {
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for deadline := time.Now().Add(startTimeout); ; {
		if strings.Contains(n.log.String(), "ready to accept connections") {
			return nil
		}
		select {
		case err := <-ended:
			return fmt.Errorf("start PostgreSQL: it ended (%w); its log:\n%s", err, n.log.String())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("start PostgreSQL: it does not serve after %v (%w); its log:\n%s", startTimeout, cmd.Process.Kill(), n.log.String())
		}
	}
}

// logBuffer is written by a process and read by the test.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
