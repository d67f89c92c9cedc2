package operate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"millrace/runners/flink/fault"
)

// ReadAll tells how all jobs are doing that have not ended, in the order of Jobs.
func (r Reader) ReadAll(ctx context.Context) ([]*Status, error) {
	jobs, err := Jobs(ctx, r.Client)
	if err != nil {
		return nil, err
	}
	var all []*Status
	for _, j := range jobs {
		if j.State.Ended() {
			continue
		}
		s, err := r.Read(ctx, j.ID)
		if errors.Is(err, fault.ErrNotFound) {
			continue // it ended meanwhile
		}
		if err != nil {
			return nil, err
		}
		all = append(all, &s)
	}
	return all, nil
}

// Healthy tells whether all of some jobs are.
func Healthy(all []*Status) bool {
	for _, s := range all {
		if !s.Healthy {
			return false
		}
	}
	return true
}

// Handler serves the status of the job that name means, or of all that have not
// ended when it is empty, read anew for each request:
//
//	/metrics  in Prometheus' text format
//	/status   JSON, a list
//	/healthz  200 while all are healthy, else 503 and what is wrong, in words
//
// 503 is also the answer when the cluster cannot be asked.
func (r Reader) Handler(name string) http.Handler {
	p := &pages{reader: r, name: name}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", p.page("text/plain; version=0.0.4; charset=utf-8", writeMetrics))
	mux.HandleFunc("GET /status", p.page("application/json", writeStatuses))
	mux.HandleFunc("GET /healthz", p.page("text/plain; charset=utf-8", writeHealth))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "/metrics /status /healthz")
	})
	return mux
}

type pages struct {
	reader Reader
	name   string
	mu     sync.Mutex // one look at a time: what is remembered of the last is a file
}

func (p *pages) look(ctx context.Context) ([]*Status, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.name == "" {
		return p.reader.ReadAll(ctx)
	}
	s, err := p.reader.Read(ctx, p.name)
	return []*Status{&s}, err
}

// page answers with what write makes of a look, which also gives the HTTP status.
func (p *pages) page(contentType string, write func(*bytes.Buffer, []*Status) (int, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		all, err := p.look(r.Context())
		var b bytes.Buffer
		status := 0
		if err == nil {
			status, err = write(&b, all)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		_, _ = b.WriteTo(w) // who asked may have left
	}
}

func writeMetrics(b *bytes.Buffer, all []*Status) (int, error) {
	return http.StatusOK, WritePrometheus(b, all...)
}

func writeStatuses(b *bytes.Buffer, all []*Status) (int, error) {
	if all == nil {
		all = []*Status{}
	}
	return http.StatusOK, json.NewEncoder(b).Encode(all)
}

func writeHealth(b *bytes.Buffer, all []*Status) (int, error) {
	for _, s := range all {
		if s.Healthy {
			fmt.Fprintf(b, "%s is healthy\n", s.Name)
			continue
		}
		fmt.Fprintf(b, "%s is not healthy\n", s.Name)
		for _, f := range s.Findings {
			if f.Problem {
				fmt.Fprintf(b, "  %s: %s\n", f.Text, f.Cure)
			}
		}
	}
	if len(all) == 0 {
		fmt.Fprintln(b, "no job runs")
	}
	if !Healthy(all) {
		return http.StatusServiceUnavailable, nil
	}
	return http.StatusOK, nil
}
