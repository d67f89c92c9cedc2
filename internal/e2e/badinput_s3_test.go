package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	gocmp "github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
)

// faultyS3 is an S3 server behind a proxy that breaks the requests it is told to.
type faultyS3 struct {
	*testenv.S3Server
	url   string
	fault atomic.Pointer[func(w http.ResponseWriter, r *http.Request) bool] // true: it has answered
	met   atomic.Int64
}

func newFaultyS3(t *testing.T) *faultyS3 {
	t.Helper()
	f := &faultyS3{S3Server: testenv.S3(t)}
	upstream, err := url.Parse(f.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(upstream); r.Out.Host = r.In.Host }} // the host is signed
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fault := f.fault.Load(); fault != nil && (*fault)(w, r) {
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	f.url = front.URL
	return f
}

func (f *faultyS3) put(t *testing.T, key string, content []byte) {
	t.Helper()
	if _, err := f.Client(t).PutObject(t.Context(), &s3.PutObjectInput{Bucket: &f.Bucket, Key: aws.String(key), Body: bytes.NewReader(content)}); err != nil {
		t.Fatal(err)
	}
}

// breaks makes matching requests fail from now on; none when matches is nil.
func (f *faultyS3) breaks(matches func(*http.Request) bool, answer http.HandlerFunc) {
	f.met.Store(0)
	fault := func(w http.ResponseWriter, r *http.Request) bool {
		if matches == nil || !matches(r) {
			return false
		}
		f.met.Add(1)
		answer(w, r)
		return true
	}
	f.fault.Store(&fault)
}

func status(code int, name string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>No.</Message></Error>", name)
	}
}

// reset promises content and drops the connection, the first time after some of
// it. (Were there some each time, the read would go on.)
func reset() http.HandlerFunc {
	var before atomic.Bool
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000000")
		w.Header().Set("ETag", `"0"`)
		w.WriteHeader(http.StatusPartialContent)
		if !before.Swap(true) {
			_, _ = w.Write([]byte("192"))
		}
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

func reads(key string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Method == http.MethodGet && strings.Contains(r.URL.Path, key) }
}

func lists(r *http.Request) bool { return r.URL.Query().Has("list-type") }

func writes(key string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		return (r.Method == http.MethodPut || r.Method == http.MethodPost) && strings.Contains(r.URL.Path, key)
	}
}

// s3Faults are answers, what they are called, and the cure.
var s3Faults = []struct {
	name   string
	answer http.HandlerFunc
	want   string
}{
	{"403", status(http.StatusForbidden, "AccessDenied"), "HTTP 403 AccessDenied"},
	{"404", status(http.StatusNotFound, "NoSuchKey"), "HTTP 404 NoSuchKey"},
	{"503", status(http.StatusServiceUnavailable, "SlowDown"), "HTTP 503 SlowDown"},
	{"reset mid-read", reset(), ""},
}

func TestAnS3SourceThatFailsIsNamedAndLeavesTheLakeAlone(t *testing.T) {
	f := newFaultyS3(t)
	e := userWith(t).with("AWS_ENDPOINT_URL_S3="+f.url, "AWS_MAX_ATTEMPTS=2")
	f.put(t, "logs/a.log", manyLines(3_000))
	f.put(t, "logs/b.log", []byte(otherDay))
	source := "s3://" + f.Bucket + "/logs/"
	object := "s3://" + f.Bucket + "/logs/a.log"
	for name, lake := range twoLakes(t, e) {
		t.Run(name, func(t *testing.T) {
			for _, fault := range s3Faults {
				t.Run(fault.name, func(t *testing.T) {
					f.breaks(reads("a.log"), fault.answer)
					r := rejected(t, e, 1, weblogs(source, lake), object)
					if !strings.Contains(r.stderr, fault.want) || f.met.Load() == 0 {
						t.Errorf("met %d times: %s", f.met.Load(), r.stderr)
					}
				})
			}
			f.breaks(lists, status(http.StatusForbidden, "AccessDenied"))
			rejected(t, e, 1, weblogs(source, lake), "s3:ListBucket")
			f.breaks(nil, nil)
			rejected(t, e, 1, weblogs("s3://nobucket/logs/", lake), "the bucket does not exist: create it, or correct the URL")
			rejected(t, e, 1, weblogs("s3://"+f.Bucket+"/nothing/", lake), "s3://"+f.Bucket+"/nothing/: there is no file in it")
		})
	}
	f.breaks(nil, nil)
	mustRun(t, e, weblogs(source, "lake")...)
}

// TestAnS3SourceThatFailsForAMomentIsReadAgain also shows that the proxy does
// what it should.
func TestAnS3SourceThatFailsForAMomentIsReadAgain(t *testing.T) {
	f := newFaultyS3(t)
	e := userWith(t).with("AWS_ENDPOINT_URL_S3="+f.url, "AWS_MAX_ATTEMPTS=2")
	f.put(t, "logs/a.log", manyLines(3_000))
	for i, answer := range []http.HandlerFunc{status(http.StatusServiceUnavailable, "SlowDown"), func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }} {
		var once atomic.Bool
		f.breaks(func(r *http.Request) bool { return reads("a.log")(r) && once.CompareAndSwap(false, true) }, answer)
		mustRun(t, e, weblogs("s3://"+f.Bucket+"/logs/", fmt.Sprint("lake", i))...)
		if m := readManifest(t, e.in(fmt.Sprint("lake", i))); m.Ledger.Events != 3_000 || f.met.Load() != 1 {
			t.Errorf("%d events after %d faults", m.Ledger.Events, f.met.Load())
		}
	}
}

func TestAnS3LakeThatRefusesIsNamedAndStaysAsItWas(t *testing.T) {
	f := newFaultyS3(t)
	e := userWith(t).with("AWS_ENDPOINT_URL_S3="+f.url, "AWS_MAX_ATTEMPTS=2")
	used := "s3://" + f.Bucket + "/used"
	writeFile(t, e.in("logs2", "other.log"), []byte(otherDay))
	mustRun(t, e, weblogs("logs2/other.log", used)...)
	objects := func() map[string]string {
		all := hashTree(t, f.Dir)
		for name := range all {
			// S3 has no folders; the server keeps some, and locks. The lease is an
			// object that stays, free to be taken.
			if all[name] == "folder" || strings.HasPrefix(name, ".vgwlocks") || strings.Contains(name, "/_lease/") {
				delete(all, name)
			}
		}
		return all
	}
	for _, lake := range []string{used, "s3://" + f.Bucket + "/new"} {
		for _, at := range []string{"events/", "_current/", "_runs/", "_commit.json", "_lease"} {
			before := objects()
			f.breaks(writes(at), status(http.StatusForbidden, "AccessDenied"))
			args := weblogs("logs/good.log", lake)
			r := run(t, e, args...)
			if f.met.Load() == 0 {
				t.Errorf("%s: nothing was written to %s", lake, at)
			}
			f.breaks(nil, nil)
			checkRejection(t, r, 1, args, "HTTP 403 AccessDenied")
			if !strings.Contains(r.stderr, lake) || !strings.Contains(r.stderr, "s3:PutObject") {
				t.Errorf("%s, %s: lake or right is not named in %s", lake, at, r.stderr)
			}
			if diff := gocmp.Diff(before, objects()); diff != "" {
				t.Errorf("%s, %s: changed\n%s", lake, at, diff)
			}
		}
	}
}
