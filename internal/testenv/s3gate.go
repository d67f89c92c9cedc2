package testenv

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"sync"
	"testing"
)

// S3Gate stands between clients and an S3 server, and can refuse their calls as S3
// does.
type S3Gate struct {
	Addr string // host:port; has to be where clients' requests end up

	mu      sync.Mutex
	refusal *Refusal
	refused int
}

// NewS3Gate starts a gate before a server. Requests reach it as they were signed.
func NewS3Gate(t testing.TB, server *S3Server) *S3Gate {
	t.Helper()
	g := &S3Gate{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", server.Addr
			r.Out.Host = r.In.Host // is signed
		},
		ModifyResponse: func(r *http.Response) error {
			if r.StatusCode >= http.StatusInternalServerError {
				g.count()
			}
			return nil
		},
		Transport:    &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }, // who asked has left
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refusal := g.decide()
		if refusal == nil {
			proxy.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(refusal.Status)
		fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>by the gate</Message></Error>`, refusal.Type)
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

// Refuse has all calls answered with a refusal, SlowDown for one; nil ends it.
func (g *S3Gate) Refuse(refusal *Refusal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refusal = refusal
}

// Refused is how many calls were, or were answered by the server itself with an error
// of its own, as when its disk is full.
func (g *S3Gate) Refused() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refused
}

func (g *S3Gate) count() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused++
}

func (g *S3Gate) decide() *Refusal {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.refusal != nil {
		g.refused++
	}
	return g.refusal
}
