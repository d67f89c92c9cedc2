// Command sessions finds the sessions of the events of a lake, as the packages do that
// the job is made of, and prints what they come to: sessions, events, page views,
// milliseconds, bounces, and the bytes of entry and exit pages, which stand for them.
// The benchmark compares it with SQL.
package main

import (
	"context"
	"fmt"
	"os"

	"millrace/internal/lakequery"
	"millrace/io/lakeio"
	"millrace/transforms/sessions"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "sessions:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if len(os.Args) != 2 {
		return fmt.Errorf("name the lake")
	}
	store, err := lakeio.OpenStore(ctx, os.Args[1])
	if err != nil {
		return err
	}
	events, err := lakequery.Open(ctx, store, lakequery.Options{})
	if err != nil {
		return err
	}
	var n, all, pages, ms, bounces, entry, exit int64
	err = events.Sessions(ctx, sessions.Options{}, func(list []sessions.Session) {
		n += int64(len(list))
		for i := range list {
			s := &list[i]
			all, pages, ms = all+s.Events, pages+s.Pages, ms+s.Duration()
			entry, exit = entry+int64(len(s.Entry)), exit+int64(len(s.Exit))
			if s.Bounce {
				bounces++
			}
		}
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(os.Stdout, "%d,%d,%d,%d,%d,%d,%d\n", n, all, pages, ms, bounces, entry, exit)
	return err
}
