package loopback_test

import (
	"net"
	"slices"
	"strconv"
	"testing"

	"millrace/runners/prism/loopback"
)

func TestAServerIsTakenOffTheNetworkAndStillServesThisMachine(t *testing.T) {
	server, err := net.Listen("tcp", ":0") // as who has no setting does
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	port := server.Addr().(*net.TCPAddr).Port
	own, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	address := net.JoinHostPort("::", strconv.Itoa(port))
	exposed := func() []string {
		t.Helper()
		all, err := loopback.Exposed()
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if got := exposed(); !slices.Equal(got, []string{address}) {
		t.Fatalf("exposed are %v, want %s alone", got, address)
	}
	if err := loopback.Confine(port); err != nil {
		t.Fatal(err)
	}
	if got := exposed(); len(got) != 0 {
		t.Errorf("exposed are %v, want nothing", got)
	}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		conn, err := net.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			t.Errorf("over %s: %v", host, err)
			continue
		}
		conn.Close()
	}
}

func TestAPortThatNothingListensOnIsAnError(t *testing.T) {
	server, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	port := server.Addr().(*net.TCPAddr).Port
	server.Close()
	if err := loopback.Confine(port); err == nil {
		t.Errorf("port %d is closed, and no error told so", port)
	}
}
