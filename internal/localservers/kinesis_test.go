package localservers_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/google/go-cmp/cmp"

	"millrace/internal/localservers"
	"millrace/internal/testenv/install"
	"millrace/runners/flink/process"
)

// isolate calls Isolate, of which nothing is left after the test.
func isolate(t *testing.T, cache string) {
	t.Helper()
	for _, variable := range append(os.Environ(), "XDG_CACHE_HOME=", "AWS_ENDPOINT_URL_KINESIS=") {
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") || name == "XDG_CACHE_HOME" {
			t.Setenv(name, value) // puts it back after the test
		}
	}
	for name := range localservers.AWS() {
		t.Setenv(name, "")
	}
	if err := localservers.Isolate(cache); err != nil {
		t.Fatal(err)
	}
}

func TestNothingOfTheUserIsFound(t *testing.T) {
	t.Setenv("AWS_PROFILE", "of-the-user")
	t.Setenv("AWS_SESSION_TOKEN", "of-the-user")
	t.Setenv("AWS_ACCESS_KEY_ID", "of-the-user")
	isolate(t, "notes")
	got := map[string]string{}
	for _, variable := range os.Environ() {
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") || name == "XDG_CACHE_HOME" {
			got[name] = value
		}
	}
	want := localservers.AWS()
	want["XDG_CACHE_HOME"] = "notes"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
}

func TestKinesisServersServeAndEndWithTheirPlace(t *testing.T) {
	for name, test := range map[string]struct {
		install func(context.Context, io.Writer) (string, error)
		start   func(p localservers.Place, script string) (*localservers.Kinesis, error)
	}{
		"kinesis-local": {install.KinesisLocal, func(p localservers.Place, script string) (*localservers.Kinesis, error) {
			return p.KinesisLocal(t.Context(), script)
		}},
		"kinesalite": {install.Kinesalite, func(p localservers.Place, script string) (*localservers.Kinesis, error) {
			return p.Kinesalite(t.Context(), script, filepath.Join(p.Dir, "streams"))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			isolate(t, t.TempDir())
			script, err := test.install(t.Context(), t.Output())
			if err != nil {
				t.Fatal(err)
			}
			p := place(t)
			server, err := test.start(p, script)
			if err != nil {
				t.Fatal(err)
			}
			if endpoint := os.Getenv("AWS_ENDPOINT_URL_KINESIS"); !strings.HasPrefix(endpoint, "http://127.0.0.1:") {
				t.Errorf("the SDK is led to %q", endpoint)
			}
			if err := server.CreateStream(t.Context(), "s", 3); err != nil {
				t.Fatal(err)
			}
			stream := "s"
			answer, err := server.Client.DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: &stream})
			if err != nil {
				t.Fatal(err)
			}
			if s := answer.StreamDescriptionSummary; s.StreamStatus != types.StreamStatusActive || *s.OpenShardCount != 3 {
				t.Errorf("the stream is %s, with %d shards", s.StreamStatus, *s.OpenShardCount)
			}
			if err := server.CreateStream(t.Context(), "s", 3); err == nil || !strings.Contains(err.Error(), "making the stream s") {
				t.Errorf("making it twice: %v", err)
			}
			if err := process.End(t.Context(), p.Group, 0, nil); err != nil {
				t.Fatal(err)
			}
			if err := server.Fault(); !strings.Contains(err.Error(), name+": it ended (signal: killed)") {
				t.Errorf("its end is told as %v", err)
			}
		})
	}
}

func TestAServerThatDoesNotStartShowsItsLog(t *testing.T) {
	isolate(t, t.TempDir())
	_, err := place(t).KinesisLocal(t.Context(), "/no/such/main.js")
	if err == nil || !strings.Contains(err.Error(), "starting kinesis-local: it ended (exit status 1)") || !strings.Contains(err.Error(), "/no/such/main.js") {
		t.Errorf("error %v", err)
	}
}
