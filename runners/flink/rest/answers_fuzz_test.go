package rest

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"millrace/internal/mutate"
)

// answering gives one answer to every request.
type answering struct {
	status int
	body   []byte
}

func (a answering) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Body: io.NopCloser(bytes.NewReader(a.body)), Header: http.Header{}}, nil
}

// FuzzAnswers gives any bytes as Flink's answer to each question: what is read is
// read, and an error is a line or two of a terminal.
func FuzzAnswers(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte(`{"jobs":[{"jid":"a","name":"b","state":"RUNNING","start-time":1,"end-time":-1}]}`), uint8(0))
	f.Add([]byte(`{"errors":["Internal server error.","x"]}`), uint8(16))
	f.Fuzz(func(t *testing.T, body []byte, which uint8) {
		c, err := New("127.0.0.1:1")
		if err != nil {
			t.Fatal(err)
		}
		status := http.StatusOK
		if which&16 != 0 {
			status = http.StatusInternalServerError
		}
		c.http = &http.Client{Transport: answering{status, body}}
		c.metered = time.Now() // nobody has to wait for metrics
		ctx := t.Context()
		switch which % 11 {
		case 0:
			_, err = c.Jobs(ctx)
		case 1:
			_, err = c.Job(ctx, "a")
		case 2:
			_, err = c.Checkpoints(ctx, "a")
		case 3:
			_, err = c.Exceptions(ctx, "a", 3)
		case 4:
			_, err = c.Overview(ctx)
		case 5:
			_, err = c.TaskManagers(ctx)
		case 6:
			_, err = c.Config(ctx)
		case 7:
			_, err = c.Restarts(ctx, "a")
		case 8:
			_, err = c.JobOptions(ctx, "a")
		case 9:
			_, err = c.Subtasks(ctx, "a", "v")
		case 10:
			_, _, err = c.savepointState(ctx, "stop", "a", "t")
		}
		if err != nil && (err.Error() == "" || len(err.Error()) > 4096+len(body)) {
			t.Fatalf("an error of %d bytes: %v", len(err.Error()), err)
		}
		if status != http.StatusOK && err == nil {
			t.Fatal("a refusal is no error")
		}
	})
}
