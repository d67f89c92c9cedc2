package testenv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

func put(t *testing.T, client *s3.Client, bucket, key, body string, condition *string) error {
	t.Helper()
	_, err := client.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &bucket, Key: &key, Body: strings.NewReader(body), IfNoneMatch: condition,
	})
	return err
}

func get(t *testing.T, client *s3.Client, bucket, key string) string {
	t.Helper()
	object, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	defer object.Body.Close()
	body, err := io.ReadAll(object.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestS3KeepsObjectsAndConditionsAcrossAnOutage(t *testing.T) {
	server := S3(t)
	client := server.Client(t)
	if err := put(t, client, server.Bucket, "a/b", "body", nil); err != nil {
		t.Fatal(err)
	}

	server.Stop()
	if conn, err := net.Dial("tcp", server.Addr); err == nil {
		conn.Close()
		t.Error("a stopped server still listens")
	}
	server.Start(t)

	if got := get(t, client, server.Bucket, "a/b"); got != "body" {
		t.Errorf("object = %q, want %q", got, "body")
	}
	var refused smithy.APIError
	err := put(t, client, server.Bucket, "a/b", "other", aws.String("*"))
	if !errors.As(err, &refused) || refused.ErrorCode() != "PreconditionFailed" {
		t.Errorf("put over an object with If-None-Match: %v, want PreconditionFailed", err)
	}
}

func TestEnvironmentLeadsTheSDKToTheServers(t *testing.T) {
	t.Setenv("AWS_PROFILE", "of-the-developer")
	moto := Moto(t)
	server := S3(t)
	if profile, ok := os.LookupEnv("AWS_PROFILE"); ok {
		t.Errorf("AWS_PROFILE is %q, want it hidden", profile)
	}
	if global := os.Getenv("AWS_ENDPOINT_URL"); global != moto.Endpoint {
		t.Errorf("AWS_ENDPOINT_URL = %q, want moto's %q", global, moto.Endpoint)
	}
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Not told the endpoint, nor that paths name the bucket.
	if err := put(t, s3.NewFromConfig(cfg), server.Bucket, "k", "v", nil); err != nil {
		t.Fatal(err)
	}
	if got := get(t, server.Client(t), server.Bucket, "k"); got != "v" {
		t.Errorf("object = %q, want %q", got, "v")
	}
}

func TestMotoShowsEncryptionHeaders(t *testing.T) {
	Moto(t)
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := s3.NewFromConfig(cfg)
	bucket, key := aws.String("sealed"), aws.String("k")
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket}); err != nil {
		t.Fatal(err)
	}
	_, err = client.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: bucket, Key: key, Body: strings.NewReader("v"),
		ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: aws.String("alias/lake"),
	})
	if err != nil {
		t.Fatal(err)
	}
	head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: bucket, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if head.ServerSideEncryption != types.ServerSideEncryptionAwsKms || aws.ToString(head.SSEKMSKeyId) != "alias/lake" {
		t.Errorf("object encrypted by %q with %q", head.ServerSideEncryption, aws.ToString(head.SSEKMSKeyId))
	}
}

func TestToxiproxyDisturbsAndHeals(t *testing.T) {
	server := S3(t)
	proxy := Toxiproxy(t, server.Addr)
	greet := func() error {
		conn, err := net.DialTimeout("tcp", proxy.Addr, time.Second)
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: lake\r\n\r\n")); err != nil {
			return err
		}
		_, err = conn.Read(make([]byte, 1))
		return err
	}
	if err := greet(); err != nil {
		t.Fatalf("without a toxic: %v", err)
	}
	proxy.Toxic(t, "reset_peer", map[string]any{"timeout": 0})
	if err := greet(); err == nil {
		t.Error("a reset connection answered")
	}
	proxy.Heal(t, "reset_peer")
	if err := greet(); err != nil {
		t.Errorf("healed: %v", err)
	}
	proxy.Cut(t)
	if err := greet(); err == nil {
		t.Error("a cut connection answered")
	}
	proxy.Mend(t)
	if err := greet(); err != nil {
		t.Errorf("mended: %v", err)
	}
}

