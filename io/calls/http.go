package calls

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"

	"millrace/io/driver"
)

func toValid(text []byte) []byte { return bytes.ToValidUTF8(text, []byte("\ufffd")) }

// NewHTTP is a client for so many calls at a time, which follows no redirects: they
// would take credentials and rows elsewhere. ca names a file of certificates to trust
// besides the system's; empty for none.
func NewHTTP(calls int, ca string) (*http.Client, error) {
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		MaxConnsPerHost:     calls,
		MaxIdleConnsPerHost: calls,
		DisableCompression:  true, // limits of answers count what comes
		ForceAttemptHTTP2:   true,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, fmt.Errorf("reading the certificates of ca: %w", err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("there is no certificate in %s; write it in PEM", ca)
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// IsLoopback tells whether a host, with its port or without, is this machine.
func IsLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// WayError is the error of a call that brought no answer: of the way to the server,
// which may pass, or of trust, which does not.
func WayError(place, server string, err error) error {
	fault := &driver.Error{
		Doing: "write to", Object: place, Class: driver.ErrUnavailable, Cause: err,
		Cure: "check the address and whether " + server + " runs",
	}
	var untrusted *tls.CertificateVerificationError
	var plain tls.RecordHeaderError
	switch {
	case errors.As(err, &untrusted):
		fault.Class, fault.Cure = driver.ErrPermission, "name the certificates to trust with ca=FILE, and the host by the name that its certificate has"
	case errors.As(err, &plain), errors.Is(err, http.ErrSchemeMismatch):
		fault.Class, fault.Cure = driver.ErrInvalid, "the server speaks no TLS there: write the scheme without +https"
	}
	return fault
}
