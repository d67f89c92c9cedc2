package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"millrace/internal/run"
)

func reportCommand() *cobra.Command {
	var lake string
	c := &cobra.Command{
		Use:   "report --lake DIR-or-URL",
		Short: "Draw LAKE/report.html from what the lake holds now",
		Long: `Draw LAKE/report.html from what the lake holds now.

The report is one file that needs no network: traffic, errors, pages, sessions,
visitors, bots, security-looking requests, bad rows and the ledger of the latest
run. Every run draws it; this draws it again.`,
		Example: "  millrace report --lake out",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if lake == "" {
				return &run.UsageError{Err: errors.New("--lake is missing: name the lake to draw, for example --lake out")}
			}
			at, err := run.Report(c.Context(), lake)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), at)
			return err
		},
	}
	c.Flags().StringVar(&lake, "lake", "", "the lake: a folder or s3://bucket/prefix")
	return c
}
