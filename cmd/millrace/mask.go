package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"millrace/internal/maskkey"
	"millrace/internal/maskpolicy"
	"millrace/internal/run"
)

func maskCommand() *cobra.Command {
	var policy, key string
	c := &cobra.Command{
		Use:   "mask --policy FILE.yaml < TEXT",
		Short: "Mask standard input by a policy, to see what it does",
		Long: `Mask standard input by a policy, to see what it does.

A line that is a JSON object is masked by its fields, and fields that no rule names
go; any other line is free text, in which findings are replaced. Without a key a
run's own local key is used, as run does.`,
		Example: "  millrace mask --policy p.yaml < events.ndjson",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if policy == "" {
				return &run.UsageError{Err: errors.New("--policy is missing: name a file, for example --policy p.yaml")}
			}
			p, err := maskpolicy.ReadFile(policy)
			if err != nil {
				return &run.UsageError{Err: err}
			}
			ring, err := ringOf(c, key)
			if err != nil {
				return &run.UsageError{Err: err}
			}
			active := ring.Active()
			events, texts, err := maskpolicy.Mask(c.OutOrStdout(), c.InOrStdin(), p, active.ID(), active.Secret())
			fmt.Fprintf(c.ErrOrStderr(), "masked %d events and %d lines of text with key %s\n", events, texts, active.ID())
			return err
		},
	}
	c.Flags().StringVar(&policy, "policy", "", "file of the masking policy")
	c.Flags().StringVar(&key, "mask-key", "", "key by reference: file:///path, env://NAME or awskms://KEY?dataset=NAME&ring=PLACE")
	return c
}

// ringOf resolves a reference, or the user's own local key.
func ringOf(c *cobra.Command, ref string) (maskkey.Ring, error) {
	if ref != "" {
		return maskkey.Resolve(c.Context(), ref)
	}
	ring, _, _, err := maskkey.Default("")
	return ring, err
}
