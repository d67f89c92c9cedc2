//go:build chaos

package endpoint

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/util/grpcx"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// planted panics once for each time that the file exists which $MILLRACE_PLANT
// names.
func planted() {
	if name := os.Getenv("MILLRACE_PLANT"); name != "" && os.Remove(name) == nil {
		panic("planted by a test")
	}
}

// A worker reaches all that Flink has for it (control, data, state, logs: each at a
// port of its own that is told on the way) through the one address that
// $MILLRACE_PLANT_WAY names, where it first writes which it wants.
func init() {
	if way := os.Getenv("MILLRACE_PLANT_WAY"); way != "" {
		grpcx.Dial = through(way)
	}
}

func through(way string) func(context.Context, string, time.Duration) (*grpc.ClientConn, error) {
	dial := func(ctx context.Context, endpoint string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", way)
		if err != nil {
			return nil, err
		}
		if _, err := fmt.Fprintln(conn, endpoint); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return conn, nil
	}
	return func(_ context.Context, endpoint string, _ time.Duration) (*grpc.ClientConn, error) {
		// Calls wait until there is a connection, as those of Beam's own Dial do.
		return grpc.NewClient("passthrough:///"+endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithContextDialer(dial),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.WaitForReady(true)))
	}
}
