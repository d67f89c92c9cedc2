package run

import (
	"log/slog"
	"os"
)

// runnerLog is where the runner's own log goes: nowhere, unless the environment
// variable MILLRACE_LOG asks for it (debug, info, warn, error).
func runnerLog() slog.Handler {
	var level slog.Level
	if err := level.UnmarshalText([]byte(os.Getenv("MILLRACE_LOG"))); err != nil {
		return slog.DiscardHandler
	}
	return slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})
}
