package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"millrace/internal/machine"
)

//go:embed duckdb_lake.py
var lakeScript string

//go:embed funnels.yaml
var benchFunnels []byte

// question is what is asked of the events of a lake, and who answers: ours first.
type question struct {
	title    string
	programs []program
}

type program struct {
	name   string
	answer func(context.Context) (usage, error) // its output is comparable
}

// askLake makes a lake of the input and asks its events, by turns, for a funnel of five
// steps and for the sessions. All programs read the same files, on all cores, and
// start anew each time.
func (b *bencher) askLake(ctx context.Context) error {
	log, err := b.input(ctx)
	if err != nil {
		return err
	}
	lake, err := b.fresh("lake")
	if err != nil {
		return err
	}
	defer os.RemoveAll(lake)
	fmt.Fprintln(b.log, "a lake to ask")
	if _, err := b.weblogs(ctx, log, lake, "--no-report"); err != nil {
		return err
	}
	funnels, sessions := filepath.Join(b.dir, "funnels.yaml"), filepath.Join(b.dir, "sessions")
	if err := os.WriteFile(funnels, benchFunnels, 0o600); err != nil {
		return err
	}
	if _, err := b.command(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", sessions, "./internal/bench/sessions").measure(); err != nil {
		return err
	}
	duckdb := func(what, key string) func(context.Context) (usage, error) {
		return func(ctx context.Context) (usage, error) {
			return b.command(ctx, b.python, "-c", lakeScript, what, key, lake).measure()
		}
	}
	for _, q := range []question{
		{"A funnel of five steps in a lake", []program{
			{"millrace funnels", func(ctx context.Context) (usage, error) { return b.lakeFunnels(ctx, lake, funnels) }},
			{"DuckDB", duckdb("funnel", "id")},
			{"DuckDB by hash", duckdb("funnel", "hash")},
		}},
		{"Sessions in a lake", []program{
			{"packages", func(ctx context.Context) (usage, error) { return b.command(ctx, sessions, lake).measure() }},
			{"DuckDB", duckdb("sessions", "id")},
			{"DuckDB by hash", duckdb("sessions", "hash")},
		}},
	} {
		if b.peer == "none" {
			q.programs = q.programs[:1]
		}
		if err := b.ask(ctx, &q); err != nil {
			return err
		}
	}
	return nil
}

// lakeFunnels brings what the command writes into the form of the script.
func (b *bencher) lakeFunnels(ctx context.Context, lake, funnels string) (usage, error) {
	u, err := b.command(ctx, b.binary, "funnels", "--lake", lake, "--funnels", funnels, "--csv").measure()
	if err != nil {
		return u, err
	}
	rows, err := csv.NewReader(bytes.NewReader(u.out)).ReadAll()
	if err != nil {
		return u, err
	}
	var out strings.Builder
	at := func(name string) int { return slices.Index(rows[0], name) }
	for _, r := range rows[1:] {
		fmt.Fprintf(&out, "%s,%s,%s,%s,%s\n", r[at("day")], r[at("step")], r[at("visitors")], r[at("total_ms")], r[at("median_ms")])
	}
	u.out = []byte(out.String())
	return u, nil
}

func (b *bencher) ask(ctx context.Context, q *question) error {
	runs := make([][]usage, len(q.programs))
	for i := range b.runs {
		fmt.Fprintf(b.log, "%s: run %d of %d, load %s\n", q.title, i+1, b.runs, machine.Load())
		for p, one := range q.programs {
			u, err := one.answer(ctx)
			if err != nil {
				return err
			}
			runs[p] = append(runs[p], u)
		}
	}
	fmt.Fprintf(b.out, "## %s, of %d events\n\nLoad average at the end: %s.\n\n", q.title, b.lines, machine.Load())
	printRuns(b.out, q, runs)
	if len(runs) == 1 {
		return nil
	}
	verdict := "All answers are equal."
	for p := range runs {
		for _, u := range runs[p] {
			if !agrees(u.out, runs[0][0].out) {
				verdict = fmt.Sprintf("THE ANSWERS DIFFER: %s says\n\n    %s\n\nand %s\n\n    %s", q.programs[0].name, bytes.ReplaceAll(bytes.TrimSpace(runs[0][0].out), []byte("\n"), []byte("\n    ")), q.programs[p].name, bytes.ReplaceAll(bytes.TrimSpace(u.out), []byte("\n"), []byte("\n    ")))
			}
		}
	}
	fmt.Fprintf(b.out, "%s\n\n", verdict)
	return nil
}

// agrees tells whether a program says something, and nothing that the first does not say. It may have made
// fewer columns than the first, and then says less.
func agrees(says, first []byte) bool {
	all := strings.Split(strings.TrimSpace(string(first)), "\n")
	for _, line := range strings.Split(strings.TrimSpace(string(says)), "\n") {
		if !slices.Contains(all, line) {
			return false
		}
	}
	return len(bytes.TrimSpace(says)) > 0
}
