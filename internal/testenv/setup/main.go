// Command setup installs everything that the tests run against, so that the
// tests themselves download nothing. It is quick when everything is there.
// Arguments name the only steps to take, by the first word: setup flink.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"millrace/internal/testenv/install"
)

var steps = []struct {
	name    string
	install func(context.Context, io.Writer) (string, error)
}{
	{"versitygw (S3)", install.VersityGW},
	{"toxiproxy (network faults)", install.Toxiproxy},
	{"influxd (InfluxDB)", install.Influxd},
	{"python (DuckDB, PyArrow, moto)", install.Python},
	{"chromium (reports)", install.Chromium},
	{"kinesis-local (Kinesis)", install.KinesisLocal},
	{"kinesalite (Kinesis in volume)", install.Kinesalite},
	{"kpl (Kinesis producer)", install.KPL},
	{"opensearch (OpenSearch)", install.OpenSearch},
	{"postgres (Redshift's SQL)", install.Postgres},
	{"flink (cluster, job server)", install.Flink},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := setup(ctx, os.Stdout, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "setup:", err)
		os.Exit(1)
	}
}

// setup runs every step that was asked for, also after one went wrong, to tell
// all that is missing.
func setup(ctx context.Context, out io.Writer, only []string) error {
	var errs []error
	asked := slices.Clone(only)
	for _, step := range steps {
		word, _, _ := strings.Cut(step.name, " ")
		if len(only) > 0 && !slices.Contains(only, word) {
			continue
		}
		asked = slices.DeleteFunc(asked, func(name string) bool { return name == word })
		start := time.Now()
		path, err := step.install(ctx, out)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintf(out, "%-31s %s (%v)\n", step.name, path, time.Since(start).Round(time.Millisecond))
	}
	if len(asked) > 0 {
		errs = append(errs, fmt.Errorf("no step is called %s", strings.Join(asked, ", ")))
	}
	return errors.Join(errs...)
}
