package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"millrace/internal/settings"
	"millrace/internal/tables"
	"millrace/jobs"
)

func ddlCommand() *cobra.Command {
	var target string
	var at tables.Place
	c := &cobra.Command{
		Use:   "ddl JOB [OUTPUT...]",
		Short: "Print the statements that make tables for outputs",
		Long: `Print the statements that make tables, with their columns' meaning, for all outputs of
a job or for some. Sinks make theirs themselves unless told not to (ddl=skip,
template=skip); this is to see them first, or to make them by hand. Nothing is reached.`,
		Example: `  millrace ddl weblogs --target redshift --schema web
  millrace ddl weblogs events traffic --target athena --lake s3://lake/web
  millrace ddl weblogs --target duckdb | duckdb web.db`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("which job? write millrace ddl JOB [OUTPUT...]")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			job, ok := jobs.Find(args[0])
			if !ok {
				return usage("unknown job %s%s", args[0], settings.Suggest(args[0], jobs.Names()))
			}
			for _, name := range args[1:] {
				if !slices.Contains(job.OutputNames(), name) {
					return usage("%s has no output %s%s", job.Name, name, settings.Suggest(name, job.OutputNames()))
				}
			}
			for _, o := range job.Outputs {
				if len(args) > 1 && !slices.Contains(args[1:], o.Name) {
					continue
				}
				text, err := tables.Statements(target, o.Name, o.Schema, at)
				if err != nil {
					return usage("%w", err)
				}
				fmt.Fprintln(c.OutOrStdout(), text)
			}
			return nil
		},
	}
	fs := c.Flags()
	fs.StringVar(&target, "target", "redshift", "what the statements are for: "+strings.Join(tables.Targets(), ", "))
	fs.StringVar(&at.Schema, "schema", "", "schema that the tables are in")
	fs.StringVar(&at.Lake, "lake", "", "lake that Athena's tables lie over: s3://BUCKET/PREFIX")
	return c
}
