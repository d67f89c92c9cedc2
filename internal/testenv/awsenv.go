package testenv

import (
	"os"
	"strings"
	"testing"

	"millrace/internal/localservers"
)

// Credentials and region of the test servers.
const (
	AccessKey = localservers.AccessKey
	SecretKey = localservers.SecretKey
	Region    = localservers.Region
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
	for name, value := range localservers.AWS() {
		t.Setenv(name, value)
	}
}
