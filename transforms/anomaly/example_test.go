package anomaly_test

import (
	"fmt"
	"time"

	"millrace/transforms/anomaly"
)

// Requests by the minute, of which most fail to come for a while on the third day.
func Example() {
	d := anomaly.New(anomaly.Options{})
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for i := range 3 * 24 * 60 {
		requests := 100 + float64(i*7919%13)
		if i >= 60*60 && i < 60*60+10 {
			requests = 20
		}
		at := start.Add(time.Duration(i) * time.Minute)
		r := d.Add(anomaly.Point{Time: at.UnixMilli(), Value: requests})
		if r.Status == anomaly.Judged && r.Score > 0.5 {
			fmt.Printf("%s: %.0f where %.0f to %.0f were to be expected, score %.2f\n", at.Format("2 Jan 15:04"), r.Value, r.Low, r.High, r.Score)
		}
	}
	// Output:
	// 3 Mar 12:00: 20 where 97 to 113 were to be expected, score 0.84
}

// A board scores all series that come from one input, by windows.
func ExampleBoard() {
	minute := time.Minute.Milliseconds()
	b := anomaly.NewBoard(minute, []anomaly.Kind{{Name: "views", Count: true}, {Name: "error_ratio"}})
	parts := []anomaly.Part{
		{Time: 0, Kind: 0, Key: "status=2xx", Value: 40, Opens: true},
		{Time: 0, Kind: 1, Value: 2, Of: 42, Opens: true},
		{Time: 2 * minute, Kind: 0, Key: "status=2xx", Value: 30},
		{Time: 3 * minute, Kind: 0, Key: "status=2xx", Value: 31},
	}
	scores, rest := b.Fold(parts, 3*minute) // which the last part is behind
	for _, s := range scores {
		fmt.Printf("%d %s %.3f empty: %t %s\n", s.Time/minute, s.Key, s.Value, s.Empty, s.Status)
	}
	fmt.Println(len(rest), "waits")
	// Output:
	// 0 status=2xx 40.000 empty: false learning
	// 0  0.048 empty: false learning
	// 1 status=2xx 0.000 empty: true learning
	// 2 status=2xx 30.000 empty: false learning
	// 1 waits
}
