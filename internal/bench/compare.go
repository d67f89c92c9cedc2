package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"slices"
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
	var ours, peers []usage
	for i := range b.runs {
		fmt.Fprintf(b.log, "run %d of %d\n", i+1, b.runs)
		u, err := b.one(ctx, log)
		if err != nil {
			return err
		}
		ours = append(ours, u)
		if b.peer == "none" {
			continue
		}
		if u, err = b.onePeer(ctx, log); err != nil {
			return err
		}
		peers = append(peers, u)
	}
	printRuns(b.out, ours, peers)
	return nil
}

func (b *bencher) one(ctx context.Context, log string) (usage, error) {
	lake, err := b.fresh("lake")
	if err != nil {
		return usage{}, err
	}
	defer os.RemoveAll(lake)
	return b.weblogs(ctx, log, lake)
}

func (b *bencher) onePeer(ctx context.Context, log string) (usage, error) {
	out, err := b.fresh("peer")
	if err != nil {
		return usage{}, err
	}
	defer os.RemoveAll(out)
	return b.command(ctx, b.python, "-c", peerScript, log, out).measure()
}

func printRuns(w io.Writer, ours, peers []usage) {
	head := "| run | millrace s | CPU s | peak MiB |"
	rule := "|---|---:|---:|---:|"
	if len(peers) > 0 {
		head += " DuckDB s | CPU s | peak MiB | times as fast |"
		rule += "---:|---:|---:|---:|"
	}
	fmt.Fprintf(w, "%s\n%s\n", head, rule)
	var ratios []float64
	for i, u := range ours {
		fmt.Fprintf(w, "| %d |%s", i+1, cells(u))
		if len(peers) > 0 {
			ratios = append(ratios, peers[i].wall.Seconds()/u.wall.Seconds())
			fmt.Fprintf(w, "%s %.2f |", cells(peers[i]), ratios[i])
		}
		fmt.Fprintln(w)
	}
	for _, s := range []struct {
		name string
		of   func([]float64) float64
	}{{"min", slices.Min[[]float64]}, {"median", median}, {"max", slices.Max[[]float64]}} {
		fmt.Fprintf(w, "| %s |%s", s.name, summary(ours, s.of))
		if len(peers) > 0 {
			fmt.Fprintf(w, "%s %.2f |", summary(peers, s.of), s.of(ratios))
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

// median is the middle value, the mean of both when there are two.
func median(list []float64) float64 {
	s := slices.Sorted(slices.Values(list))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
