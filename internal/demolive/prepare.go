package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"millrace/internal/maskkey"
	"millrace/internal/testenv/install"
	"millrace/runners/flink/dist"
)

// prepare installs what is missing and makes the folder of the demo.
func (d *demo) prepare(ctx context.Context) (err error) {
	if d.millrace, err = filepath.Abs(d.millrace); err != nil {
		return err
	}
	if _, err := os.Stat(d.millrace); err != nil {
		return fmt.Errorf("%w; build it with make build, or name it with -millrace", err)
	}
	if d.out, err = filepath.Abs(d.options.out); err != nil {
		return err
	}
	home, err := install.Flink(ctx, d.say)
	if err != nil {
		return err
	}
	if d.servers.flink, err = dist.Open(home); err != nil {
		return err
	}
	if d.servers.kinesisLocal, err = install.KinesisLocal(ctx, d.say); err != nil {
		return err
	}
	if d.python, err = install.Python(ctx, d.say); err != nil {
		return err
	}
	if err := d.clear(); err != nil {
		return err
	}
	ring, path, _, err := maskkey.Default(d.out)
	if err != nil {
		return err
	}
	d.key = maskkey.FileRef(path)
	d.step("masking key %s in %s", ring.Active().ID(), d.shown(path))
	return isolate()
}

// clear removes what an earlier demo has left, and nothing else.
func (d *demo) clear() error {
	for _, name := range []string{"lake", "batch", "logs", "millrace"} {
		if err := os.RemoveAll(filepath.Join(d.out, name)); err != nil {
			return err
		}
	}
	return os.MkdirAll(d.path("logs"), 0o755)
}

func (d *demo) path(names ...string) string {
	return filepath.Join(append([]string{d.out}, names...)...)
}

// shown is a path as the reader of this terminal would write it.
func (d *demo) shown(path string) string {
	if inside, err := filepath.Rel(d.out, path); err == nil && filepath.IsLocal(inside) {
		return filepath.Join(d.options.out, inside)
	}
	return path
}

// isolate hides the AWS configuration of this machine from all that is started:
// the demo reaches no account.
func isolate() error {
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, "AWS_") {
			continue
		}
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID":           "DEMO",
		"AWS_SECRET_ACCESS_KEY":       "not-a-secret", // for a server on loopback
		"AWS_REGION":                  "us-east-1",
		"AWS_CONFIG_FILE":             os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_EC2_METADATA_DISABLED":   "true",
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}
