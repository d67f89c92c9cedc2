package testenv

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// S3Gate is a gate before an S3 server that can refuse calls as S3 does.
type S3Gate struct {
	*HTTPGate

	mu      sync.Mutex
	refusal *Refusal
	refused int
}

// NewS3Gate starts a gate before a server.
func NewS3Gate(t testing.TB, server *S3Server) *S3Gate {
	t.Helper()
	g := &S3Gate{}
	g.HTTPGate = newHTTPGate(t, server.Addr, func(r *http.Response) error {
		if r.StatusCode >= http.StatusInternalServerError {
			g.count()
		}
		return nil
	})
	g.Between(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		refusal := g.decide()
		if refusal == nil {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(refusal.Status)
		fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>by the gate</Message></Error>`, refusal.Type)
	})
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
