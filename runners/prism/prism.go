// Package prism runs pipelines in this process, on Beam's embedded Prism runner:
// no cluster, no download. It serves local runs and tests. Everything that
// crosses a shuffle is held in memory.
package prism

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"sync"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	beamprism "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"

	"millrace/runners/memory"
)

// Run runs a pipeline to its end or until ctx is cancelled. log takes what the
// runner has to say, which concerns its developers more than its users.
func Run(ctx context.Context, p *beam.Pipeline, log slog.Handler) error {
	if err := start(); err != nil {
		return err
	}
	// The runner logs nowhere else; Beam, when it starts, puts a logger of its own
	// there. It stays so after the run: workers of a run that failed still have
	// something to say then.
	slog.SetDefault(slog.New(log))
	if err := serve(); err != nil {
		return err
	}
	defer memory.Tune()()
	if _, err := beamprism.Execute(ctx, p); err != nil {
		return fmt.Errorf("running on prism: %w", err)
	}
	return nil
}

// RunStateful is Run for a pipeline with keyed state and timers. The runner divides
// a bundle that makes no progress for a while, and counts its timers as if they
// were elements then: timers fire twice or before their elements, and what they
// should have brought is lost without a word. So nothing is
// divided here. Pipelines must not run beside one another in a process.
func RunStateful(ctx context.Context, p *beam.Pipeline, log slog.Handler) error {
	before := *jobopts.Experiments
	defer func() { *jobopts.Experiments = before }()
	*jobopts.Experiments = "prism_disable_sdf_split"
	return Run(ctx, p, log)
}

// start initialises Beam once. Beam reads its options from the flags of package
// flag, which this program does not use: they keep their defaults.
var start = sync.OnceValue(func() error {
	if !flag.Parsed() {
		if err := flag.CommandLine.Parse(nil); err != nil {
			return fmt.Errorf("setting Beam's options: %w", err)
		}
	}
	beam.Init()
	return nil
})
