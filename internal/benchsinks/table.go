package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"millrace/internal/benchsinks/events"
	"millrace/internal/machine"
)

// contest runs all clients in turns, one round of which only warms the server up, and
// prints the table.
func (b *bencher) contest(ctx context.Context, c contest) error {
	s, err := c.start(ctx, b.log)
	if err != nil {
		return err
	}
	defer s.Quit()
	runs, heaps := make([][]run, len(c.clients)), make([]uint64, len(c.clients))
	for round := -1; round <= b.runs; round++ {
		for i, cl := range c.clients {
			r, err := b.measure(ctx, c, s, cl, round == b.runs)
			if err != nil {
				return err
			}
			fmt.Fprintf(b.log, "%s  round %d  %s/%s: %.2f s, CPU %.2f s, server %.2f s\n", time.Now().UTC().Format(time.TimeOnly), round, c.name, cl.name, r.Wall.Seconds(), r.CPU.Seconds(), r.server.Seconds())
			switch round {
			case -1:
			case b.runs:
				heaps[i] = r.Heap
			default:
				runs[i] = append(runs[i], r)
			}
		}
	}
	b.print(c, runs, heaps)
	return nil
}

func (b *bencher) print(c contest, runs [][]run, heaps []uint64) {
	size, as := c.row()
	fmt.Fprintf(b.out, "## %s, %d rows of %d bytes as %s, %d runs of each client\n\n", c.name, b.rows, size, as, b.runs)
	fmt.Fprintf(b.out, "| client | rows/s min, **median**, max | MB/s | client CPU us/row min, **median**, max | server CPU us/row | peak heap MiB | ours is faster | ours takes of its CPU |\n|---|---:|---:|---:|---:|---:|---:|---:|\n")
	rate := func(r run) float64 { return float64(b.rows) / r.Wall.Seconds() }
	cpu := func(r run) float64 { return r.CPU.Seconds() * 1e6 / float64(b.rows) }
	for i, cl := range c.clients {
		rates, cpus := each(runs[i], rate), each(runs[i], cpu)
		server := each(runs[i], func(r run) float64 { return r.server.Seconds() * 1e6 / float64(b.rows) })
		faster, share, work := "-", "-", "-"
		if most := slices.Max(server); most > 0 { // it has a process of its own
			work = fmt.Sprintf("%.1f", machine.Median(server))
		}
		if i > 0 {
			// Of the same round, for a machine that is slow for a minute is slow for both.
			faster = ratios(runs[0], runs[i], rate)
			share = ratios(runs[0], runs[i], cpu)
		}
		fmt.Fprintf(b.out, "| %s | %.0f, **%.0f**, %.0f | %.1f | %.1f, **%.1f**, %.1f | %s | %.1f | %s | %s |\n", cl.name,
			slices.Min(rates), machine.Median(rates), slices.Max(rates), machine.Median(rates)*float64(size)/1e6,
			slices.Min(cpus), machine.Median(cpus), slices.Max(cpus), work, float64(heaps[i])/(1<<20), faster, share)
	}
	fmt.Fprintln(b.out)
	for _, cl := range c.clients {
		fmt.Fprintf(b.out, "- %s: %s\n", cl.name, cl.note)
	}
	fmt.Fprintln(b.out)
}

func each(runs []run, of func(run) float64) (list []float64) {
	for _, r := range runs {
		list = append(list, of(r))
	}
	return list
}

// ratios compares runs of the same rounds: the median, and in parentheses least and
// greatest.
func ratios(ours, theirs []run, of func(run) float64) string {
	var list []float64
	for i := range ours {
		list = append(list, of(ours[i])/of(theirs[i]))
	}
	return fmt.Sprintf("**%.2f** (%.2f to %.2f)", machine.Median(list), slices.Min(list), slices.Max(list))
}

// documentSize is how many bytes a row has as JSON.
func documentSize() int {
	text, err := json.Marshal(newDocument(events.At(1000)))
	if err != nil {
		return 0
	}
	return len(text)
}
