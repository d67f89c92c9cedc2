package report

import (
	"math"
	"strings"
)

// chartMarks are what is marked on the traffic chart. Lists have a value for each point
// of the time axis.
type chartMarks struct {
	Alerts    map[string][]int64 `json:"alerts,omitempty"` // how many are open, by severity
	Listed    []alertMark        `json:"listed,omitempty"`
	Anomalies []anomalyMark      `json:"anomalies,omitempty"`
	Low       []*float64         `json:"low,omitempty"` // requests that were expected; null where they are not known
	High      []*float64         `json:"high,omitempty"`
}

type alertMark struct {
	From     int64  `json:"from"`
	To       int64  `json:"to"` // 0 while it is open
	Severity string `json:"severity"`
	Text     string `json:"text"`
}

type anomalyMark struct {
	At    int64   `json:"at"`
	Score float64 `json:"score"`
	Text  string  `json:"text"`
	On    string  `json:"on,omitempty"` // which plot shows its values: all or 5xx
}

// openAlerts counts alerts by severity at the points of a time axis.
type openAlerts map[string][]int64

// add counts an alert from one time to another, 0 for the end of the axis.
func (o openAlerts) add(t *Traffic, severity string, from, to int64) {
	if rank(severity) == len(severities) || len(t.Points) == 0 {
		return
	}
	first, last := floorDiv(from-t.Start, t.StepSeconds*1000), int64(len(t.Points)-1)
	if to != 0 {
		last = min(last, floorDiv(to-t.Start, t.StepSeconds*1000))
	}
	if first > last || last < 0 {
		return
	}
	if o[severity] == nil {
		o[severity] = make([]int64, len(t.Points))
	}
	for i := max(first, 0); i <= last; i++ {
		o[severity][i]++
	}
}

// marks are nil for a lake with neither alerts nor scores.
func marks(d *Data) *chartMarks {
	m := &chartMarks{Alerts: d.Alerts.Points}
	for _, a := range d.Alerts.Rows {
		mark := alertMark{From: a.Since, Severity: a.Severity, Text: strings.TrimSpace(a.Rule + " " + shortKey(a.Key))}
		if !a.IsOpen() {
			mark.To = a.Changed
		}
		m.Listed = append(m.Listed, mark)
	}
	for _, a := range d.Anomalies.Rows {
		text := a.Name() + " " + amount(a.Value)
		if a.Known {
			text += ", expected " + a.Expected()
		}
		m.Anomalies = append(m.Anomalies, anomalyMark{a.Start, math.Round(a.Score*100) / 100, text, a.plot()})
	}
	minutes := d.Traffic.StepSeconds / 60
	for _, r := range d.Anomalies.Expected {
		var low, high *float64
		if 2*r.Known >= minutes { // of most minutes; the others are like them
			share := float64(minutes) / float64(r.Known)
			l, h := math.Round(r.Low*share), math.Round(r.High*share)
			low, high = &l, &h
		}
		m.Low, m.High = append(m.Low, low), append(m.High, high)
	}
	if m.Alerts == nil && m.Anomalies == nil && m.Low == nil {
		return nil
	}
	return m
}
