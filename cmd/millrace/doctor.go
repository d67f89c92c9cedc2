package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"millrace/internal/progress"
	"millrace/internal/run"
)

func doctorCommand() *cobra.Command {
	var f jobFlags
	var patience time.Duration
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor JOB --source URL --lake DIR-or-URL",
		Short: "Look at everything a run needs, and say what is wrong",
		Long: `Look at everything a run needs, and say what is wrong: settings, masking key,
source, lake, the sinks of --output, and Flink. It takes the flags of run.

Each place is reached with the credentials of this machine, is asked whether it would
take the rows (versions, columns, blocks, rights), and is told of with what to do. No
row is written. Into the lake goes one small object that is removed again; from a
stream some records are read and dropped.

The exit code is 1 when something is wrong, 2 when it is the settings.`,
		Example: `  millrace doctor --config weblogs.yaml
  millrace doctor weblogs --source kinesis://access-logs --lake s3://lake/web --mask-key env://MASK_KEY \
    --output 'events=opensearch+https://search.example.com/weblogs-{day}?sigv4=true' --runner flink
  millrace doctor --config weblogs.yaml --json`,
		Args: atMostOneJob,
		RunE: func(c *cobra.Command, args []string) error {
			o, dir, err := f.request(first(args))
			if err != nil {
				return err
			}
			if patience <= 0 {
				return usage("--patience %v: must be more than 0s", patience)
			}
			wrong, settings := 0, false
			healthy := run.Diagnose(c.Context(), o, dir, patience, func(d run.Diagnosis) {
				var mistake *run.UsageError
				settings = settings || d.Place == "configuration" && d.Err != nil || errors.As(d.Err, &mistake)
				if d.Err != nil && !d.Note {
					wrong++
				}
				if asJSON {
					err = errors.Join(err, diagnosisJSON(c.OutOrStdout(), d))
				} else {
					err = errors.Join(err, diagnosisText(c.OutOrStdout(), d))
				}
			})
			switch {
			case err != nil || healthy:
				return err
			case settings:
				return usage("doctor found %s", progress.Of(int64(wrong), "problem"))
			}
			return fmt.Errorf("doctor found %s", progress.Of(int64(wrong), "problem"))
		},
	}
	f.add(c)
	c.Flags().DurationVar(&patience, "patience", 30*time.Second, "how long to wait for each place")
	c.Flags().BoolVar(&asJSON, "json", false, "a line of JSON for each thing that was looked at")
	return c
}

func diagnosisText(w io.Writer, d run.Diagnosis) error {
	state, text := "ok", d.Found
	switch {
	case d.Err != nil && d.Note:
		state, text = "note", d.Err.Error()
	case d.Err != nil:
		state, text = "WRONG", d.Err.Error()
	}
	_, err := fmt.Fprintf(w, "%-6s %-16s %-10s %s\n", state, d.Place, d.What, text)
	return err
}

func diagnosisJSON(w io.Writer, d run.Diagnosis) error {
	line := struct {
		Place   string `json:"place"`
		What    string `json:"what"`
		Healthy bool   `json:"healthy"`
		Found   string `json:"found,omitempty"`
		Problem string `json:"problem,omitempty"`
	}{Place: d.Place, What: d.What, Healthy: d.Err == nil || d.Note}
	if line.Found = d.Found; d.Err != nil {
		line.Found, line.Problem = "", d.Err.Error()
	}
	return json.NewEncoder(w).Encode(line)
}
