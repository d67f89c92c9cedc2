package sessions_test

import (
	"fmt"

	"millrace/transforms/sessions"
)

func Example() {
	// In each block of records: events become fragments.
	collector, err := sessions.NewCollector(sessions.Options{})
	if err != nil {
		panic(err)
	}
	visitor := sessions.VisitorOf("tok_visitor_1")
	for i, minute := range []int64{0, 10, 39, 69, 70} {
		collector.Add(visitor, &sessions.Event{
			Time: 1747476300000 + minute*60_000, Source: "log", Position: int64(i),
			Page: true, Path: fmt.Appendf(nil, "/%d", i),
		})
	}
	// In each visitor shard: fragments become sessions.
	sessionizer, err := sessions.NewSessionizer(sessions.Options{}, nil)
	if err != nil {
		panic(err)
	}
	for _, part := range collector.Flush(64) {
		if err := sessionizer.Add(part.Blob); err != nil {
			panic(err)
		}
	}
	for _, s := range sessionizer.Sessions() {
		fmt.Println(s.Events, s.Entry, s.Exit, s.Duration(), s.Bounce)
	}
	// Output:
	// 3 /0 /2 2340000 false
	// 2 /3 /4 60000 false
}
