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

// Two events exactly one gap apart are two sessions; a late event in between makes one of
// them, and the id of the second is withdrawn.
func ExampleSessionizer_Advance() {
	collector, err := sessions.NewCollector(sessions.Options{})
	if err != nil {
		panic(err)
	}
	sessionizer, err := sessions.NewSessionizer(sessions.Options{}, nil)
	if err != nil {
		panic(err)
	}
	const start = 1747476300000
	var state []byte
	advance := func(watermark int64, minutes ...int64) {
		for _, m := range minutes {
			collector.Add(sessions.VisitorOf("tok_visitor_1"), &sessions.Event{Time: start + m*60_000, Position: m, Page: true, Path: []byte("/")})
		}
		var blobs [][]byte
		for _, part := range collector.Flush(1) {
			blobs = append(blobs, part.Blob)
		}
		update, err := sessionizer.Advance(state, blobs, start+watermark*60_000)
		if err != nil {
			panic(err)
		}
		state = update.State
		for _, s := range update.Provisional {
			fmt.Println("provisional", s.ID[:8], s.Events, s.Version)
		}
		for _, w := range update.Withdrawn {
			fmt.Println("withdrawn", w.ID[:8], w.Version)
		}
		for _, s := range update.Sealed {
			fmt.Println("sealed", s.ID[:8], s.Events, s.Version)
		}
	}
	advance(-5, 0, 30)
	advance(-5, 20)
	advance(60)
	// Output:
	// provisional fff3b318 1 1
	// provisional 86da6503 1 1
	// provisional fff3b318 3 3
	// withdrawn 86da6503 3
	// sealed fff3b318 3 3
}

func ExampleSplit() {
	var events []sessions.Event
	for i, e := range []struct {
		minute   int64
		campaign string
	}{{0, ""}, {29, ""}, {59, ""}, {60, "spring"}} {
		events = append(events, sessions.Event{Time: 1747476300000 + e.minute*60_000, Position: int64(i), Page: true, Path: []byte("/"), Campaign: []byte(e.campaign)})
	}
	list, err := sessions.Split("tok_visitor_1", events, sessions.Options{CampaignCut: true}, nil)
	if err != nil {
		panic(err)
	}
	for _, s := range list {
		fmt.Println(s.Events, s.Duration(), s.Bounce, s.Engaged)
	}
	// Output:
	// 2 1740000 false true
	// 1 0 true false
	// 1 0 true false
}
