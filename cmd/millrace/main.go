// Command millrace runs streaming and batch jobs over logs and events.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"millrace/internal/run"
)

// Exit codes; scripts rely on them.
const (
	exitDone       = 0
	exitFailed     = 1
	exitUsage      = 2
	exitUnbalanced = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(exitCode(root().ExecuteContext(ctx)))
}

func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	fmt.Fprintln(os.Stderr, "millrace:", err)
	if u := new(run.UsageError); errors.As(err, &u) {
		return exitUsage
	}
	if u := new(run.UnbalancedError); errors.As(err, &u) {
		return exitUnbalanced
	}
	return exitFailed
}
