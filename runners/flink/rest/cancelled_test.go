package rest_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"millrace/runners/flink/fault"
	"millrace/runners/flink/rest"
)

// TestAnAnswerThatWasGivenUpCanBeAskedForAgain holds that a poll goes on when
// Flink, while a job is cancelled, gives up what it was making for a question.
func TestAnAnswerThatWasGivenUpCanBeAskedForAgain(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(`{"errors":["Internal server error.","<Exception on server side:\njava.util.concurrent.CancellationException\n\tat java.base/x\nEnd of exception on server side>"]}`))
	}))
	defer server.Close()
	c, err := rest.New(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Overview(t.Context()); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}
