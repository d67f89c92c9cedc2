package alerts_test

import (
	"fmt"
	"time"

	"millrace/schemas/table"
	"millrace/transforms/alerts"
)

func clock(at table.Millis) string { return time.UnixMilli(int64(at)).UTC().Format("15:04") }

func Example() {
	limit, over := 20.0, 5.0
	rule := alerts.Rule{Name: "errors", Input: "traffic", Field: "views", Aggregate: alerts.Sum, Above: &limit, ClearAbove: &over}.WithDefaults()
	if err := rule.Validate(); err != nil {
		panic(err)
	}
	w := alerts.NewWatch(&rule, "", nil)
	ten := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC).UnixMilli()
	at := func(minute int64) int64 { return ten + minute*time.Minute.Milliseconds() }

	// Errors of five minutes, in any order. A value of 12 is not above 20, but an alert
	// that fires is only over at 5.
	for minute, errors := range map[int64]float64{0: 2, 1: 31, 2: 45, 3: 12, 4: 3} {
		w.Add(alerts.Reading{Time: at(minute), Value: errors})
	}
	// Windows are judged when the watermark has passed them.
	for _, minute := range []int64{2, 5} {
		for _, row := range w.Seal(at(minute)) {
			fmt.Println(clock(row.ChangedAt), row.State, row.Condition, *row.Peak)
		}
	}
	// Output:
	// 10:01 firing sum of views above 20 31
	// 10:04 resolved sum of views above 20 45
}

func ExampleWatch_Seal_absence() {
	rule := alerts.Rule{Name: "silence", Input: "traffic", AbsentFor: (15 * time.Minute).Milliseconds()}.WithDefaults()
	w := alerts.NewWatch(&rule, "", nil)
	ten := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	w.Add(alerts.Reading{Time: ten.UnixMilli()})
	for _, row := range w.Seal(ten.Add(20 * time.Minute).UnixMilli()) {
		fmt.Println(clock(row.ChangedAt), row.State, row.Reason, "final:", alerts.Final(&row))
	}
	w.Add(alerts.Reading{Time: ten.Add(30 * time.Minute).UnixMilli()})
	for _, row := range w.Seal(ten.Add(31 * time.Minute).UnixMilli()) {
		fmt.Println(clock(row.ChangedAt), row.State, row.Reason, "final:", alerts.Final(&row))
	}
	// Output:
	// 10:16 firing absence final: false
	// 10:30 resolved data final: true
}
