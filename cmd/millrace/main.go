// Command millrace runs streaming and batch jobs over logs and events.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"millrace/internal/run"
)

func main() { os.Exit(execute()) }

func execute() int {
	run.ServeWorker(os.Args[1:]) // which a runner starts this program as, too
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	signal.Ignore(syscall.SIGXFSZ) // a limit of file sizes is an error of the write
	context.AfterFunc(ctx, stop)   // so that a second signal ends the program at once
	return exitCode(root().ExecuteContext(ctx))
}
