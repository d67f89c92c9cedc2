package sessions_test

import (
	"fmt"

	"millrace/transforms/sessions"
)

func ExampleOptions_attribution() {
	opt := sessions.Options{Attribution: true, Index: true}
	collector, err := sessions.NewCollector(opt)
	if err != nil {
		panic(err)
	}
	visitor := sessions.VisitorOf("tok_visitor_1")
	for i, e := range []struct {
		minute         int64
		source, medium string
	}{{0, "(direct)", "(none)"}, {5, "google", "organic"}, {12, "newsletter", "email"}, {60, "", ""}} {
		event := sessions.Event{Time: 1747476300000 + e.minute*60_000, Source: "log", Position: int64(i), Direct: e.source == "(direct)"}
		if e.source != "" {
			event.Touch = sessions.AppendTouch(nil, []byte(e.source), []byte(e.medium))
		}
		collector.Add(visitor, &event)
	}
	sessionizer, err := sessions.NewSessionizer(opt, nil)
	if err != nil {
		panic(err)
	}
	for _, part := range collector.Flush(64) {
		if err := sessionizer.Add(part.Blob); err != nil {
			panic(err)
		}
	}
	for _, s := range sessionizer.Sessions() {
		fmt.Printf("%d: %q %q %q after %q\n", s.Index, s.FirstTouch.Texts(), s.Touch.Texts(), s.LastTouch.Texts(), s.Previous)
	}
	// Output:
	// 1: ["(direct)" "(none)"] ["google" "organic"] ["newsletter" "email"] after ""
	// 2: [] [] [] after "fff3b3188a71f68eabab515464ae8416"
}

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
