package testenv

import (
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"sync"
	"testing"
)

// HTTPGate stands between clients and an HTTP server. It passes everything on as it
// was signed, and whatever a test puts Between them can answer in the server's place,
// hold a request back, or change it or its answer.
type HTTPGate struct {
	Addr string // host:port; has to be where clients' requests end up

	mu      sync.Mutex
	between Between
	calls   int
}

// Between answers a request, or has next do so, which is the server.
type Between func(w http.ResponseWriter, r *http.Request, next http.Handler)

// Refusal is an error answer of a service.
type Refusal struct {
	Status int
	Type   string // ProvisionedThroughputExceededException, SlowDown ...
}

// NewHTTPGate starts a gate before a server, host:port.
func NewHTTPGate(t testing.TB, server string) *HTTPGate {
	t.Helper()
	return newHTTPGate(t, server, nil)
}

// newHTTPGate has each answer of the server seen by answered, unless that is nil.
func newHTTPGate(t testing.TB, server string, answered func(*http.Response) error) *HTTPGate {
	t.Helper()
	g := &HTTPGate{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", server
			r.Out.Host = r.In.Host // is signed
		},
		ModifyResponse: answered,
		Transport:      &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64},
		ErrorLog:       log.New(io.Discard, "", 0),                                                                     // of answers that nobody waits for any more
		ErrorHandler:   func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }, // who asked has left
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.calls++
		between := g.between
		g.mu.Unlock()
		if between == nil {
			proxy.ServeHTTP(w, r)
			return
		}
		between(w, r, proxy)
	}))
	var lc net.ListenConfig
	var err error
	if s.Listener, err = lc.Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	g.Addr = s.Listener.Addr().String()
	return g
}

// Between puts b between clients and server from now on; nil ends that.
func (g *HTTPGate) Between(b Between) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.between = b
}

// Calls is how many requests have come.
func (g *HTTPGate) Calls() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.calls
}

// TakeBody reads the body of a request, which stays there for whoever reads it next.
func TakeBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	SetBody(r, body)
	return body, err
}

// SetBody gives a request another body.
func SetBody(r *http.Request, body []byte) {
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
}