func TestDuckDBShowsValuesAsText(t *testing.T) {
	got := DuckDB(t, `set threads = 1; select 9007199254740993, true, null, 'x', 1.5::decimal(4,2), date '2015-05-17',
		timestamptz '2015-05-17 12:05:03+02', timestamp '2015-05-17 10:05:03.5', '\xAB'::blob`)
	want := [][]string{{
		"9007199254740993", "true", "NULL", "x", "1.50", "2015-05-17",
		"2015-05-17T10:05:03.000Z", "2015-05-17T10:05:03.500", "ab",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("row (-want +got):\n%s", diff)
	}
}

func TestQueryIntoFillsStructs(t *testing.T) {
	type row struct {
		Day   time.Time `json:"day"`
		Views int64     `json:"views"`
		Path  *string   `json:"path"`
	}
	var got []row
	QueryInto(t, `select timestamptz '2015-05-17 00:00:00+00' as day, 9007199254740993 as views, null as path`, &got)
	want := []row{{Day: time.Date(2015, 5, 17, 0, 0, 0, 0, time.UTC), Views: 9007199254740993}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestDuckDBReadsParquetFromS3(t *testing.T) {
	server := S3(t)
	got := DuckDB(t, `copy (select range as n from range(3)) to 's3://`+server.Bucket+`/p/n.parquet';
		select sum(n) from read_parquet('s3://`+server.Bucket+`/p/*.parquet')`)
	if diff := cmp.Diff([][]string{{"3"}}, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestPythonHasPyArrow(t *testing.T) {
	var got []int
	output := RunPython(t, "import json, pyarrow, sys; print(json.dumps(pyarrow.array([1, int(sys.argv[1])]).to_pylist()))", "2")
	if err := json.Unmarshal(output, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1, 2}, got); diff != "" {
		t.Errorf("array (-want +got):\n%s", diff)
	}
}

func TestChromiumDrawsAPage(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), Chromium(t), "--headless=new", "--no-sandbox", "--disable-gpu",
		"--user-data-dir="+t.TempDir(), "--dump-dom", "data:text/html,<p id=p></p><script>p.textContent=6*7</script>")
	dom, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(dom), `<p id="p">42</p>`) {
		t.Errorf("page is %s", dom)
	}
}

func TestPortsAreNotGivenTwice(t *testing.T) {
	seen := map[int]bool{}
	for range 20 {
		port := freePort(t)
		if seen[port] {
			t.Fatalf("port %d given twice", port)
		}
		seen[port] = true
	}
}

// TestServersEndWithTheTestProcess kills a test binary that has a server
// running; the server must not survive it.
func TestServersEndWithTheTestProcess(t *testing.T) {
	const helper = "MILLRACE_TESTENV_HOLD_SERVER"
	if os.Getenv(helper) != "" {
		server := S3(t)
		fmt.Fprintf(os.Stdout, "ADDR %s\n", server.Addr)
		<-t.Context().Done() // until killed
		return
	}
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*startTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, executable, "-test.run=^TestServersEndWithTheTestProcess$", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), helper+"=1")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addr := announced(t, stdout)
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the killed process ended well")
	}
	for deadline := time.Now().Add(stopTimeout); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		conn.Close()
		if time.Now().After(deadline) {
			t.Fatalf("a server still listens on %s after its test process died", addr)
		}
	}
}

// announced reads up to the line that tells the address.
func announced(t *testing.T, output io.Reader) string {
	t.Helper()
	var text strings.Builder
	for buffer := make([]byte, 256); ; {
		n, err := output.Read(buffer)
		text.Write(buffer[:n])
		if _, rest, ok := strings.Cut(text.String(), "ADDR "); ok {
			if addr, _, whole := strings.Cut(rest, "\n"); whole {
				return addr
			}
		}
		if err != nil {
			t.Fatalf("the process ended before its server was up: %v\n%s", err, text.String())
		}
	}
}
