// Package testenv gives tests the real servers and readers they run against:
// S3 (versitygw), Kinesis (kinesis-local, kinesalite), the other AWS services
// (moto), OpenSearch, network faults (Toxiproxy), a Flink cluster, a foreign
// producer (the Kinesis Producer Library), foreign readers of our files (DuckDB,
// PyArrow) and a browser. Packages below it have PostgreSQL (postgres) and what stands
// in for Redshift (redshift).
//
// Each function starts what it names on a free loopback port, waits until it
// answers, and ends it with the test (Flink's cluster and OpenSearch's node, which
// tests share, with the process); a server also ends when the test process dies. A server that does
// not start fails the test and shows its log; nothing is skipped. What is missing
// from .cache is installed on the spot (package install); `make test` has done
// that beforehand.
//
// S3, Kinesis and Moto point the AWS SDK at themselves through the environment,
// so their tests cannot be parallel.
package testenv

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"millrace/internal/testenv/install"
)

// tool returns the path of an installed tool.
func tool(t testing.TB, installed func(context.Context, io.Writer) (string, error)) string {
	t.Helper()
	path, err := installed(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Root is the folder of the checkout.
func Root(t testing.TB) string {
	t.Helper()
	root, err := install.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// Shared is the folder of material shared beside the checkout. A test that
// wants it is skipped, saying so, where there is none; it is the only thing
// that may be missing.
func Shared(t testing.TB) string {
	t.Helper()
	shared := filepath.Join(filepath.Dir(Root(t)), "shared")
	if _, err := os.Stat(shared); err != nil {
		t.Skipf("needs the folder shared beside the checkout: %v", err)
	}
	return shared
}
