package operate_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"millrace/internal/operate"
)

// ask gives the answer of a path.
func ask(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w
}

func TestStatusIsServed(t *testing.T) {
	_, client := record(t, "healthy.json", nil)
	h := operate.Reader{Client: client}.Handler("")
	if w := ask(t, h, "/healthz"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "is healthy") {
		t.Errorf("/healthz answers %d, %s", w.Code, w.Body)
	}
	s := look(t, operate.Reader{Client: client}, healthyID)
	var want bytes.Buffer
	if err := operate.WritePrometheus(&want, &s); err != nil {
		t.Fatal(err)
	}
	if w := ask(t, h, "/metrics"); w.Code != http.StatusOK || w.Body.String() != want.String() || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Errorf("/metrics answers %d, %v, %s", w.Code, w.Header(), w.Body)
	}
	var all []operate.Status
	if w := ask(t, h, "/status"); json.Unmarshal(w.Body.Bytes(), &all) != nil || len(all) != 1 || all[0].ID != healthyID {
		t.Errorf("/status answers %d, %s", w.Code, w.Body)
	}
	if w := ask(t, h, "/other"); w.Code != http.StatusNotFound {
		t.Errorf("another page answers %d", w.Code)
	}
}

func TestAnUnhealthyJobAndAnUnreachableClusterAreServedAsUnavailable(t *testing.T) {
	_, client := record(t, "failing.json", nil)
	h := operate.Reader{Client: client}.Handler(failingID)
	w := ask(t, h, "/healthz")
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "is not healthy\n  ") {
		t.Errorf("/healthz answers %d, %s", w.Code, w.Body)
	}
	if w := ask(t, h, "/metrics"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "millrace_job_healthy{") {
		t.Errorf("/metrics answers %d, %s", w.Code, w.Body)
	}
	if w := ask(t, operate.Reader{Client: client}.Handler("unknown"), "/healthz"); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "unknown") {
		t.Errorf("a job that is not there answers %d, %s", w.Code, w.Body)
	}
}
