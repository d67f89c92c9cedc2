// Package prism runs pipelines in this process, on Beam's embedded Prism runner:
// no cluster, no download. It serves local runs and tests. Everything that
// crosses a shuffle is held in memory.
package prism

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	beamprism "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
)

// Run runs a pipeline to its end or until ctx is cancelled.
func Run(ctx context.Context, p *beam.Pipeline) error {
	if _, err := beamprism.Execute(ctx, p); err != nil {
		return fmt.Errorf("running on prism: %w", err)
	}
	return nil
}

var _ = slog.LevelWarn
var _ = os.Stderr
var _ = strings.Contains
