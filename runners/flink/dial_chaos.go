//go:build chaos

package flink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"google.golang.org/grpc"
)

// A worker reaches all that Flink has for it (control, data, state, logs: each at a
// port of its own that is told on the way) through the one address that
// $MILLRACE_PLANT_WAY names, where it first writes which it wants.
func init() {
	way := os.Getenv("MILLRACE_PLANT_WAY")
	if way == "" {
		return
	}
	waysOfTests = append(waysOfTests, grpc.WithContextDialer(func(ctx context.Context, endpoint string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", way)
		if err != nil {
			return nil, err
		}
		if _, err := fmt.Fprintln(conn, strings.TrimPrefix(endpoint, "passthrough:///")); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return conn, nil
	}))
}
