package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"millrace/internal/maskkey"
	"millrace/internal/run"
)

func keyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "key",
		Short: "Make and rotate masking keys of AWS KMS; key add makes one",
		Args:  noArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	var ref, id string
	add := &cobra.Command{
		Use:   "add --mask-key awskms://KEY?dataset=NAME&ring=PLACE",
		Short: "Have KMS make a key, and put it first in the ring: begin a ring, or rotate",
		Long: `Have KMS make a key, and put it first in the ring of the reference. It makes tokens
from now on; the older ones stay in the ring, for joins with the tokens they made.
What is written to the ring is wrapped by KMS and tells nothing without it.`,
		Example: "  millrace key add --mask-key 'awskms://alias/millrace?dataset=weblogs&ring=s3://keys/weblogs.json'",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if ref == "" {
				return &run.UsageError{Err: errors.New("--mask-key is missing: name the KMS key, the dataset and the ring")}
			}
			k, err := maskkey.AddKMS(c.Context(), ref, id)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s is now in use\n", k)
			return err
		},
	}
	add.Flags().StringVar(&ref, "mask-key", "", "reference of the ring")
	add.Flags().StringVar(&id, "id", "", "id of the key, 1 to 16 of a-z and 0-9; k and its number in the ring when not given")
	c.AddCommand(add)
	return c
}
