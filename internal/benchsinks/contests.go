package main

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"

	"millrace/internal/machine"
)

// contests are all sinks that are measured.
var contests = []contest{openSearch, influx, redshiftContest}

// contest is a sink beside ready-made clients for the same server.
type contest struct {
	name    string
	with    []string // names and versions of what takes part
	start   func(ctx context.Context, log io.Writer) (server, error)
	row     func() (bytes int, as string) // the size of a row, for the report
	clients []client                      // ours is the first
}

// server is one that all clients of a contest write to.
type server interface {
	// Addr is what clients are told, PID its process; 0 where no single one does the work.
	Addr() string
	PID() int
	// Empty removes all rows.
	Empty(ctx context.Context) error
	// Count is how many rows readers find now.
	Count(ctx context.Context) (int, error)
	// Quit ends it.
	Quit()
}

// client is one way to write rows.
type client struct {
	name string
	note string // what it does, for the report
	// prepare makes the rows, in the form that the client takes them in. What it gives
	// is measured: it returns when the server has acknowledged all of them.
	prepare func(rows int) (write func(ctx context.Context, addr string) error, err error)
}

func choose(names string) (chosen []contest, err error) {
	if names == "" {
		return contests, nil
	}
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(contests, func(c contest) bool { return c.name == name })
		if i < 0 {
			return nil, fmt.Errorf("-sinks: no sink is called %q", name)
		}
		chosen = append(chosen, contests[i])
	}
	return chosen, nil
}

func findClient(path string) (client, error) {
	sink, name, _ := strings.Cut(path, "/")
	for _, c := range contests {
		for _, cl := range c.clients {
			if c.name == sink && cl.name == name {
				return cl, nil
			}
		}
	}
	return client{}, fmt.Errorf("-write: no client is called %q", path)
}

// clientVersion is the version of a module that this program is built with.
func clientVersion(module string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == module {
				return m.Version
			}
		}
	}
	return machine.Unknown
}
