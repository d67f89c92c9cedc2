package influxio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"millrace/io/calls"
)

// answerLimit is how many bytes an answer to a writing has at most; the rest of a
// longer one is not read.
const answerLimit = 64 << 10

var errAnswerLong = errors.New("an answer that is longer than one about these rows can be")

// call posts body and reads the answer into a buffer, at most limit bytes.
func (s *Sink) call(ctx context.Context, path, contentType string, body []byte, zipped bool, limit int64, into *bytes.Buffer) (status int, err error) {
	header := http.Header{"Content-Type": {contentType}}
	if zipped {
		header.Set("Content-Encoding", "gzip")
	}
	status, _, err = s.exchange(ctx, http.MethodPost, path, header, body, limit, into)
	return status, err
}

// exchange makes a call with the login, within the time that one has, and reads the
// answer into a buffer, at most limit bytes.
func (s *Sink) exchange(ctx context.Context, method, path string, header http.Header, body []byte, limit int64, into *bytes.Buffer) (status int, told http.Header, err error) {
	c := s.config
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("no answer after %v", c.timeout))
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, c.fault(err.Error(), "")
	}
	request.Header = header
	switch {
	case c.authorization != "":
		request.Header.Set("Authorization", c.authorization)
	case c.user != "":
		request.SetBasicAuth(c.user, c.password)
	}
	wayError := func(err error) error {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return calls.WayError(c.place, "the server", err)
	}
	response, err := s.http.Do(request)
	if err != nil {
		return 0, nil, wayError(err)
	}
	defer response.Body.Close()
	into.Reset()
	n, err := into.ReadFrom(io.LimitReader(response.Body, limit+1))
	switch {
	case err != nil:
		return 0, nil, wayError(err)
	case n > limit:
		into.Truncate(int(limit))
		return response.StatusCode, response.Header, errAnswerLong
	}
	return response.StatusCode, response.Header, nil
}
