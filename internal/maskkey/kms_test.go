package maskkey_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"millrace/internal/maskkey"
	"millrace/internal/testenv"
)

// newKMS starts KMS with one key and returns its id.
func newKMS(t *testing.T) (aws.Config, string) {
	t.Helper()
	testenv.Moto(t)
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := kms.NewFromConfig(cfg)
	made, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	return cfg, *made.KeyMetadata.KeyId
}

func TestKeysOfKMSAreUnwrappedOnceAndRotate(t *testing.T) {
	cfg, key := newKMS(t)
	bucket := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := bucket.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("keys")}); err != nil {
		t.Fatal(err)
	}
	for name, place := range map[string]string{"a file": "file://" + filepath.Join(t.TempDir(), "deep", "ring.json"), "S3": "s3://keys/deep/ring.json"} {
		t.Run(name, func(t *testing.T) {
			ref := "awskms://" + key + "?dataset=weblogs&ring=" + place
			if _, err := maskkey.Resolve(t.Context(), ref); err == nil || !strings.Contains(err.Error(), "no such ring") {
				t.Fatalf("without a ring: %v", err)
			}
			first, err := maskkey.AddKMS(t.Context(), ref, "")
			if err != nil {
				t.Fatal(err)
			}
			ring, err := maskkey.Resolve(t.Context(), ref)
			if err != nil || ring.Active().ID() != "k1" || ring.Active().Secret() != first.Secret() || len(ring.Older()) != 0 {
				t.Fatalf("%v, %v; made %v", ring, err, first)
			}
			second, err := maskkey.AddKMS(t.Context(), ref, "k2025")
			if err != nil || second.Secret() == first.Secret() {
				t.Fatalf("%v, %v", second, err)
			}
			if ring, err = maskkey.Resolve(t.Context(), ref); err != nil || ring.Active().Secret() != second.Secret() || len(ring.Older()) != 1 || ring.Older()[0].Secret() != first.Secret() {
				t.Fatalf("rotated: %v, %v", ring, err)
			}
			if _, err := maskkey.AddKMS(t.Context(), ref, "k1"); err == nil || !strings.Contains(err.Error(), "k1 is in it already") {
				t.Errorf("the same id again: %v", err)
			}
			if _, err := maskkey.AddKMS(t.Context(), strings.Replace(ref, key, "11111111-2222-3333-4444-555555555555", 1), ""); err == nil || !strings.Contains(err.Error(), "name a KMS key that is there") {
				t.Errorf("a key that is not there: %v", err)
			}
			// What this process has unwrapped needs KMS no more; another ring does.
			t.Setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:1")
			t.Setenv("AWS_MAX_ATTEMPTS", "1")
			again, err := maskkey.Resolve(t.Context(), ref)
			if err != nil || again.Active().Secret() != second.Secret() {
				t.Errorf("from memory: %v, %v", again, err)
			}
			if _, err := maskkey.AddKMS(t.Context(), ref, ""); err == nil || !strings.Contains(err.Error(), "asking KMS") {
				t.Errorf("without KMS: %v", err)
			}
		})
	}
}

// A wrapped key is bound to its dataset and id: moved elsewhere it does not open.
func TestAWrappedKeyCannotBePassedOffAsAnother(t *testing.T) {
	_, key := newKMS(t)
	path := filepath.Join(t.TempDir(), "ring.json")
	ref := "awskms://" + key + "?dataset=weblogs&ring=file://" + path
	made, err := maskkey.AddKMS(t.Context(), ref, "k1")
	if err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	check := made.Check()
	for _, c := range []struct{ name, old, replacement, ref, want string }{
		{"another id", `"k1"`, `"k9"`, ref, "KMS did not wrap it"},
		{"another dataset in both", `"weblogs"`, `"orders"`, strings.Replace(ref, "weblogs", "orders", 1), "KMS did not wrap it"},
		{"another dataset in the reference", "", "", strings.Replace(ref, "weblogs", "orders", 1), `dataset "weblogs"`},
		{"another check value", check, "0000000000000000", ref, "check value"},
		{"an unknown field", `"version"`, `"verzion"`, ref, "verzion"},
		{"no keys", `"keys"`, `"keys": [], "keys"`, ref, ""},
	} {
		if err := os.WriteFile(path, []byte(strings.Replace(string(good), c.old, c.replacement, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := maskkey.Resolve(t.Context(), c.ref)
		if c.want == "" {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := maskkey.Resolve(t.Context(), ref); err == nil || !strings.Contains(err.Error(), "version is 0") {
		t.Errorf("an empty ring: %v", err)
	}
}

func TestReferencesToKMSAreChecked(t *testing.T) {
	for ref, want := range map[string]string{
		"awskms://k":                                     "dataset or ring is missing",
		"awskms://?dataset=a&ring=b":                     "cannot be read",
		"awskms://k?dataset=a&rng=b":                     "did you mean ring?",
		"awskms://k?dataset=a&ring=b&region=x":           "unknown parameter region",
		"awskms://k?dataset=a&ring=http://x/y":           "want file:///path or s3://bucket/key",
		"awskms://k?dataset=a&ring=file:///nowhere/ring": "no such ring",
	} {
		if _, err := maskkey.Resolve(t.Context(), ref); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if _, err := maskkey.AddKMS(t.Context(), "env://X", ""); err == nil {
		t.Error("a key is added to a variable")
	}
}
