package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"millrace/internal/testenv"
)

// policy is a document of AWS IAM: what it allows, unless it denies it, and nothing else.
type policy struct {
	Version   string
	Statement []struct {
		Sid, Effect      string
		Action, Resource []string
		Condition        map[string]map[string]string
	}
}

// allows tells whether something may be done. What is allowed on a condition is of KMS,
// whose calls do not come this way.
func (p policy) allows(r right) (allowed bool) {
	for _, s := range p.Statement {
		if s.Condition != nil || !slices.Contains(s.Action, r.action) || !matches(s.Resource, r.resource) {
			continue
		}
		if s.Effect == "Deny" {
			return false
		}
		allowed = true
	}
	return allowed
}

func matches(patterns []string, resource string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$").MatchString(resource)
	})
}

// right is an action and the ARN that it is done to.
type right struct{ action, resource string }

// rights stands before an S3 and a Kinesis server and allows callers what the
// policies in docs/iam allow them. A caller tells its name by AWS_SDK_UA_APP_ID;
// who has none is a worker.
type rights struct {
	policies map[string]policy // by caller

	mu     sync.Mutex
	used   map[string]map[right]bool // by caller
	denied map[string]bool           // what, as text
}

// newRights starts gates before the servers and points the SDK at them. names are
// put in the place of those in the policies.
func newRights(t *testing.T, s3 *testenv.S3Server, kinesis *testenv.KinesisServer, names *strings.Replacer) *rights {
	t.Helper()
	g := &rights{policies: map[string]policy{}, used: map[string]map[right]bool{}, denied: map[string]bool{}}
	for _, file := range glob(t, filepath.Join(testenv.Root(t), "docs", "iam", "*.json")) {
		if filepath.Base(file) == "mask-key.json" {
			continue // of KMS, which no gate here stands before
		}
		var p policy
		d := json.NewDecoder(strings.NewReader(names.Replace(string(readFile(t, file)))))
		d.DisallowUnknownFields()
		if err := d.Decode(&p); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		g.policies[strings.TrimSuffix(filepath.Base(file), ".json")] = p
	}
	t.Setenv("AWS_ENDPOINT_URL_S3", g.before(t, s3.Addr, askedOfS3, func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
	}))
	t.Setenv("AWS_ENDPOINT_URL_KINESIS", g.before(t, kinesis.Addr, askedOfKinesis, func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"__type":"AccessDeniedException","Message":"not authorized"}`)
	}))
	return g
}

var callerName = regexp.MustCompile(`\bapp/([a-z-]+)`)

// before starts the gate of one server; it returns its URL.
func (g *rights) before(t *testing.T, server string, asked func(r *http.Request, body []byte) []right, deny func(http.ResponseWriter)) string {
	t.Helper()
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", server
			r.Out.Host = r.In.Host // is signed
		},
		ModifyResponse: func(r *http.Response) error {
			// S3 tells that an object is missing to those who may list the bucket.
			caller, _ := r.Request.Context().Value(callerKey{}).(string)
			if r.StatusCode != http.StatusNotFound || g.allow(caller, []right{bucketOf(r.Request)}) {
				return nil
			}
			r.StatusCode, r.Status = http.StatusForbidden, "403 Forbidden"
			return nil
		},
		Transport:    &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }, // who asked has left
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller := "workers"
		if found := callerName.FindStringSubmatch(r.UserAgent()); found != nil {
			caller = found[1]
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		if !g.allow(caller, asked(r, body)) {
			deny(w)
			return
		}
		proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller)))
	}))
	var lc net.ListenConfig
	var err error
	if s.Listener, err = lc.Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL
}

// callerKey is for the caller in the context of a request.
type callerKey struct{}

func bucketOf(r *http.Request) right {
	bucket, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return right{"s3:ListBucket", "arn:aws:s3:::" + bucket}
}

func (g *rights) allow(caller string, asked []right) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	ok := len(asked) > 0
	for _, r := range asked {
		if !g.policies[caller].allows(r) {
			g.denied[fmt.Sprintf("%s: %s to %s", caller, r.action, r.resource)] = true
			ok = false
		}
		if g.used[caller] == nil {
			g.used[caller] = map[right]bool{}
		}
		g.used[caller][r] = true
	}
	return ok
}

// askedOfS3 tells what rights a request takes.
func askedOfS3(r *http.Request, body []byte) []right {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	query := r.URL.Query()
	on := func(action string) []right { return []right{{"s3:" + action, "arn:aws:s3:::" + bucket + "/" + key}} }
	switch {
	case key == "" && r.Method == http.MethodGet && query.Has("uploads"):
		return []right{{"s3:ListBucketMultipartUploads", bucketOf(r).resource}}
	case key == "" && r.Method == http.MethodGet:
		return []right{bucketOf(r)}
	case key == "" && r.Method == http.MethodPost && query.Has("delete"):
		var list struct {
			Objects []struct{ Key string } `xml:"Object"`
		}
		if xml.Unmarshal(body, &list) != nil {
			return nil
		}
		var all []right
		for _, o := range list.Objects {
			all = append(all, right{"s3:DeleteObject", "arn:aws:s3:::" + bucket + "/" + o.Key})
		}
		return all
	case key == "":
		return nil
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return on("GetObject")
	case r.Method == http.MethodPut && r.Header.Get("X-Amz-Copy-Source") != "":
		return append(on("PutObject"), right{"s3:GetObject", "arn:aws:s3:::" + strings.TrimPrefix(r.Header.Get("X-Amz-Copy-Source"), "/")})
	case r.Method == http.MethodPut || r.Method == http.MethodPost:
		return on("PutObject")
	case r.Method == http.MethodDelete && query.Has("uploadId"):
		return on("AbortMultipartUpload")
	case r.Method == http.MethodDelete:
		return on("DeleteObject")
	}
	return nil
}

// askedOfKinesis tells what right a call takes. An iterator names no stream here;
// it was given out for one.
func askedOfKinesis(r *http.Request, body []byte) []right {
	_, call, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var of struct{ StreamName, StreamARN string }
	if json.Unmarshal(body, &of) != nil {
		return nil
	}
	stream := of.StreamName
	if stream == "" {
		_, stream, _ = strings.Cut(of.StreamARN, ":stream/")
	}
	if call == "GetRecords" {
		stream = "web"
	}
	return []right{{"kinesis:" + call, "arn:aws:kinesis:us-east-1:000000000000:stream/" + stream}}
}

// check fails for what was refused, and for what a caller's policy allows and it
// has not used, but for its rare actions.
func (g *rights) check(t *testing.T, callers ...string) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, text := range slices.Sorted(maps.Keys(g.denied)) {
		t.Errorf("not allowed: %s", text)
	}
	for _, caller := range callers {
		for _, s := range g.policies[caller].Statement {
			if s.Effect == "Deny" {
				continue
			}
			for _, action := range s.Action {
				needed := slices.ContainsFunc(slices.Collect(maps.Keys(g.used[caller])), func(r right) bool { return r.action == action && matches(s.Resource, r.resource) })
				if !needed && !slices.Contains(rare[caller], action) {
					t.Errorf("%s: %s of %s is allowed and was not needed", caller, action, s.Sid)
				}
			}
		}
	}
}
