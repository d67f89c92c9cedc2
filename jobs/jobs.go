// Package jobs is the catalogue of jobs.
package jobs

import (
	"context"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/jobs/weblogs"
	"millrace/schemas/badrow"
	"millrace/schemas/funnel"
	"millrace/schemas/late"
	"millrace/schemas/raw"
	"millrace/schemas/refused"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms"
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
	// Detect tells the format of an input, "" when unknown, and the event time of
	// its first readable record, 0 when there is none, by its first bytes.
	Detect func(head []byte) (format string, near int64)
	// EventTime reads the event time of a record, in Unix milliseconds, if it has
	// one: as the decoder does.
	EventTime func(record []byte) (ms int64, ok bool)
	// Formats are the formats the job reads.
	Formats []string
	// Fingerprint names the reference data the settings select, so that rows
	// made with other data count as another run.
	Fingerprint func(ctx context.Context, settings any, live bool) (string, error)
	// Shards is how many files of a day are written side by side.
	Shards func(settings any) int
	// Funnels is where the settings hold funnels, nil for a job without.
	Funnels func(settings any) *[]funnels.Definition
	// FunnelsExample is a YAML file of funnels.
	FunnelsExample string
	// Build is the job's diagram.
	Build func(s beam.Scope, settings any, c transforms.Common, records beam.PCollection) transforms.Outputs
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
		Doc:  "web-server access logs (Apache common, combined, vhost_combined) to masked events, sessions, traffic, top pages, visitors and bots",
		Outputs: []Output{
			{"events", weblog.Events, "every request, masked", true},
			{"sessions", weblog.Sessions, "visits of a visitor", false},
			{"traffic", weblog.TrafficRows, "requests and bytes by status class, per second and per minute", false},
			{"top_pages", weblog.TopPages, "most requested paths of each hour", false},
			{"visitors", weblog.Visitors, "distinct visitors of each day, with and without bots", false},
			{"bots", weblog.Bots, "requests and visitors of each known bot and day", false},
			{"clients", weblog.Clients, "requests and visitors of each day by country, network, browser, system, device and what made it a bot", false},
			{"funnels", funnel.Attempts, "best attempts of visitors at the funnels of the YAML key funnels; none without it", false},
			{"funnel_steps", funnel.Steps, "visitors of each funnel, day and step, and how long it took them", false},
			{"bad_rows", badrow.Rows, "lines that could not become events, by reason; never their text", true},
			{"late", late.Rows, "events that came after their windows were sealed; none when reading files", true},
			{"refused", refused.Rows, "rows that a sink of --output will not take, with the reason; millrace replay sends them again", false},
			{"raw", raw.Rows, "every line as it came, encrypted unless --raw plain", true},
		},
		NewSettings:    func() any { s := weblogs.Defaults(); return &s },
		Validate:       func(s any) error { return s.(*weblogs.Settings).Validate() },
		Detect:         func(head []byte) (string, int64) { return formatName(decode.Detect(head)), firstTime(head) },
		EventTime:      decode.EventTime,
		Formats:        []string{decode.Common.String(), decode.Combined.String(), decode.VhostCombined.String()},
		Shards:         func(s any) int { return s.(*weblogs.Settings).Shards },
		Funnels:        func(s any) *[]funnels.Definition { return &s.(*weblogs.Settings).Funnels },
		FunnelsExample: weblogs.FunnelsExample,
		Fingerprint:    func(ctx context.Context, s any, live bool) (string, error) { return s.(*weblogs.Settings).Fingerprint(ctx, live) },
		Build: func(s beam.Scope, settings any, c transforms.Common, records beam.PCollection) transforms.Outputs {
			return weblogs.Build(s, *settings.(*weblogs.Settings), c, records)
		},
	},
}

// firstTime is the time of the first line that has one.
func firstTime(head []byte) int64 {
	lines := decode.NewLines(head, 0)
	for line, _, ok := lines.Next(); ok; line, _, ok = lines.Next() {
		if ms, ok := decode.EventTime(line); ok {
			return ms
		}
	}
	return 0
}

func formatName(f decode.Format) string {
	if f == decode.Unknown {
		return ""
	}
	return f.String()
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
