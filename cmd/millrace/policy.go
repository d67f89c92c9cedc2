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
field of a policy with its class and method. With both, the policy is held against the
job as run --mask-policy would, and the columns that it can set are listed, each with
the class and the method that it gets. A policy with a fault is refused: each fault
with file, line and the name that was probably meant.`,
		Example: "  millrace policy check weblogs\n  millrace policy check --policy p.yaml\n  millrace policy check weblogs --policy p.yaml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 && policy == "" {
				return &run.UsageError{Err: fmt.Errorf("name a job or a policy: millrace policy check weblogs, or --policy p.yaml")}
			}
			var p *maskpolicy.File
			if policy != "" {
				var err error
				if p, err = run.ReadMaskPolicy(policy); err != nil {
					return err
				}
			}
			if len(args) == 1 {
				return showColumns(c, args[0], p)
			}
			return maskpolicy.Show(c.OutOrStdout(), p.Policy)
		},
	}
	check.Flags().StringVar(&policy, "policy", "", "file of the masking policy")
	c.AddCommand(check)
	return c
}

func showColumns(c *cobra.Command, name string, p *maskpolicy.File) error {
	j, ok := jobs.Find(name)
	if !ok {
		return &run.UsageError{Err: fmt.Errorf("unknown job %s%s", name, settings.Suggest(name, jobs.Names()))}
	}
	if p != nil {
		if err := p.CheckJob(j.Fields); err != nil {
			return &run.UsageError{Err: err}
		}
		return maskpolicy.ShowFields(c.OutOrStdout(), j.EventsOutput(), j.Fields, p.Policy)
	}
	var outputs []maskpolicy.Output
	for _, o := range j.Outputs {
		outputs = append(outputs, maskpolicy.Output{Name: o.Name, Schema: o.Schema})
	}
	return maskpolicy.ShowOutputs(c.OutOrStdout(), outputs)
}
