package main

import (
	"errors"
	"fmt"
	"os/user"

	"github.com/spf13/cobra"

	"millrace/internal/maskkey"
	"millrace/internal/run"
	"millrace/internal/vault"
)

func revealCommand() *cobra.Command {
	var r vault.Request
	var key string
	c := &cobra.Command{
		Use:   "reveal --case NUMBER --vault PLACE --vault-key REF --audit FILE TOKEN",
		Short: "Show what a reversible token stands for, and record that it was asked",
		Long: `Show what a reversible token stands for. That takes the vault's files, the output
vault of a lake, the vault's key, and the number of a case. Every request is
recorded in the audit log before anything is read; without the record there is no
answer.`,
		Example: "  millrace reveal --case 2026-17 --vault out/vault --vault-key file:///secret/vault.key --audit /var/log/millrace-reveal.log tok_email_k1_...",
		Args:    exactArgs(1, "millrace reveal --case NUMBER --vault PLACE --vault-key REF --audit FILE TOKEN"),
		RunE: func(c *cobra.Command, args []string) error {
			if key == "" || r.Dir == "" || r.Audit == "" || r.Case == "" {
				return &run.UsageError{Err: errors.New("--case, --vault, --vault-key and --audit are all needed")}
			}
			who, err := user.Current()
			if err != nil {
				return fmt.Errorf("finding out who asks: %w", err)
			}
			r.Who, r.Token = who.Username, args[0]
			if r.Keys, err = maskkey.Resolve(c.Context(), key); err != nil {
				return &run.UsageError{Err: err}
			}
			value, err := vault.Reveal(c.Context(), r)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), value)
			return err
		},
	}
	c.Flags().StringVar(&r.Case, "case", "", "number of the case that gives the right to ask")
	c.Flags().StringVar(&r.Dir, "vault", "", "folder or s3:// prefix of the vault's files: LAKE/vault")
	c.Flags().StringVar(&key, "vault-key", "", "the vault's key by reference, as --mask-key")
	c.Flags().StringVar(&r.Audit, "audit", "", "file that gets a line for every request")
	return c
}
