// Package rest speaks to a Flink cluster through the REST interface of its
// JobManager: what runs, how it is doing, and stopping it.
package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"millrace/runners/flink/fault"
)

// Client speaks to one JobManager. Calls may be concurrent.
type Client struct {
	base string // http://host:port
	http *http.Client

	mu      sync.Mutex
	metered time.Time // when metrics were last asked for
}

// answerTimeout is for one request; Flink itself waits ten seconds for what a
// JobManager has to ask of others.
const answerTimeout = 30 * time.Second

// largestAnswer is more than any answer has: a job of a thousand vertices.
const largestAnswer = 64 << 20

// New makes a client of the JobManager whose REST interface is at address:
// host:port or http(s)://host:port.
func New(address string) (*Client, error) {
	base := address
	if !strings.Contains(base, "://") {
		base = "http://" + base
	}
	parsed, err := url.Parse(base)
	if err != nil || (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Host == "" || parsed.User != nil {
		return nil, &fault.Error{
			Doing: "use", Object: "the Flink address " + address, Class: fault.ErrInvalid,
			Cause: errors.New("it is no host and port"),
			Cure:  "give the JobManager's REST address, like 127.0.0.1:8081",
		}
	}
	return &Client{base: strings.TrimRight(base, "/"), http: &http.Client{Timeout: answerTimeout}}, nil
}

// Address is where the client sends its requests: http://host:port.
func (c *Client) Address() string { return c.base }

// request is one call: doing what to which object, for the error.
type request struct {
	doing, object string
	method, path  string
	body          any // sent as JSON unless nil
}

// call sends a request and decodes the answer into out unless that is nil.
func (c *Client) call(ctx context.Context, r request, out any) error {
	var body io.Reader
	if r.body != nil {
		encoded, err := json.Marshal(r.body)
		if err != nil {
			return fmt.Errorf("%s %s: %w", r.doing, r.object, err)
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", r.doing, r.object, err)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("%s %s: %w", r.doing, r.object, context.Cause(ctx))
		}
		return c.silent(r, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, largestAnswer+1))
	if err != nil {
		return c.silent(r, err)
	}
	if len(answer) > largestAnswer {
		return fmt.Errorf("%s %s: the answer is larger than %d bytes", r.doing, r.object, largestAnswer)
	}
	if resp.StatusCode/100 != 2 {
		return c.refusal(r, resp.StatusCode, answer)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return &fault.Error{
			Doing: r.doing, Object: r.object, Class: fault.ErrInvalid,
			Cause: fmt.Errorf("%s%s answered what is no answer of Flink's: %w", c.base, r.path, err),
			Cure:  "check that the address is the JobManager's REST interface",
		}
	}
	return nil
}

// silent is the error of a JobManager that does not answer.
func (c *Client) silent(r request, cause error) error {
	return &fault.Error{
		Doing: r.doing, Object: r.object, Class: fault.ErrUnavailable, Cause: cause,
		Cure: "check that the cluster runs and that " + c.base + " is the REST address of its JobManager",
	}
}

// refusal turns Flink's error answer into an error of a class.
func (c *Client) refusal(r request, status int, answer []byte) error {
	e := &fault.Error{Doing: r.doing, Object: r.object, Class: fault.ErrRefused, Cause: errorText(status, answer)}
	switch {
	case status == http.StatusNotFound:
		e.Class = fault.ErrNotFound
		e.Cure = "list the jobs of the cluster; it forgets ended ones after an hour and all of them when its JobManager restarts"
	case status == http.StatusBadRequest:
		e.Class = fault.ErrInvalid
	case status == http.StatusServiceUnavailable || status == http.StatusBadGateway || status == http.StatusGatewayTimeout:
		e.Class = fault.ErrUnavailable
		e.Cure = "try again: the JobManager is starting or overloaded"
	case r.method == http.MethodGet && bytes.Contains(answer, []byte("java.util.concurrent.CancellationException")):
		// What was asked for was being made for another question that was given up,
		// as happens while a job is cancelled.
		e.Class = fault.ErrUnavailable
		e.Cure = "try again"
	}
	return e
}

// errorText is what Flink says: {"errors":[summary, stack trace]}, the trace
// cut down to its causes.
func errorText(status int, answer []byte) error {
	var said struct{ Errors []string }
	if json.Unmarshal(answer, &said) != nil || len(said.Errors) == 0 {
		return fmt.Errorf("HTTP status %d", status)
	}
	// The first is "Internal server error." where the second has the reason.
	text := said.Errors[len(said.Errors)-1]
	if cause := RootCause(text); cause != "" {
		text = cause
	}
	return fmt.Errorf("%s (HTTP status %d)", text, status)
}
