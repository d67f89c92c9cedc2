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

// IsolateProcess is what a TestMain calls whose tests run side by side: the AWS SDK has the
// test credentials, and no server, in all of the process. Tests that run beside others give
// servers an [Apart].
func IsolateProcess() error {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	for name, value := range localservers.AWS() {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

// Apart is a test that runs beside others. What its servers set in the environment, for
// the AWS SDK to find them, is in Vars, for the programs that it starts.
type Apart struct {
	testing.TB
	Vars []string
}

// Setenv keeps a variable.
func (a *Apart) Setenv(name, value string) { a.Vars = append(a.Vars, name+"="+value) }

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
