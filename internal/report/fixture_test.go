package report

import "time"

func exampleRun() *Run {
	return &Run{
		Job: "weblogs", ID: "0198f3c2-5e1a-7cc3-9b0d-6f1f4d2a9e11", Version: "v0.1.0",
		Sources: []string{"file:///var/log/nginx/access.log*.gz"},
		Started: time.Date(2025, 8, 25, 6, 12, 40, 0, time.UTC), Seconds: 4.9, LinesPerSecond: 408_163,
	}
}

func exampleLedger(d Data) *Ledger {
	l := &Ledger{Events: d.Events, Bad: d.BadRows.Total, Late: d.Late.Rows, Duplicate: 318, Skipped: 4, Balanced: true}
	l.In = l.Events + l.Bad + l.Duplicate + l.Skipped
	return l
}
