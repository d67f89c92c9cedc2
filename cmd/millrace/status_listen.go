package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"millrace/internal/operate"
	"millrace/internal/run"
)

// serveStatus serves the status of jobs until it is interrupted.
func serveStatus(c *cobra.Command, reader operate.Reader, address, name string) error {
	var lc net.ListenConfig
	l, err := lc.Listen(c.Context(), "tcp", address)
	if err != nil {
		return &run.UsageError{Err: fmt.Errorf("--listen %s: %w; give host:port of this machine that is free, for example 127.0.0.1:9102", address, err)}
	}
	server := &http.Server{Handler: reader.Handler(name), ReadHeaderTimeout: 10 * time.Second}
	fmt.Fprintf(c.ErrOrStderr(), "serving http://%[1]s/metrics, http://%[1]s/status and http://%[1]s/healthz\n", l.Addr())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-c.Context().Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(c.Context()), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(end); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil // serving is all that was interrupted
}
