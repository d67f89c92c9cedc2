package main

import (
	"bytes"
	"context"
	"fmt"

	"millrace/internal/machine"
)

// source prints the Go benchmark of the source driver, whose endpoint is in its
// own process.
func (b *bencher) source(ctx context.Context) error {
	before := machine.Load()
	b.step("benchmark of the source driver")
	p, err := b.place().Start(ctx, "source", nil, "go", "test", "-run=^$", "-bench=^BenchmarkRead$", "-benchtime=2s", fmt.Sprintf("-count=%d", b.runs), "./io/kinesisio")
	if err != nil {
		return err
	}
	if err := p.Wait(); err != nil {
		return err
	}
	fmt.Fprintf(b.out, "## Source driver, endpoint in the same process\n\nMB/CPU-s are MB by CPU seconds of both; \"server\" is what endpoint and transport take alone. Load before and after: %s, %s.\n\n", before, machine.Load())
	for line := range bytes.Lines(p.Stdout.Bytes()) {
		if bytes.HasPrefix(line, []byte("Benchmark")) {
			fmt.Fprintf(b.out, "    %s", line)
		}
	}
	fmt.Fprintln(b.out)
	return nil
}
