package prism_test

import (
	"log/slog"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/runners/prism"
	"millrace/runners/prism/loopback"
)

// The server stays when a run has ended, for the next of the process.
func TestARunOpensNothingToTheNetwork(t *testing.T) {
	for range 2 {
		p, s := beam.NewPipelineWithRoot()
		beam.Impulse(s)
		if err := prism.Run(t.Context(), p, slog.DiscardHandler); err != nil {
			t.Fatal(err)
		}
		exposed, err := loopback.Exposed()
		if err != nil || len(exposed) != 0 {
			t.Errorf("exposed: %v, %v; want nothing", exposed, err)
		}
	}
}
