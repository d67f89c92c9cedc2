package testenv

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

func TestAGateOfS3PassesWhatIsSignedAndRefuses(t *testing.T) {
	server := S3(t)
	gate := NewS3Gate(t, server)
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	client := (&S3Server{Endpoint: "http://" + gate.Addr}).Client(t)
	key := "a b/year=2026/c.parquet" // is encoded on the way
	if err := put(t, client, server.Bucket, key, strings.Repeat("body", 1<<18), aws.String("*")); err != nil {
		t.Fatal(err)
	}
	if body := get(t, client, server.Bucket, key); len(body) != 4<<18 {
		t.Errorf("%d bytes came back", len(body))
	}
	gate.Refuse(&Refusal{http.StatusServiceUnavailable, "SlowDown"})
	_, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &server.Bucket})
	if refused := smithy.APIError(nil); !errors.As(err, &refused) || refused.ErrorCode() != "SlowDown" {
		t.Errorf("a gate that is shut gave %v", err)
	}
	if n := gate.Refused(); n != 1 {
		t.Errorf("%d calls were refused, want 1", n)
	}
	gate.Refuse(nil)
	if _, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &server.Bucket}); err != nil {
		t.Errorf("after that: %v", err)
	}
}
