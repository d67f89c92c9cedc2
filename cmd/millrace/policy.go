package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"millrace/internal/maskpolicy"
	"millrace/internal/run"
	"millrace/internal/settings"
	"millrace/jobs"
)

func policyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "policy",
		Short: "Check how personal data is masked; policy check lists it",
		Args:  noArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	var policy string
	check := &cobra.Command{
		Use:   "check [JOB] [--policy FILE.yaml]",
		Short: "List every column of a job, or every field of a policy, with its class and method",
		Long: `List every column of a job with its mask class and what was done to it, or every
field of a policy with its class and method. A policy with a fault is refused: each
fault with file, line and the name that was probably meant.`,
		Example: "  millrace policy check weblogs\n  millrace policy check --policy p.yaml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 && policy == "" {
				return &run.UsageError{Err: fmt.Errorf("name a job or a policy: millrace policy check weblogs, or --policy p.yaml")}
			}
			if len(args) == 1 {
				if err := showColumns(c, args[0]); err != nil {
					return err
				}
			}
			if policy == "" {
				return nil
			}
			p, err := maskpolicy.ReadFile(policy)
			if err != nil {
				return &run.UsageError{Err: err}
			}
			return maskpolicy.Show(c.OutOrStdout(), p)
		},
	}
	check.Flags().StringVar(&policy, "policy", "", "file of the masking policy")
	c.AddCommand(check)
	return c
}

func showColumns(c *cobra.Command, name string) error {
	j, ok := jobs.Find(name)
	if !ok {
		return &run.UsageError{Err: fmt.Errorf("unknown job %s%s", name, settings.Suggest(name, jobs.Names()))}
	}
	var outputs []maskpolicy.Output
	for _, o := range j.Outputs {
		outputs = append(outputs, maskpolicy.Output{Name: o.Name, Schema: o.Schema})
	}
	return maskpolicy.ShowOutputs(c.OutOrStdout(), outputs)
}
