package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"millrace/internal/generate"
)

const days = 10

//go:embed compare_lakes.py
var compareScript string

// tenDays runs ten times the lines over ten days from one file: once in one
// pass, then day by day into another lake, and compares the lakes.
func (b *bencher) tenDays(ctx context.Context) error {
	lines := 10 * b.lines
	fmt.Fprintf(b.log, "generating %d lines over %d days\n", lines, days)
	log := filepath.Join(b.dir, "big.log")
	if err := generateLog(ctx, log, log+".tmp", lines, generate.BenchDays(lines, days)); err != nil {
		return err
	}
	lake, err := b.fresh("lake")
	if err != nil {
		return err
	}
	fmt.Fprintln(b.log, "one pass")
	u, err := b.weblogs(ctx, log, lake, "--no-report") // a report takes in the whole lake, also day by day
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "## %d lines over %d days in one file, without report\n\n| pass | s | CPU s | peak MiB |\n|---|---:|---:|---:|\n| all at once |%s\n", lines, days, cells(u))
	separate, err := b.fresh("days")
	if err != nil {
		return err
	}
	// Disorder and rounding may spill over either end: a day before and after.
	for day := -1; day <= days; day++ {
		date := generate.BenchStart.AddDate(0, 0, day).Format(time.DateOnly)
		fmt.Fprintln(b.log, "day", date)
		u, err := b.weblogs(ctx, log, separate, "--no-report", "--from", date, "--to", date)
		if err != nil {
			return err
		}
		fmt.Fprintf(b.out, "| %s |%s\n", date, cells(u))
	}
	fmt.Fprintln(b.log, "comparing")
	u, err = b.command(ctx, b.python, "-c", compareScript, lake, separate).measure()
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "\n%s\n", u.out)
	return os.Remove(log)
}
