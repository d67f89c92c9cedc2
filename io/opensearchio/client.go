package opensearchio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"millrace/io/calls"
)

// client makes calls. It is safe for concurrent use.
type client struct {
	config *config
	http   *http.Client
	sign   func(*http.Request, []byte) error // nil for none
}

func newClient(ctx context.Context, c *config) (*client, error) {
	way, err := calls.NewHTTP(c.calls, c.ca)
	if err != nil {
		return nil, c.fault(err.Error(), "put the file where the workers run")
	}
	made := &client{config: c, http: way}
	if c.sigv4 {
		sign, err := newSigner(ctx, c)
		if err != nil {
			return nil, err
		}
		made.sign = sign
	}
	return made, nil
}

var errAnswerLong = errors.New("an answer that is longer than one about these rows can be")

// call sends body and reads the answer into a buffer, at most limit bytes. What an
// answer of another status than 2xx means is for answerError.
func (c *client) call(ctx context.Context, method, path, contentType string, body []byte, zipped bool, limit int64, into *bytes.Buffer) (status int, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.config.timeout, fmt.Errorf("no answer after %v", c.config.timeout))
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, c.config.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, c.config.fault(err.Error(), "")
	}
	if len(body) > 0 {
		request.Header.Set("Content-Type", contentType)
	}
	if zipped {
		request.Header.Set("Content-Encoding", "gzip")
	}
	switch {
	case c.sign != nil:
		if err := c.sign(request, body); err != nil {
			return 0, err
		}
	case c.config.user != "":
		request.SetBasicAuth(c.config.user, c.config.password)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return 0, c.wayError(ctx, err)
	}
	defer response.Body.Close()
	into.Reset()
	n, err := into.ReadFrom(io.LimitReader(response.Body, limit+1))
	switch {
	case err != nil:
		return 0, c.wayError(ctx, err)
	case n > limit && response.StatusCode < 300:
		return response.StatusCode, errAnswerLong
	}
	return response.StatusCode, nil
}

// wayError is the error of a call that brought no answer, or of what cut it short.
func (c *client) wayError(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return calls.WayError(c.config.place, "OpenSearch", err)
}
