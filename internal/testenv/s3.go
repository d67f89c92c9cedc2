package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"millrace/internal/testenv/install"
)

// S3Server is a Versity S3 gateway of its own for one test. It checks
// signatures, conditional puts and multipart uploads as S3 does; it drops SSE
// headers (assert those on Moto).
type S3Server struct {
	*Server
	Endpoint string // http://host:port
	Bucket   string // exists and is empty
	Dir      string // an object s3://BUCKET/KEY is the file DIR/BUCKET/KEY
}

// S3 starts an S3 server with one empty bucket and points the AWS SDK at it:
// AWS_ENDPOINT_URL_S3, test credentials, region.
func S3(t testing.TB) *S3Server {
	t.Helper()
	return S3In(t, xattrDir(t))
}

// S3In is S3 with its objects in a folder, which has to be empty and to keep
// extended attributes.
func S3In(t testing.TB, dir string) *S3Server {
	t.Helper()
	isolateAWS(t)
	binary := tool(t, install.VersityGW)
	addr := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	s := &S3Server{Endpoint: "http://" + addr, Bucket: "lake", Dir: dir}
	s.Server = newServer(t, "versitygw", addr, func() *exec.Cmd {
		cmd := exec.Command(binary, "--port", addr, "--quiet", "posix", s.Dir)
		cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+AccessKey, "ROOT_SECRET_KEY="+SecretKey)
		return cmd
	})
	t.Setenv("AWS_ENDPOINT_URL_S3", s.Endpoint)
	if _, err := s.Client(t).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &s.Bucket}); err != nil {
		t.Fatalf("create bucket %s: %v; log of versitygw:\n%s", s.Bucket, err, s.Log())
	}
	return s
}

// Client is a client of the server, for looking at objects and planting them.
func (s *S3Server) Client(t testing.TB) *s3.Client {
	t.Helper()
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatalf("load the AWS configuration: %v", err)
	}
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.BaseEndpoint = aws.String(s.Endpoint)
		o.UsePathStyle = true
	})
}

// xattrDir is a folder for the test on a file system with extended attributes,
// where the gateway keeps what S3 knows of an object beside its content.
func xattrDir(t testing.TB) string {
	t.Helper()
	if dir := t.TempDir(); keepsAttributes(dir) {
		return dir
	}
	parent := filepath.Join(Root(t), ".cache", "s3") // a temporary folder in memory may keep none
	if err := os.MkdirAll(parent, 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(parent, "") //nolint:usetesting // t.TempDir was tried first
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if !keepsAttributes(dir) {
		t.Fatalf("neither the temporary folder nor %s is on a file system with user extended attributes, which versitygw needs; set TMPDIR to one", parent)
	}
	return dir
}
