package testenv

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Ports are taken below the range the kernel hands to outgoing connections, so
// that a server can be stopped and started again on its port.
const (
	firstPort = 20000
	lastPort  = 29999
)

// FreeAddress is a host:port of loopback that is the test's own: for a program
// under test that is to listen there, and may be started again.
func FreeAddress(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", freePort(t))
}

// freePort reserves a loopback port for the length of the test. A lock file
// keeps other test binaries from choosing it before the server listens, and
// while the server is down.
func freePort(t testing.TB) int {
	t.Helper()
	locks := filepath.Join(os.TempDir(), fmt.Sprintf("millrace-ports-%d", os.Getuid())) //nolint:usetesting // shared by all test binaries
	if err := os.MkdirAll(locks, 0o700); err != nil {
		t.Fatalf("reserve a port: %v", err)
	}
	start := firstPort + os.Getpid()%(lastPort-firstPort)
	for n := range lastPort - firstPort {
		port := firstPort + (start-firstPort+n)%(lastPort-firstPort)
		if release, ok := reserve(t, filepath.Join(locks, fmt.Sprint(port)), port); ok {
			t.Cleanup(release)
			return port
		}
	}
	t.Fatalf("reserve a port: none free in %d-%d", firstPort, lastPort)
	return 0
}

func reserve(t testing.TB, path string, port int) (release func(), ok bool) {
	t.Helper()
	lock, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatalf("reserve a port: %v", err)
	}
	if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		lock.Close()
		return nil, false
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		lock.Close()
		return nil, false
	}
	listener.Close()
	return func() { lock.Close() }, true
}
