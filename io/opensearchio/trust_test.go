package opensearchio

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"millrace/internal/localservers"
	"millrace/io/driver"
	"millrace/schemas/table"
)

func TestTLSAndLogin(t *testing.T) {
	var logins []string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		logins = append(logins, user+" "+password)
		tell(w, []int{201})
	}))
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("LOGIN", "user:pass")
	url := "opensearch+https://" + server.Listener.Addr().String() + "/rows?template=skip&login_env=LOGIN"
	open(t, url+"&ca="+ca, letters, driver.SinkOptions{}).mustWrite(t, table.Sealed, letter{})
	if !slices.Equal(logins, []string{"user pass"}) {
		t.Errorf("logins: %q", logins)
	}
	if err := open(t, url, letters, driver.SinkOptions{}).write(t, table.Sealed, letter{}); !errors.Is(err, driver.ErrPermission) || !strings.Contains(err.Error(), "ca=FILE") {
		t.Errorf("a certificate that nobody trusts: %v", err)
	}
	if len(logins) != 1 {
		t.Errorf("a server that is not trusted was told a password")
	}
	for file, part := range map[string]string{filepath.Join(t.TempDir(), "none"): "no such file", os.Args[0]: "no certificate"} {
		if _, err := Open(t.Context(), url+"&ca="+file, letters, driver.SinkOptions{}); !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), part) {
			t.Errorf("ca=%s: %v", file, err)
		}
	}
	plain := answers(t, func(w http.ResponseWriter, c call) { tell(w, []int{201}) })
	err := open(t, strings.Replace(plain, "opensearch:", "opensearch+https:", 1), letters, driver.SinkOptions{}).write(t, table.Sealed, letter{})
	if !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), "no TLS") {
		t.Errorf("a server without TLS: %v", err)
	}
}

var authorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=AKIDTEST/\d{8}/eu-west-1/es/aws4_request, SignedHeaders=[a-z;-]+, Signature=[0-9a-f]{64}$`)

// The server signs what it got again, as a managed domain does to compare.
func TestSignaturesCoverTheCall(t *testing.T) {
	for name, value := range localservers.AWS() {
		t.Setenv(name, value)
	}
	url := answersSigned(t)
	open(t, url+"&compress=gzip", letters, driver.SinkOptions{}).mustWrite(t, table.Sealed, letter{Name: "a"})
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	if err := open(t, url, letters, driver.SinkOptions{}).write(t, table.Sealed, letter{}); !errors.Is(err, driver.ErrPermission) || !strings.Contains(err.Error(), "no AWS credentials") {
		t.Errorf("without credentials: %v", err)
	}
}

func answersSigned(t *testing.T) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := r.Header.Get("Authorization")
		if !authorization.MatchString(got) {
			t.Errorf("authorization %q", got)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		if err != nil {
			t.Error(err)
		}
		again, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+r.Host+r.URL.RequestURI(), bytes.NewReader(body))
		if err != nil {
			t.Error(err)
		}
		for _, name := range []string{"Content-Type", "Content-Encoding"} {
			if v := r.Header.Get(name); v != "" {
				again.Header.Set(name, v)
			}
		}
		credentials := aws.Credentials{AccessKeyID: localservers.AccessKey, SecretAccessKey: localservers.SecretKey}
		if err := v4.NewSigner().SignHTTP(r.Context(), credentials, again, digest(body), "es", "eu-west-1", at); err != nil {
			t.Error(err)
		}
		if want := again.Header.Get("Authorization"); got != want {
			t.Errorf("signed %s, want %s", got, want)
		}
		tell(w, []int{201})
	}))
	t.Cleanup(server.Close)
	return "opensearch://" + server.Listener.Addr().String() + "/rows?template=skip&sigv4=true&region=eu-west-1"
}
