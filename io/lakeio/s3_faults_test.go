package lakeio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"millrace/internal/testenv"
	"millrace/io/driver"
)

// fakeS3 answers in the place of S3 with what no real server can be made to say.
// The store does not wait between its repetitions.
func fakeS3(t *testing.T, handler http.HandlerFunc) *s3Store {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return storeAt(t, server.URL, aws.NopRetryer{})
}

func storeAt(t *testing.T, endpoint string, r aws.Retryer) *s3Store {
	t.Helper()
	t.Setenv("AWS_ENDPOINT_URL_S3", endpoint)
	t.Setenv("AWS_ACCESS_KEY_ID", testenv.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", testenv.SecretKey)
	t.Setenv("AWS_REGION", testenv.Region)
	s := openStore(t, "s3://bucket/lake").(*s3Store)
	if r != nil {
		s.client = s3.New(s.client.Options(), func(o *s3.Options) { o.Retryer = r })
	}
	s.pause = time.Microsecond
	return s
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	if code != "" {
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>The message.</Message></Error>", code)
	}
}

func TestAnswersOfS3HaveClassAndCure(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		class  error
		cure   string
	}{
		{404, "NoSuchKey", driver.ErrNotFound, "check bucket and key"},
		{404, "NoSuchBucket", driver.ErrNotFound, "create it, or correct the URL"},
		{404, "", driver.ErrNotFound, "check bucket and key"},
		{403, "AccessDenied", driver.ErrPermission, "aws sts get-caller-identity"},
		{403, "SignatureDoesNotMatch", driver.ErrPermission, "credentials are not valid"},
		{403, "InvalidAccessKeyId", driver.ErrPermission, "credentials are not valid"},
		{403, "RequestTimeTooSkewed", driver.ErrPermission, "clock of this machine"},
		{403, "", driver.ErrPermission, "get-caller-identity"},
		{400, "ExpiredToken", driver.ErrPermission, "log in again"},
		{400, "KMS.DisabledException", driver.ErrPermission, "kms_key_id"},
		{301, "PermanentRedirect", driver.ErrInvalid, "?region="},
		{400, "AuthorizationHeaderMalformed", driver.ErrInvalid, "?region="},
		{503, "SlowDown", driver.ErrThrottled, "later"},
		{503, "", driver.ErrThrottled, "later"},
		{429, "TooManyRequests", driver.ErrThrottled, "later"},
		{500, "InternalError", driver.ErrUnavailable, "run the same command again"},
		{502, "", driver.ErrUnavailable, "run the same command again"},
		{507, "QuotaExceeded", driver.ErrFull, "free some space"},
		{400, "InvalidBucketName", driver.ErrInvalid, "correct the bucket"},
	} {
		t.Run(fmt.Sprint(c.status, " ", c.code), func(t *testing.T) {
			s := fakeS3(t, func(w http.ResponseWriter, _ *http.Request) { refuse(w, c.status, c.code) })
			_, _, get := s.Get(t.Context(), "a")
			_, list := s.List(t.Context(), "")
			_, put := s.Put(t.Context(), "a", strings.NewReader("x"), PutOptions{})
			for what, err := range map[string]error{"get": get, "list": list, "put": put, "delete": s.Delete(t.Context(), "a")} {
				if !errors.Is(err, c.class) || !strings.Contains(err.Error(), c.cure) || !strings.Contains(err.Error(), "s3://bucket/lake/") {
					t.Errorf("%s: %v", what, err)
				}
				if strings.Contains(err.Error(), "operation error") || strings.Count(err.Error(), c.code) > 1 && c.code != "" {
					t.Errorf("%s: the text is the SDK's: %v", what, err)
				}
			}
		})
	}
}

func TestADeniedObjectOfManyIsNamed(t *testing.T) {
	s := fakeS3(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `<DeleteResult><Error><Key>lake/b</Key><Code>AccessDenied</Code><Message>No.</Message></Error></DeleteResult>`)
	})
	err := s.Delete(t.Context(), "a", "b")
	if !errors.Is(err, driver.ErrPermission) || !strings.Contains(err.Error(), "s3://bucket/lake/b") || !strings.Contains(err.Error(), "s3:DeleteObject") {
		t.Errorf("the error is %v", err)
	}
}

func TestABusyS3IsAskedAgain(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 4 {
			refuse(w, http.StatusServiceUnavailable, "SlowDown")
			return
		}
		w.Header().Set("ETag", `"1"`)
		_, _ = io.WriteString(w, "hello")
	}))
	defer server.Close()
	s := storeAt(t, server.URL, nil) // as it is in earnest
	if got := content(t, s, "a"); got != "hello" || asked.Load() != 4 {
		t.Errorf("%q after %d requests", got, asked.Load())
	}
	asked.Store(1)
	var told []error
	ctx := driver.WithRetries(t.Context(), func(err error) { told = append(told, err) })
	if _, err := s.Stat(ctx, "a"); err != nil || len(told) != 2 || !errors.Is(told[0], driver.ErrThrottled) || !strings.Contains(told[0].Error(), "s3://bucket/lake") {
		t.Errorf("%v; told of the repetitions %v", err, told)
	}
}

