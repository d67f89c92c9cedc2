package redshiftio

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"millrace/internal/testenv"
	"millrace/internal/testenv/postgres"
	"millrace/internal/testenv/redshift"
	"millrace/io/driver"
	"millrace/schemas/table"
)

func TestTheWireIsEncryptedAndTrustsWhomItIsTold(t *testing.T) {
	maker := httptest.NewTLSServer(http.NotFoundHandler()) // has a certificate for 127.0.0.1
	t.Cleanup(maker.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: maker.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, redshift.Options{TLS: &tls.Config{Certificates: maker.TLS.Certificates, MinVersion: tls.VersionTLS12}})
	name := w.name()
	open(t, w.url(name, viaWire, "&tls=true&ca="+ca), letters, driver.SinkOptions{}).mustWrite(t, table.Sealed, letter{Name: "a"})
	w.check(t, name, 1, "a")
	err := open(t, w.url(name, viaWire, "&tls=true"), letters, driver.SinkOptions{}).write(t, table.Sealed, letter{})
	if !errors.Is(err, driver.ErrPermission) || !strings.Contains(err.Error(), "ca=FILE") {
		t.Errorf("a certificate that nobody trusts: %v", err)
	}
	for file, part := range map[string]string{filepath.Join(t.TempDir(), "none"): "no such file", os.Args[0]: "no certificate"} {
		if _, err := Open(t.Context(), w.url(name, viaWire, "&tls=true&ca="+file), letters, driver.SinkOptions{}); !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), part) {
			t.Errorf("ca=%s: %v", file, err)
		}
	}
	plain := newWorld(t, redshift.Options{})
	err = open(t, plain.url(name, viaWire, "&tls=true"), letters, driver.SinkOptions{}).write(t, table.Sealed, letter{})
	if !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), "no TLS") {
		t.Errorf("a server without TLS: %v", err)
	}
}

// Whatever goes wrong, neither the password nor the AWS secret key is said.
func TestNoFaultTellsACredential(t *testing.T) {
	var logged bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { slog.SetDefault(before) })
	w := newWorld(t, redshift.Options{})
	var said []string
	ctx := driver.WithRetries(t.Context(), func(err error) { said = append(said, err.Error()) })
	row := func() table.Rows {
		b := table.NewBatch(letters)
		b.Append(letter{Name: "a"})
		return table.Rows{Batch: b}
	}
	inBothWays(t, w, func(t *testing.T, via string) {
		for _, fault := range []error{
			redshift.ErrHangUp, redshift.ErrAborted, &redshift.StatementError{Code: "XX000", Text: "could not serialize"},
			&redshift.StatementError{Code: "42501", Text: "permission denied"}, &redshift.StatementError{Code: "22001", Text: "value too long"},
		} {
			s := open(t, w.url(w.name(), via, ""), letters, driver.SinkOptions{Refused: func(r driver.RefusedRow) { said = append(said, fmt.Sprintf("%+v", r.Err)) }})
			w.ware.Break(once(1, "COPY", fault))
			if err := s.Write(ctx, row()); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(ctx); err != nil {
				said = append(said, fmt.Sprintf("%+v", err))
			}
			w.ware.Break(nil)
		}
	})
	t.Setenv(loginEnv, postgres.User+":"+postgres.Password+"wrong")
	err := open(t, w.url(w.name(), viaWire, ""), letters, driver.SinkOptions{}).Write(ctx, row())
	if !errors.Is(err, driver.ErrPermission) {
		t.Errorf("a wrong password gives %v", err)
	}
	said = append(said, fmt.Sprintf("%+v", err))
	w.api.Disturb(func(string) *redshift.Fault {
		return &redshift.Fault{Type: "UnrecognizedClientException", Status: 400}
	})
	err = open(t, w.url(w.name(), viaData, ""), letters, driver.SinkOptions{}).Write(ctx, row())
	if !errors.Is(err, driver.ErrPermission) {
		t.Errorf("a wrong key gives %v", err)
	}
	said = append(said, fmt.Sprintf("%+v", err), logged.String())
	for _, text := range said {
		if strings.Contains(text, postgres.Password) || strings.Contains(text, testenv.SecretKey) {
			t.Errorf("a credential is told: %s", text)
		}
	}
	if len(said) < 10 {
		t.Errorf("only %d faults were told", len(said))
	}
}
