package prism

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	beamprism "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"

	"millrace/runners/prism/loopback"
)

// serve starts the runner's server once: all pipelines of this process go to it. It
// takes it off the network (docs/adr/0010-loopback.md). Left to itself the
// runner starts one on a port that it does not tell.
var serve = sync.OnceValue(func() error {
	ctx := context.Background() // it serves later runs, too
	port, err := listen(ctx)
	if err != nil {
		return fmt.Errorf("starting prism: %w", err)
	}
	if err := loopback.Confine(port); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		slog.WarnContext(ctx, "the runner's server can be reached from the network while this run lasts", "port", port, "cause", err)
	}
	*jobopts.Endpoint = net.JoinHostPort("localhost", strconv.Itoa(port))
	*jobopts.EnvironmentType = "loopback"
	return nil
})

// listen returns the port on which the runner serves.
func listen(ctx context.Context) (port int, err error) {
	const attempts = 5 // another program may be faster to take a port that was free
	for range attempts {
		if port, err = free(ctx); err != nil {
			return 0, err
		}
		if err = listenOn(ctx, port); err == nil {
			return port, nil
		}
	}
	return 0, err
}

func listenOn(ctx context.Context, port int) (err error) {
	defer func() {
		if cause := recover(); cause != nil { // so the runner tells of a port that is taken
			err = fmt.Errorf("%v", cause)
		}
	}()
	_, err = beamprism.CreateJobServer(ctx, beamprism.Options{Port: port})
	return err
}

func free(ctx context.Context) (port int, err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
