// Command setup installs everything that the tests run against, so that the
// tests themselves download nothing. It is quick when everything is there.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"millrace/internal/testenv/install"
)

var steps = []struct {
	name    string
	install func(context.Context, io.Writer) (string, error)
}{
	{"versitygw (S3)", install.VersityGW},
	{"toxiproxy (network faults)", install.Toxiproxy},
	{"python (DuckDB, PyArrow, moto)", install.Python},
	{"chromium (reports)", install.Chromium},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := setup(ctx, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "setup:", err)
		os.Exit(1)
	}
}

// setup runs every step, also after one went wrong, to tell all that is missing.
func setup(ctx context.Context, out io.Writer) error {
	var errs []error
	for _, step := range steps {
		start := time.Now()
		path, err := step.install(ctx, out)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintf(out, "%-31s %s (%v)\n", step.name, path, time.Since(start).Round(time.Millisecond))
	}
	return errors.Join(errs...)
}
