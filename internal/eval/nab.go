package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"millrace/internal/nab"
	"millrace/transforms/anomaly"
)

// nabSection prints the three profiles for both options of the detector.
func nabSection(ctx context.Context, data string, out io.Writer) error {
	for _, o := range []struct {
		title string
		anomaly.Options
	}{{"With the view of shapes", anomaly.Options{Shapes: true}}, {"Without it", anomaly.Options{}}} {
		scores, err := os.MkdirTemp("", "millrace-nab-")
		if err != nil {
			return fmt.Errorf("making a folder for scores: %w", err)
		}
		report, err := nab.Run(ctx, filepath.Join(data, "nab"), scores, o.Options)
		os.RemoveAll(scores) //nolint:errcheck // a temporary folder
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s:\n\n", o.title)
		if err := report.WriteMarkdown(out); err != nil {
			return err
		}
		fmt.Fprintln(out)
	}
	return nil
}
