package funnels_test

import (
	"fmt"
	"time"

	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms/funnels"
)

func Example() {
	set, err := funnels.Compile([]funnels.Definition{{
		Name: "purchase", Within: 24 * time.Hour,
		Steps: []funnels.Step{
			{Name: "home", Where: `path == "/"`},
			{Name: "cart", Where: `path.startsWith("/cart")`},
			{Name: "paid", Where: `path == "/checkout" && method == "POST"`},
		},
	}}, weblog.Events, funnels.Options{})
	if err != nil {
		panic(err)
	}
	// In each block of records: events become fragments.
	events := table.NewBatch(weblog.Events)
	for i, e := range []struct{ visitor, method, path string }{
		{"tok_1", "GET", "/"}, {"tok_2", "GET", "/"}, {"tok_1", "GET", "/cart"}, {"tok_1", "GET", "/"}, {"tok_1", "POST", "/checkout"}, {"tok_2", "GET", "/cart/7"},
	} {
		at := table.Millis(1747476300000 + i*60_000)
		events.Append(weblog.Event{EventTime: at, VisitorID: e.visitor, Method: &e.method, Path: &e.path, Source: "log", Position: int64(i)})
	}
	collector := set.NewCollector(funnels.Columns{
		Visitor: weblog.EventVisitorID, Time: weblog.EventTime, Source: weblog.EventSource, Position: weblog.EventPosition, Late: weblog.EventLate,
	})
	collector.Add(events, 0)
	// In each visitor shard: fragments become rows.
	tally := set.NewTally()
	evaluator := set.NewEvaluator(nil)
	for _, part := range collector.Flush(64) {
		evaluator.Reset()
		if err := evaluator.Add(part.Blob); err != nil {
			panic(err)
		}
		for _, row := range funnels.BestOfDays(evaluator.Rows()) {
			tally.Add(&row)
		}
	}
	// Over all shards: rows become steps.
	for _, step := range tally.Rows(nil) {
		median, _ := step.Conversion.Median(step.Step)
		fmt.Println(step.Name, step.Conversion.Visitors[step.Step], median)
	}
	// Output:
	// home 2 0
	// cart 2 180000
	// paid 1 120000
}

func ExampleEvaluator_Advance() {
	set, err := funnels.Compile([]funnels.Definition{{
		Name: "signup", Within: time.Hour,
		Steps: []funnels.Step{{Name: "form", Where: `path == "/form"`}, {Name: "done", Where: `path == "/done"`}},
	}}, weblog.Events, funnels.Options{})
	if err != nil {
		panic(err)
	}
	const noon = 1747483200000
	minutes := func(t int64) int64 { return (t - noon) / 60_000 }
	var state []byte
	evaluator := set.NewEvaluator(nil)
	advance := func(path string, minute int64, watermark int64) {
		collector := set.NewCollector(funnels.Columns{
			Visitor: weblog.EventVisitorID, Time: weblog.EventTime, Source: weblog.EventSource, Position: weblog.EventPosition, Late: weblog.EventLate,
		})
		events := table.NewBatch(weblog.Events)
		events.Append(weblog.Event{EventTime: table.Millis(noon + minute*60_000), VisitorID: "tok_1", Path: &path})
		collector.Add(events, 0)
		var blobs [][]byte
		for _, part := range collector.Flush(1) {
			blobs = append(blobs, part.Blob)
		}
		update, err := evaluator.Advance(state, blobs, noon+watermark*60_000)
		if err != nil {
			panic(err)
		}
		state = update.State
		for _, r := range update.Provisional {
			fmt.Println("provisional", minutes(r.Start), "level", r.Level, "version", r.Version)
		}
		for _, r := range update.Withdrawn {
			fmt.Println("withdrawn", minutes(r.Start), "version", r.Version)
		}
		for _, r := range update.Sealed {
			fmt.Println("sealed", minutes(r.Start), "level", r.Level, "version", r.Version)
		}
	}
	advance("/form", 10, 0)
	advance("/done", 20, 0)
	advance("/form", 5, 5) // an earlier attempt is as deep
	advance("/other", 80, 72)
	// Output:
	// provisional 10 level 1 version 1
	// provisional 10 level 2 version 2
	// provisional 5 level 2 version 3
	// withdrawn 10 version 3
	// sealed 5 level 2 version 3
}

func ExampleWindowFunnel() {
	// Steps: 1 search, 2 cart, 4 paid, as bits; 0 is any other event. Times are minutes.
	hits := []funnels.Hit{{Time: 0, Steps: 1}, {Time: 5, Steps: 2}, {Time: 7}, {Time: 20, Steps: 4}}
	fmt.Println(funnels.WindowFunnel(hits, 3, 20, 0))                   // the last minute counts
	fmt.Println(funnels.WindowFunnel(hits, 3, 19, 0))                   // it is beyond the window
	fmt.Println(funnels.WindowFunnel(hits, 3, 20, funnels.StrictOrder)) // another event comes between
	// Output:
	// 3
	// 2
	// 2
}

func ExamplePattern() {
	// A search, and within ten minutes of it a cart, without another event between.
	p, err := funnels.ParsePattern("(?1)(?t<=10)(?2)", 3)
	if err != nil {
		panic(err)
	}
	hits := []funnels.Hit{{Time: 0, Steps: 1}, {Time: 4, Steps: 2}, {Time: 30, Steps: 1}, {Time: 31, Steps: 4}, {Time: 60, Steps: 1}, {Time: 70, Steps: 2}}
	found, err := p.Match(hits)
	if err != nil {
		panic(err)
	}
	count, err := p.Count(hits)
	if err != nil {
		panic(err)
	}
	first, err := p.Events(hits)
	if err != nil {
		panic(err)
	}
	fmt.Println(found, count, first)
	// Output: true 2 [0 4]
}

func ExampleRetention() {
	// Who came on the first day (1), and on the second (2) and third (4) as well?
	days := map[string][]uint64{"ann": {1, 1, 2}, "bob": {1, 4}, "eve": {2, 4}}
	retention := make(funnels.Retention, 3)
	for _, visits := range days {
		var union uint64
		for _, day := range visits {
			union |= day
		}
		retention.Add(union)
	}
	fmt.Println(retention)
	// Output: [2 1 1]
}
