package prism_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/runners/prism"
	"millrace/runners/prism/loopback"
)

// The server stays when a run has ended, for the next of the process.
func TestARunOpensNothingToTheNetworkAndLogsWhereItIsTold(t *testing.T) {
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.DiscardHandler} {
		p, s := beam.NewPipelineWithRoot()
		beam.Impulse(s)
		if err := prism.Run(t.Context(), p, handler); err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(log.Bytes(), []byte("Serving JobManagement")); n != 1 {
			t.Errorf("the log says %d times that there is a server, want once:\n%s", n, log.String())
		}
		exposed, err := loopback.Exposed()
		if err != nil || len(exposed) != 0 {
			t.Errorf("exposed: %v, %v; want nothing", exposed, err)
		}
	}
}
