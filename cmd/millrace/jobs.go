package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"millrace/internal/run"
	"millrace/internal/settings"
	"millrace/jobs"
)

func jobsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "jobs",
		Short: "List the jobs; jobs show JOB explains one",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 4, 2, ' ', 0)
			for _, j := range jobs.Catalogue {
				fmt.Fprintf(w, "%s\t%s\n", j.Name, j.Doc)
			}
			return w.Flush()
		},
	}
	var columns bool
	show := &cobra.Command{
		Use:     "show JOB",
		Short:   "Explain a job: outputs, formats, settings, an example",
		Example: "  millrace jobs show weblogs --columns",
		Args:    exactArgs(1, "millrace jobs show JOB"),
		RunE:    func(c *cobra.Command, args []string) error { return showJob(c, args[0], columns) },
	}
	show.Flags().BoolVar(&columns, "columns", false, "also list every column with type, mask class and meaning")
	c.AddCommand(show)
	return c
}

func showJob(c *cobra.Command, name string, columns bool) error {
	j, ok := jobs.Find(name)
	if !ok {
		return &run.UsageError{Err: fmt.Errorf("unknown job %s%s", name, settings.Suggest(name, jobs.Names()))}
	}
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "%s: %s\n\nOutputs\n", j.Name, j.Doc)
	for _, o := range j.Outputs {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", o.Name, o.Schema.ID(), o.Doc)
	}
	fmt.Fprint(w, "\nFormats (--format NAME, else detected)\n")
	for _, f := range j.Formats {
		fmt.Fprintf(w, "  %s\t%s\n", f.Name, f.Doc)
	}
	fmt.Fprint(w, "\nSettings (--set NAME=VALUE)\n")
	for _, s := range settings.Describe(j.NewSettings()) {
		fmt.Fprintf(w, "  %s\t%s\tdefault %s\t%s\n", s.Name, s.Type, orNone(s.Default), s.Doc)
	}
	if j.FunnelsExample != "" {
		fmt.Fprintf(w, "\nFunnels (the key funnels of a --config file, or a file of --funnels; docs/funnels.md)\n")
		for line := range strings.Lines(j.FunnelsExample) {
			fmt.Fprintf(w, "  %s", line)
		}
	}
	if j.AlertsExample != "" {
		fmt.Fprintf(w, "\nAlerts (the key alerts of a --config file, or a file of --alerts; docs/alerts.md)\n")
		for line := range strings.Lines(j.AlertsExample) {
			fmt.Fprintf(w, "  %s", line)
		}
	}
	if columns {
		for _, o := range j.Outputs {
			fmt.Fprintf(w, "\nColumns of %s\n", o.Name)
			for _, col := range o.Schema.Columns {
				null := ""
				if col.Null {
					null = "null"
				}
				fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\n", col.Name, col.Type, null, col.Mask, col.Doc)
			}
		}
	}
	fmt.Fprintf(w, "\nExample\n  millrace run %s --source '%s' --lake out\n", j.Name, j.Example)
	return w.Flush()
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