func TestAnUnreachableS3IsUnavailable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	s := storeAt(t, server.URL, aws.NopRetryer{})
	_, _, err := s.Get(t.Context(), "a")
	if !errors.Is(err, driver.ErrUnavailable) || !strings.Contains(err.Error(), "connection refused") || !strings.Contains(err.Error(), "AWS_ENDPOINT_URL_S3") {
		t.Errorf("the error is %v", err)
	}
}

func TestMissingCredentialsAndRegionAreNamed(t *testing.T) {
	testenv.S3(t) // hides the machine's own configuration
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	s := openStore(t, "s3://bucket/lake")
	if _, err := s.List(t.Context(), ""); !errors.Is(err, driver.ErrPermission) || !strings.Contains(err.Error(), "no AWS credentials") {
		t.Errorf("without credentials: %v", err)
	}
	t.Setenv("AWS_ENDPOINT_URL_S3", "")
	t.Setenv("AWS_REGION", "")
	if _, err := OpenStore(t.Context(), "s3://bucket/lake"); !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), "AWS_REGION") {
		t.Errorf("without a region: %v", err)
	}
	if _, err := OpenStore(t.Context(), "s3://bucket/lake?region=eu-west-1"); err != nil {
		t.Errorf("with a region in the URL: %v", err)
	}
}

// ranged serves one object of 1,000 bytes, handing each request with its range
// and number, from 1 on, to the test.
func ranged(t *testing.T, serve func(w http.ResponseWriter, r *http.Request, n int, from int, rest []byte)) (*s3Store, []byte) {
	t.Helper()
	object := bytes.Repeat([]byte("0123456789"), 100)
	var requests atomic.Int64
	return fakeS3(t, func(w http.ResponseWriter, r *http.Request) {
		from := 0
		if text := r.Header.Get("Range"); text != "" {
			var to int
			if _, err := fmt.Sscanf(text, "bytes=%d-%d", &from, &to); err != nil || to != len(object)-1 {
				t.Errorf("the range is %q", text)
			}
		}
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Content-Length", fmt.Sprint(len(object)-from))
		serve(w, r, int(requests.Add(1)), from, object[from:])
	}), object
}

