package main

import (
	"github.com/spf13/cobra"

	"millrace/internal/nab"
)

func nabCommand() *cobra.Command {
	var data, out string
	var f nab.Flags
	c := &cobra.Command{
		Use:   "nab --data DIR --out DIR",
		Short: "Score a corpus like the Numenta Anomaly Benchmark",
		Long: `Score a corpus like the Numenta Anomaly Benchmark with the anomaly detector.

Reads DIR/data/<category>/<file>.csv or .csv.gz (timestamp,value) row by row and
writes OUT/<category>/millrace_<file>.csv (timestamp,value,anomaly_score), each
score before the next row is read. Then it chooses the threshold with the best
score on all of the windows in DIR/labels/combined_windows.json, as the benchmark
does, and prints the scores of the three profiles, by category too, how many
detections that makes in 1,000 rows, and how late they come.`,
		Example: "  millrace nab --data testdata/nab --out out/nab",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if data == "" || out == "" {
				return usage("--data and --out are needed: the folder of the corpus, and one for the scores; see %s --help", c.CommandPath())
			}
			report, err := nab.Run(c.Context(), data, out, f.Options())
			if err != nil {
				return err
			}
			return report.Write(c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&data, "data", "", "folder of the corpus, with data and labels in it")
	c.Flags().StringVar(&out, "out", "", "folder to write scores to")
	c.Flags().BoolVar(&f.NoShapes, "no-shapes", false, "without the view of shapes: nine times as fast, a third of the state")
	return c
}
