package opensearchio

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"millrace/io/driver"
)

// client makes calls. It is safe for concurrent use.
type client struct {
	config *config
	http   *http.Client
	sign   func(*http.Request, []byte) error // nil for none
}

func newClient(ctx context.Context, c *config) (*client, error) {
	transport := &http.Transport{
		Proxy:              http.ProxyFromEnvironment,
		MaxConnsPerHost:    c.calls,
		DisableCompression: true, // answers are short, and their limits count what comes
		ForceAttemptHTTP2:  true,
		TLSClientConfig:    &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if c.ca != "" {
		pool, err := trust(c)
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	made := &client{config: c, http: &http.Client{
		Transport: transport,
		// A redirect would take credentials and rows elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if c.sigv4 {
		sign, err := newSigner(ctx, c)
		if err != nil {
			return nil, err
		}
		made.sign = sign
	}
	return made, nil
}

func trust(c *config) (*x509.CertPool, error) {
	pem, err := os.ReadFile(c.ca)
	if err != nil {
		return nil, c.fault(fmt.Sprintf("reading the certificates of ca: %v", err), "put the file where the workers run")
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, c.fault("there is no certificate in "+c.ca, "write it in PEM")
	}
	return pool, nil
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

// wayError is an error of the way to the server, which may pass, or of trust,
// which does not.
func (c *client) wayError(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	fault := &driver.Error{
		Doing: "write to", Object: c.config.place, Class: driver.ErrUnavailable, Cause: err,
		Cure: "check the address and whether OpenSearch runs",
	}
	var untrusted *tls.CertificateVerificationError
	var plain tls.RecordHeaderError
	switch {
	case errors.As(err, &untrusted):
		fault.Class, fault.Cure = driver.ErrPermission, "name the certificates to trust with ca=FILE, and the host by the name that its certificate has"
	case errors.As(err, &plain), errors.Is(err, http.ErrSchemeMismatch):
		fault.Class, fault.Cure = driver.ErrInvalid, "the server speaks no TLS there: write opensearch:// for opensearch+https://"
	}
	return fault
}
