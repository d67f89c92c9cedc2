package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"slices"

	"millrace/internal/machine"
)

//go:embed duckdb_weblogs.py
var peerScript string

// compare runs both programs alternately, each into a fresh folder.
func (b *bencher) compare(ctx context.Context) error {
	log, err := b.input(ctx)
	if err != nil {
		return err
	}
	st, err := os.Stat(log)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "## The weblogs job on %d lines (%d MB)\n\n", b.lines, st.Size()/1_000_000)
	var all series
	for i := range b.runs {
		fmt.Fprintf(b.log, "run %d of %d\n", i+1, b.runs)
		for _, run := range []struct {
			into *[]usage
			one  func() (usage, error)
		}{
			{&all.ours, func() (usage, error) { return b.one(ctx, log) }},
			{&all.peers, func() (usage, error) { return b.onePeer(ctx, log) }},
			{&all.rowsOnly, func() (usage, error) { return b.one(ctx, log, "--no-report") }},
		} {
			if run.into == &all.peers && b.peer == "none" {
				continue
			}
			u, err := run.one()
			if err != nil {
				return err
			}
			*run.into = append(*run.into, u)
		}
	}
	all.print(b.out)
	return nil
}

func (b *bencher) one(ctx context.Context, log string, more ...string) (usage, error) {
	lake, err := b.fresh("lake")
	if err != nil {
		return usage{}, err
	}
	defer os.RemoveAll(lake)
	return b.weblogs(ctx, log, lake, more...)
}

func (b *bencher) onePeer(ctx context.Context, log string) (usage, error) {
	out, err := b.fresh("peer")
	if err != nil {
		return usage{}, err
	}
	defer os.RemoveAll(out)
	return b.command(ctx, b.python, "-c", peerScript, log, out).measure()
}

// series are the runs of a comparison, in the order they were made: ours with its
// report, the peer, which draws none, and ours without.
type series struct{ ours, peers, rowsOnly []usage }

func (s series) print(w io.Writer) {
	head := "| run | millrace s | CPU s | peak MiB | without report s | CPU s | peak MiB |"
	rule := "|---|---:|---:|---:|---:|---:|---:|"
	if len(s.peers) > 0 {
		head += " DuckDB s | CPU s | peak MiB | times as fast | without report |"
		rule += "---:|---:|---:|---:|---:|"
	}
	fmt.Fprintf(w, "%s\n%s\n", head, rule)
	var ratios, rowsRatios []float64
	for i := range s.ours {
		fmt.Fprintf(w, "| %d |%s%s", i+1, cells(s.ours[i]), cells(s.rowsOnly[i]))
		if len(s.peers) > 0 {
			peer := s.peers[i].wall.Seconds()
			ratios = append(ratios, peer/s.ours[i].wall.Seconds())
			rowsRatios = append(rowsRatios, peer/s.rowsOnly[i].wall.Seconds())
			fmt.Fprintf(w, "%s %.2f | %.2f |", cells(s.peers[i]), ratios[i], rowsRatios[i])
		}
		fmt.Fprintln(w)
	}
	for _, line := range []struct {
		name string
		of   func([]float64) float64
	}{{"min", slices.Min[[]float64]}, {"median", machine.Median}, {"max", slices.Max[[]float64]}} {
		fmt.Fprintf(w, "| %s |%s%s", line.name, summary(s.ours, line.of), summary(s.rowsOnly, line.of))
		if len(s.peers) > 0 {
			fmt.Fprintf(w, "%s %.2f | %.2f |", summary(s.peers, line.of), line.of(ratios), line.of(rowsRatios))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w)
}

func cells(u usage) string {
	return fmt.Sprintf(" %.2f | %.2f | %.0f |", u.wall.Seconds(), u.cpu.Seconds(), mebibytes(u))
}

func summary(us []usage, of func([]float64) float64) string {
	column := func(value func(usage) float64) float64 {
		var list []float64
		for _, u := range us {
			list = append(list, value(u))
		}
		return of(list)
	}
	return fmt.Sprintf(" %.2f | %.2f | %.0f |",
		column(func(u usage) float64 { return u.wall.Seconds() }),
		column(func(u usage) float64 { return u.cpu.Seconds() }), column(mebibytes))
}

func mebibytes(u usage) float64 { return float64(u.rss) / (1 << 20) }
