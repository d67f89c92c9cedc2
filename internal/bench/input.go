package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"millrace/internal/generate"
)

const seed = 1

// input makes the log of the comparison, or finds it from an earlier call.
func (b *bencher) input(ctx context.Context) (string, error) {
	path := filepath.Join(b.dir, fmt.Sprintf("bench-%d.log", b.lines))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	fmt.Fprintf(b.log, "generating %d lines\n", b.lines)
	return path, generateLog(ctx, path, filepath.Join(b.dir, "input.tmp"), b.lines, generate.BenchRate)
}

// generateLog writes a log by way of a temporary file: it is there whole or not
// at all.
func generateLog(ctx context.Context, path, temporary string, lines int, rate float64) error {
	f, err := os.Create(temporary)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(untilDone{ctx, f}, 1<<20)
	if err := generate.BenchLog(w, lines, seed, rate, generate.BenchStart); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// untilDone writes until its context ends.
type untilDone struct {
	ctx context.Context
	f   *os.File
}

func (u untilDone) Write(p []byte) (int, error) {
	if err := context.Cause(u.ctx); err != nil {
		return 0, err
	}
	return u.f.Write(p)
}
