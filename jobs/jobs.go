// Package jobs is the catalogue of jobs.
package jobs

import (
	"context"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/jobs/weblogs"
	"millrace/schemas/alert"
	"millrace/schemas/anomaly"
	"millrace/schemas/attack"
	"millrace/schemas/badrow"
	"millrace/schemas/funnel"
	"millrace/schemas/late"
	"millrace/schemas/raw"
	"millrace/schemas/refused"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms"
	"millrace/transforms/alerts"
	"millrace/transforms/decode"
	"millrace/transforms/funnels"
)

// Job is one entry of the catalogue.
type Job struct {
	Name string
	Doc  string
	// Outputs are named collections of rows; each can go to a sink of its own.
	Outputs []Output
	// NewSettings returns the job's settings, a pointer to a struct that holds
	// the defaults; Validate checks them.
	NewSettings func() any
	Validate    func(settings any) error
	// Formats are the formats the job reads.
	Formats []Format
	// ReadFormat reads a format as a person writes it and gives it in full: what it
	// returns needs no file any more. read gives the content of a file.
	ReadFormat func(text string, read func(file string) ([]byte, error)) (format string, err error)
	// Inspect tells what an input is by its first bytes, given the format that
	// ReadFormat gave, or "" when nobody named one.
	Inspect func(head []byte, given string) (Inspected, error)
	// EventTime makes the function that reads the event time of a record of a format,
	// in Unix milliseconds, if it has one: as the decoder does. One goroutine uses it.
	EventTime func(format string) func(record []byte) (ms int64, ok bool)
	// Fingerprint names the reference data the settings select, so that rows
	// made with other data count as another run.
	Fingerprint func(ctx context.Context, settings any, live bool) (string, error)
	// Shards is how many files of a day are written side by side.
	Shards func(settings any) int
	// Funnels is where the settings hold funnels, nil for a job without.
	Funnels func(settings any) *[]funnels.Definition
	// FunnelsExample is a YAML file of funnels.
	FunnelsExample string
	// Alerts is where the settings hold rules of alerts, nil for a job without.
	Alerts func(settings any) *[]alerts.Rule
	// AlertsExample is a YAML file of such rules.
	AlertsExample string
	// BuiltInAlerts is a YAML file of rules that the settings ask for by themselves,
	// and its name; empty for none. Rules of the user replace those of the same name.
	BuiltInAlerts func(settings any) (name string, content []byte)
	// Lacks says what an output needs that the settings do not give, and the cure, ""
	// for nothing. Nil for a job that makes all of its outputs.
	Lacks func(settings any, output string) string
	// Build is the job's diagram.
	Build func(s beam.Scope, settings any, c transforms.Common, records beam.PCollection) transforms.Outputs
}

// Format is one that a job reads.
type Format struct{ Name, Doc string }

// Inspected is what the beginning of an input tells of it.
type Inspected struct {
	Format string // in full; "" when unknown
	Near   int64  // event time of its first readable record in Unix milliseconds; 0 when there is none
	Note   string // what a person should know; mostly empty
}

// Output describes one output of a job.
type Output struct {
	Name   string
	Schema *table.Schema
	Doc    string
	// PerRecord outputs have a row for a record. Live, their rows become files
	// when their records have come, those of the others when they are sealed.
	PerRecord bool
}

// Catalogue lists every job.
var Catalogue = []Job{
	{
		Name: "weblogs",
		Doc:  "access logs of web servers, load balancers, CDNs and APIs (millrace jobs show weblogs lists the formats) to masked events, sessions, traffic, top pages, visitors and bots",
		Outputs: []Output{
			{"events", weblog.Events, "every request, masked", true},
			{"sessions", weblog.Sessions, "visits of a visitor", false},
			{"traffic", weblog.TrafficRows, "requests and bytes by status class, per second and per minute", false},
			{"top_pages", weblog.TopPages, "most requested paths of each hour", false},
			{"visitors", weblog.Visitors, "distinct visitors of each day, with and without bots", false},
			{"bots", weblog.Bots, "requests and visitors of each known bot and day", false},
			{"clients", weblog.Clients, "requests and visitors of each day by country, network, browser, system, device and what made it a bot", false},
			{"sources", attack.Sources, "what single clients did, by the minute, that can be part of an attack; none without the setting security", false},
			{"funnels", funnel.Attempts, "best attempts of visitors at the funnels of the YAML key funnels; none without it", false},
			{"funnel_steps", funnel.Steps, "visitors of each funnel, day and step, and how long it took them", false},
			{"anomalies", anomaly.Rows, "scores of series of traffic, visitors and pages; none without the setting anomalies", false},
			{"alerts", alert.Rows, "broken rules, those of the YAML key alerts and of the setting security, once they are resolved; to sinks also as they begin to fire; none without rules", false},
			{"bad_rows", badrow.Rows, "lines that could not become events, by reason; never their text", true},
			{"late", late.Rows, "events that came after their windows were sealed; none when reading files", true},
			{"refused", refused.Rows, "rows that a sink of --output will not take, with the reason; millrace replay sends them again", false},
			{"raw", raw.Rows, "every line as it came, encrypted unless --raw plain", true},
		},
		NewSettings:    func() any { s := weblogs.Defaults(); return &s },
		Validate:       func(s any) error { return s.(*weblogs.Settings).Validate() },
		Formats:        weblogFormats,
		ReadFormat:     readFormat,
		Inspect:        inspect,
		EventTime:      decode.EventTimeOf,
		Shards:         func(s any) int { return s.(*weblogs.Settings).Shards },
		Funnels:        func(s any) *[]funnels.Definition { return &s.(*weblogs.Settings).Funnels },
		FunnelsExample: weblogs.FunnelsExample,
		Alerts:         func(s any) *[]alerts.Rule { return &s.(*weblogs.Settings).Alerts },
		AlertsExample:  weblogs.AlertsExample,
		BuiltInAlerts:  func(s any) (string, []byte) { return s.(*weblogs.Settings).BuiltInAlerts() },
		Lacks:          func(s any, output string) string { return s.(*weblogs.Settings).Lacks(output) },
		Fingerprint: func(ctx context.Context, s any, live bool) (string, error) {
			return s.(*weblogs.Settings).Fingerprint(ctx, live)
		},
		Build: func(s beam.Scope, settings any, c transforms.Common, records beam.PCollection) transforms.Outputs {
			return weblogs.Build(s, *settings.(*weblogs.Settings), c, records)
		},
	},
}

// Find returns a job by name.
func Find(name string) (Job, bool) {
	for _, j := range Catalogue {
		if j.Name == name {
			return j, true
		}
	}
	return Job{}, false
}

// Names lists the jobs.
func Names() []string {
	var names []string
	for _, j := range Catalogue {
		names = append(names, j.Name)
	}
	return names
}

// OutputNames lists the outputs of a job.
func (j Job) OutputNames() []string {
	var names []string
	for _, o := range j.Outputs {
		names = append(names, o.Name)
	}
	return names
}
