package testenv

import (
	"os"
	"strings"
	"testing"
)

// Credentials and region of the test servers.
const (
	AccessKey = "AKIDTEST"
	SecretKey = "not-a-secret" //nolint:gosec // for servers on loopback
	Region    = "us-east-1"
)

// isolateAWS gives the AWS SDK the test credentials and hides whatever AWS
// configuration the machine has, so that no test reaches a real account.
func isolateAWS(t testing.TB) {
	t.Helper()
	if os.Getenv("AWS_ACCESS_KEY_ID") == AccessKey {
		return // another server of this test has done it; keep its endpoint
	}
	for _, variable := range os.Environ() {
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, value) // puts it back after the test
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID":           AccessKey,
		"AWS_SECRET_ACCESS_KEY":       SecretKey,
		"AWS_REGION":                  Region,
		"AWS_CONFIG_FILE":             os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_EC2_METADATA_DISABLED":   "true",
	} {
		t.Setenv(name, value)
	}
}
