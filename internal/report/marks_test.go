package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOpenAlertsAreCountedAtEachPointTheyTouch(t *testing.T) {
	traffic := &Traffic{Start: 6_000_000, StepSeconds: 300, Points: make([]Point, 5)}
	const step = 300_000
	at := func(point, ms int64) int64 { return traffic.Start + point*step + ms }
	o := openAlerts{}
	o.add(traffic, "critical", at(1, 1), at(1, 2))
	o.add(traffic, "critical", at(1, 0), at(3, 0))
	o.add(traffic, "critical", at(3, step-1), 0)     // open
	o.add(traffic, "warning", at(-7, 0), at(0, 0))   // from before
	o.add(traffic, "info", at(-7, 0), at(-1, 0))     // before the axis
	o.add(traffic, "info", at(5, 0), 0)              // after
	o.add(traffic, "unheard of", at(0, 0), at(1, 0)) // of another program
	want := openAlerts{"critical": {0, 2, 1, 2, 1}, "warning": {1, 0, 0, 0, 0}}
	if diff := cmp.Diff(want, o); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	o.add(&Traffic{}, "info", 0, 0) // a lake without traffic
}

func TestARangeIsShownWhereMostOfItIsKnown(t *testing.T) {
	d := &Data{Traffic: Traffic{StepSeconds: 300, Points: make([]Point, 4)}}
	if marks(d) != nil {
		t.Error("marks of nothing")
	}
	d.Anomalies.Expected = []Range{{}, {4, 8, 2}, {3, 9, 3}, {10, 25, 5}}
	m := marks(d)
	f := func(v float64) *float64 { return &v }
	if diff := cmp.Diff([]*float64{nil, nil, f(5), f(10)}, m.Low); diff != "" {
		t.Errorf("low (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]*float64{nil, nil, f(15), f(25)}, m.High); diff != "" {
		t.Errorf("high (-want +got):\n%s", diff)
	}
}
