package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
)

// VersityGW returns the path of versitygw, an S3 server that checks signatures
// and conditions and keeps objects as files. What it does is told on log.
func VersityGW(ctx context.Context, log io.Writer) (string, error) {
	return goTool(ctx, log, "versitygw", versitygwPackage, versitygwVersion)
}

// Toxiproxy returns the path of the Toxiproxy server, which puts network
// faults between a client and another server.
func Toxiproxy(ctx context.Context, log io.Writer) (string, error) {
	return goTool(ctx, log, "toxiproxy", toxiproxyPackage, toxiproxyVersion)
}

// Influxd returns the path of the server of InfluxDB 1.8, which takes line protocol by
// the interfaces of InfluxDB 1 and 2.
func Influxd(ctx context.Context, log io.Writer) (string, error) {
	return goTool(ctx, log, "influxd", influxdPackage, influxdVersion)
}

// goTool builds pkg at version into .cache/tools/name@version.
func goTool(ctx context.Context, log io.Writer, name, pkg, version string) (string, error) {
	dir, err := cached("tools", name+"@"+version)
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, path.Base(pkg))
	err = once(name, func() bool { return exists(binary) }, func() (err error) {
		fmt.Fprintf(log, "%s %s: building, which can take two minutes\n", name, version)
		if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
			return err
		}
		scratch, err := os.MkdirTemp(filepath.Dir(dir), "."+name)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
		bin := filepath.Join(scratch, "bin")
		// GOFLAGS is ours to the checkout; the tool is another module.
		build := command{
			dir:  scratch,
			env:  []string{"GOBIN=" + bin, "GOFLAGS=", "GOWORK=off"},
			args: []string{"go", "install", pkg + "@" + version},
		}
		if err := build.run(ctx); err != nil {
			return err
		}
		return os.Rename(bin, dir)
	})
	if err != nil {
		return "", fmt.Errorf("install %s %s: %w", name, version, err)
	}
	return binary, nil
}
