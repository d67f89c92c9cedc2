package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"millrace/schemas/alert"
)

// findingsSection lists what the rules find in real logs. Sources are numbered in
// the order in which they are first told: their addresses are nobody's business.
func findingsSection(_ context.Context, data string, out io.Writer) error {
	for i, f := range []struct{ path, kind string }{
		{"auth-log/auth_a.log.gz", "auth"},
		{"access-logs/hackers_a.log.gz", "access"},
		{"access-logs/semicomplete_2015-05-17_18.log.gz", "access"},
	} {
		lines, err := readLog(filepath.Join(data, filepath.FromSlash(f.path)))
		if err != nil {
			return err
		}
		var l logs
		for _, line := range lines {
			if f.kind == "auth" {
				l.auth(line, time.Date(2017, 12, 31, 0, 0, 0, 0, time.UTC).UnixMilli()) // as its README says
			} else {
				l.access(line)
			}
		}
		rows, err := l.watch()
		if err != nil {
			return err
		}
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "%s: %d lines, %d bad.\n\n", f.path, l.lines, l.bad)
		printFindings(out, rows)
	}
	return nil
}

// printFindings has a line for each rule and source.
func printFindings(out io.Writer, rows []alert.Row) {
	type finding struct {
		rule, key   string
		alerts      int
		first, last time.Time
		peak        float64
	}
	var all []finding
	numbers := map[string]int{}
	for _, r := range rows {
		i := slices.IndexFunc(all, func(f finding) bool { return f.rule == r.Rule && f.key == r.Key })
		at := time.UnixMilli(int64(r.FiringSince)).UTC()
		if i < 0 {
			i = len(all)
			all = append(all, finding{rule: r.Rule, key: r.Key, first: at})
			if numbers[r.Key] == 0 {
				numbers[r.Key] = len(numbers) + 1
			}
		}
		f := &all[i]
		f.last, f.peak = at, max(f.peak, *r.Peak)
		if r.State == alert.Firing {
			f.alerts++
		}
	}
	fmt.Fprint(out, "| rule | source | alerts | first | last | peak |\n|---|---:|---:|---|---|---:|\n")
	for _, f := range all {
		fmt.Fprintf(out, "| %s | %d | %d | %s | %s | %g |\n", f.rule, numbers[f.key], f.alerts, f.first.Format("2006-01-02 15:04"), f.last.Format("2006-01-02 15:04"), f.peak)
	}
}
