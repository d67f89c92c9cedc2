package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"millrace/internal/run"
	"millrace/internal/settings"
)

// Exit codes; scripts rely on them.
const (
	exitDone       = 0
	exitFailed     = 1
	exitUsage      = 2
	exitUnbalanced = 3
)

// exitCode tells of an error on stderr, a line for each fault, and gives its code.
func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	for fault := range strings.Lines(err.Error()) {
		fmt.Fprintln(os.Stderr, "millrace:", strings.TrimRight(fault, "\n"))
	}
	if u := new(run.UsageError); errors.As(err, &u) {
		return exitUsage
	}
	if u := new(run.UnbalancedError); errors.As(err, &u) {
		return exitUnbalanced
	}
	return exitFailed
}

func usage(format string, a ...any) error { return &run.UsageError{Err: fmt.Errorf(format, a...)} }

// flagError names the flag that was meant.
func flagError(c *cobra.Command, err error) error {
	hint := ""
	if unknown := new(pflag.NotExistError); errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "" {
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
		hint = settings.Suggest("--"+unknown.GetSpecifiedName(), names)
	}
	return usage("%w%s; see %s --help", err, hint, c.CommandPath())
}

// noArgs refuses arguments; where a verb was expected it names the nearest.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var verbs []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			verbs = append(verbs, sub.Name())
		}
	}
	if len(verbs) == 0 {
		return usage("%s takes no argument, but was given %s; see %s --help", c.CommandPath(), args[0], c.CommandPath())
	}
	return usage("unknown command %s %s%s; see %s --help", c.CommandPath(), args[0], settings.Suggest(args[0], verbs), c.CommandPath())
}

// atMostOneJob is for verbs whose job may come from a YAML file.
func atMostOneJob(c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usage("one job at a time, but %s follows %s: quote a pattern in the shell, and write flags as --name VALUE; see %s --help", args[1], args[0], c.CommandPath())
	}
	return nil
}

// exactArgs is cobra.ExactArgs with a usage error that says what to write.
func exactArgs(n int, write string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return usage("write %s; see %s --help", write, c.CommandPath())
		}
		return nil
	}
}