// breakOff ends an answer in the middle.
func breakOff(w http.ResponseWriter) {
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func TestABrokenReadGoesOnWhereItStopped(t *testing.T) {
	var froms []int
	s, object := ranged(t, func(w http.ResponseWriter, r *http.Request, n, from int, rest []byte) {
		froms = append(froms, from)
		if n > 1 && r.Header.Get("If-Match") != `"v1"` {
			t.Errorf("request %d is for the version %q", n, r.Header.Get("If-Match"))
		}
		if len(rest) > 300 {
			w.Write(rest[:300])
			breakOff(w)
		}
		w.Write(rest)
	})
	if got := content(t, s, "a"); got != string(object) {
		t.Errorf("%d bytes are read, or others", len(got))
	}
	if fmt.Sprint(froms) != "[0 300 600 900]" {
		t.Errorf("the reads begin at %v", froms)
	}
}

func TestAReadThatChangesInBetweenIsAnError(t *testing.T) {
	s, _ := ranged(t, func(w http.ResponseWriter, _ *http.Request, n, _ int, rest []byte) {
		if n == 1 {
			w.Write(rest[:10])
			breakOff(w)
		}
		w.Header().Del("Content-Length")
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
	})
	if _, _, err := ReadAll(t.Context(), s, "a", 1<<20); !errors.Is(err, driver.ErrChanged) {
		t.Errorf("the error is %v", err)
	}
}

func TestAReadWithoutProgressGivesUp(t *testing.T) {
	requests := 0
	s, _ := ranged(t, func(w http.ResponseWriter, _ *http.Request, n, _ int, rest []byte) {
		requests = n
		if n == 1 {
			w.Write(rest[:123])
		}
		breakOff(w)
	})
	_, _, err := ReadAll(t.Context(), s, "a", 1<<20)
	if !errors.Is(err, driver.ErrUnavailable) || !strings.Contains(err.Error(), "from byte 123 on") {
		t.Errorf("the error is %v", err)
	}
	if requests != readAttempts {
		t.Errorf("%d requests", requests)
	}
}

func TestASilentReadIsBrokenOffAndGoesOn(t *testing.T) {
	s, object := ranged(t, func(w http.ResponseWriter, r *http.Request, n, _ int, rest []byte) {
		if n == 1 {
			w.Write(rest[:500])
			w.(http.Flusher).Flush()
			<-r.Context().Done() // until the client hangs up
			return
		}
		w.Write(rest)
	})
	s.idle = 20 * time.Millisecond
	if got := content(t, s, "a"); got != string(object) {
		t.Errorf("%d bytes are read, or others", len(got))
	}
}

func TestACancelledReadEnds(t *testing.T) {
	s, _ := ranged(t, func(w http.ResponseWriter, r *http.Request, _, _ int, rest []byte) {
		w.Write(rest[:500])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	r, _, err := s.Get(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadFull(r, make([]byte, 500)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

// TestAWriteWhoseAnswerWasLostIsOurs drops the first answer to a conditional
// write that the server has carried out. The repetition is refused, by our own
// object.
func TestAWriteWhoseAnswerWasLostIsOurs(t *testing.T) {
	server := testenv.S3(t)
	upstream, err := url.Parse(server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	final := func(r *http.Request) bool { // makes the object appear
		return r.Method == http.MethodPut && r.URL.Query().Get("partNumber") == "" ||
			r.Method == http.MethodPost && r.URL.Query().Has("uploadId")
	}
	var dropped atomic.Bool
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(upstream); r.Out.Host = r.In.Host },
		ModifyResponse: func(r *http.Response) error {
			if final(r.Request) && dropped.CompareAndSwap(false, true) {
				if r.StatusCode != http.StatusOK {
					t.Errorf("the write itself meets %s", r.Status)
				}
				_, _ = io.Copy(io.Discard, r.Body) // S3 completes an upload while it answers
				return http.ErrAbortHandler
			}
			return nil
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	front := httptest.NewServer(proxy)
	defer front.Close()
	t.Setenv("AWS_ENDPOINT_URL_S3", front.URL)
	s := openStore(t, "s3://"+server.Bucket+"/lake")
	for name, size := range map[string]int{"whole": 100, "parts": s3Multipart + 1} {
		dropped.Store(false)
		info, err := s.Put(t.Context(), name, bytes.NewReader(make([]byte, size)), PutOptions{IfNoneMatch: true})
		if err != nil || !dropped.Load() {
			t.Errorf("%s: %v; an answer was lost: %v", name, err, dropped.Load())
			continue
		}
		if st, err := s.Stat(t.Context(), name); err != nil || st.Version != info.Version || st.Size != int64(size) {
			t.Errorf("%s: put says %+v, stat %+v, %v", name, info, st, err)
		}
		if _, err := s.Put(t.Context(), name, strings.NewReader("x"), PutOptions{IfNoneMatch: true}); !errors.Is(err, driver.ErrConflict) {
			t.Errorf("%s: a second writer meets %v", name, err)
		}
	}
}

func TestEncryptionIsAskedForAndKept(t *testing.T) {
	server := testenv.Moto(t)
	t.Setenv("AWS_ENDPOINT_URL_S3", server.Endpoint)
	const key = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
	s := openStore(t, "s3://sealed/lake?sse=aws:kms&kms_key_id="+url.QueryEscape(key)).(*s3Store)
	if _, err := s.client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("sealed")}); err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int{"whole": 10, "parts": s3Multipart + 1} {
		if _, err := s.Put(t.Context(), name, bytes.NewReader(make([]byte, size)), PutOptions{}); err != nil {
			t.Fatal(err)
		}
		head, err := s.client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("sealed"), Key: aws.String("lake/" + name)})
		if err != nil {
			t.Fatal(err)
		}
		if head.ServerSideEncryption != types.ServerSideEncryptionAwsKms || aws.ToString(head.SSEKMSKeyId) != key {
			t.Errorf("%s is stored with %q, key %q", name, head.ServerSideEncryption, aws.ToString(head.SSEKMSKeyId))
		}
	}
}

func TestASweepEndsAbandonedUploadsOnly(t *testing.T) {
	old, fresh := time.Now().Add(-sweepAge-time.Hour), time.Now().Add(-time.Hour)
	var ended []string
	s := fakeS3(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			ended = append(ended, r.URL.Path+" "+r.URL.Query().Get("uploadId"))
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if r.URL.Query().Get("prefix") != "lake/" {
			t.Errorf("uploads are listed with %s", r.URL.RawQuery)
		}
		_, _ = io.WriteString(w, `<ListMultipartUploadsResult>`)
		for id, at := range map[string]time.Time{"old": old, "fresh": fresh} {
			fmt.Fprintf(w, "<Upload><Key>lake/a</Key><UploadId>%s</UploadId><Initiated>%s</Initiated></Upload>", id, at.UTC().Format(time.RFC3339))
		}
		_, _ = io.WriteString(w, `</ListMultipartUploadsResult>`)
	})
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(ended) != "[/bucket/lake/a old]" {
		t.Errorf("ended are %q", ended)
	}
}
