package testenv

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestAMeterTellsWhatADisturbanceHits(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "answer") }))
	t.Cleanup(server.Close)
	proxy := Toxiproxy(t, strings.TrimPrefix(server.URL, "http://"))
	meter := NewMeter(t, proxy.Addr)
	ask := func(timeout time.Duration) error {
		client := &http.Client{Timeout: timeout, Transport: &http.Transport{}}
		defer client.CloseIdleConnections()
		r, err := client.Get("http://" + meter.Addr)
		if err != nil {
			return err
		}
		defer r.Body.Close()
		if b, err := io.ReadAll(r.Body); err != nil || string(b) != "answer" {
			return fmt.Errorf("%q, %w", b, err)
		}
		return nil
	}
	// The end of a connection may be told a moment after the client saw it.
	troubled := func(want int) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); meter.Met().Troubled < want && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		if met := meter.Met(); met.Troubled != want {
			t.Errorf("%d requests were troubled, it saw %+v", want, met)
		}
	}
	if err := ask(time.Minute); err != nil {
		t.Fatal(err)
	}
	if met := meter.Met(); met.Bytes == 0 {
		t.Errorf("an answer has passed, and it saw %+v", met)
	}
	troubled(0)

	proxy.Toxic(t, "latency", map[string]any{"latency": 500})
	if err := ask(time.Minute); err != nil {
		t.Error(err)
	}
	troubled(1)
	proxy.Heal(t, "latency")

	proxy.Toxic(t, "reset_peer", map[string]any{"timeout": 0})
	if err := ask(time.Minute); err == nil {
		t.Error("a connection that was reset gave an answer")
	}
	troubled(2)
	proxy.Heal(t, "reset_peer")

	proxy.Toxic(t, "timeout", map[string]any{"timeout": 0})
	if err := ask(500 * time.Millisecond); err == nil {
		t.Error("a black hole gave an answer")
	}
	troubled(3)
	proxy.Heal(t, "timeout")
	if err := ask(time.Minute); err != nil {
		t.Errorf("after all that: %v", err)
	}
}

func TestASwitchboardConnectsWithWhomeverIsNamed(t *testing.T) {
	board := Switchboard(t)
	for _, word := range []string{"one", "other"} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { listener.Close() })
		go func() {
			if conn, err := listener.Accept(); err == nil {
				defer conn.Close()
				line, _ := bufio.NewReader(conn).ReadString('\n')
				fmt.Fprint(conn, word, " heard ", line)
			}
		}()
		conn, err := net.Dial("tcp", board)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "%s\nhello\n", listener.Addr())
		if got, err := io.ReadAll(conn); err != nil || string(got) != word+" heard hello\n" {
			t.Errorf("it says %q, %v", got, err)
		}
	}
}
