package testenv

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"testing"

	"millrace/internal/testenv/install"
)

// Proxy stands between a client and a server on loopback and disturbs what
// passes. A client may retry a fault away: assert that the fault was met.
type Proxy struct {
	Addr string // host:port to connect to instead of the upstream

	api string
}

// Toxiproxy starts a proxy in front of upstream (host:port). It passes
// everything on until a toxic is added.
func Toxiproxy(t testing.TB, upstream string) *Proxy {
	t.Helper()
	binary := tool(t, install.Toxiproxy)
	port := freePort(t)
	server := newServer(t, "toxiproxy", fmt.Sprintf("127.0.0.1:%d", port), func() *exec.Cmd {
		return exec.Command(binary, "-host", "127.0.0.1", "-port", fmt.Sprint(port))
	})
	p := &Proxy{
		Addr: fmt.Sprintf("127.0.0.1:%d", freePort(t)),
		api:  "http://" + server.Addr + "/proxies",
	}
	p.call(t, http.MethodPost, "", map[string]any{"name": "p", "listen": p.Addr, "upstream": upstream})
	return p
}

// Toxic adds a fault to what the server sends: "latency" (latency, jitter in
// ms), "bandwidth" (rate in KB/s), "slow_close" (delay), "timeout" (timeout),
// "reset_peer" (timeout), "slicer", "limit_data" (bytes). It replaces an
// earlier one of the same kind.
func (p *Proxy) Toxic(t testing.TB, kind string, attributes map[string]any) {
	t.Helper()
	p.remove(t, kind)
	p.call(t, http.MethodPost, "/p/toxics", map[string]any{
		"name": kind, "type": kind, "stream": "downstream", "attributes": attributes,
	})
}

// Heal removes a fault.
func (p *Proxy) Heal(t testing.TB, kind string) {
	t.Helper()
	if !p.remove(t, kind) {
		t.Fatalf("toxiproxy: there is no toxic %q to remove", kind)
	}
}

// Cut refuses connections and drops the open ones; Mend takes that back.
func (p *Proxy) Cut(t testing.TB) {
	t.Helper()
	p.call(t, http.MethodPost, "/p", map[string]any{"enabled": false})
}

// Mend accepts connections again after Cut.
func (p *Proxy) Mend(t testing.TB) {
	t.Helper()
	p.call(t, http.MethodPost, "/p", map[string]any{"enabled": true})
}

func (p *Proxy) remove(t testing.TB, kind string) bool {
	t.Helper()
	status, answer := p.send(t, http.MethodDelete, "/p/toxics/"+kind, nil)
	if status >= 300 && status != http.StatusNotFound {
		t.Fatalf("toxiproxy: remove %s: status %d: %s", kind, status, answer)
	}
	return status < 300
}

func (p *Proxy) call(t testing.TB, method, path string, body any) {
	t.Helper()
	if status, answer := p.send(t, method, path, body); status >= 300 {
		t.Fatalf("toxiproxy: %s %s: status %d: %s", method, path, status, answer)
	}
}

func (p *Proxy) send(t testing.TB, method, path string, body any) (status int, answer []byte) {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, p.api+path, bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("toxiproxy: %v", err)
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("toxiproxy: %v", err)
	}
	return response.StatusCode, answer
}
