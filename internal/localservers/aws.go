package localservers

import (
	"os"
	"strings"
)

// Credentials and region of the servers.
const (
	AccessKey = "AKIDTEST"
	SecretKey = "not-a-secret" // for servers on loopback
	Region    = "us-east-1"
)

// AWS are the variables that stand in for whatever AWS configuration the machine
// has, by name.
func AWS() map[string]string {
	return map[string]string{
		"AWS_ACCESS_KEY_ID":           AccessKey,
		"AWS_SECRET_ACCESS_KEY":       SecretKey,
		"AWS_REGION":                  Region,
		"AWS_CONFIG_FILE":             os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_EC2_METADATA_DISABLED":   "true",
	}
}

// Isolate hides the AWS configuration of this machine from this program and from
// all that it starts, so that no account is reached, and has runs note their
// submissions below the folder cache instead of the user's.
func Isolate(cache string) error {
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, "AWS_") {
			continue
		}
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	for name, value := range AWS() {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return os.Setenv("XDG_CACHE_HOME", cache)
}
