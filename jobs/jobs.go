// Package jobs is the catalogue of jobs.
package jobs

import (
	"context"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/jobs/authlogs"
	clicks "millrace/jobs/clickstream"
	"millrace/jobs/devices"
	"millrace/jobs/weblogs"
	"millrace/schemas/alert"
	"millrace/schemas/anomaly"
	"millrace/schemas/attack"
	"millrace/schemas/authlog"
	"millrace/schemas/badrow"
	"millrace/schemas/clickstream"
	"millrace/schemas/device"
	"millrace/schemas/funnel"
	"millrace/schemas/late"
	"millrace/schemas/raw"
	"millrace/schemas/refused"
	"millrace/schemas/table"
	"millrace/schemas/vault"
	"millrace/schemas/weblog"
	"millrace/transforms"
	"millrace/transforms/accesslog"
	"millrace/transforms/alerts"
	"millrace/transforms/clickevents"
	"millrace/transforms/decode"
	devicerows "millrace/transforms/device"
	"millrace/transforms/funnels"
	"millrace/transforms/mask"
	"millrace/transforms/security"
)

// Job is one entry of the catalogue.
type Job struct {
	Name string
	Doc  string
	// Outputs are named collections of rows; each can go to a sink of its own. The
	// first one has a row for each event that the ledger counts.
	Outputs []Output
	// NewSettings returns the job's settings, a pointer to a struct that holds
	// the defaults; Validate checks them.
	NewSettings func() any
	Validate    func(settings any) error
	// Fields are the columns that a masking policy can set.
	Fields mask.Fields
	// Formats are the formats the job reads.
	Formats []Format
	// ReadFormat reads a format as a person writes it and gives it in full: what it
	// returns needs no file any more. read gives the content of a file.
	ReadFormat func(text string, read func(file string) ([]byte, error)) (format string, err error)
	// Inspect tells what an input is by its first bytes, given the format that
	// ReadFormat gave, or "" when nobody named one.
	Inspect func(head []byte, given string) (Inspected, error)
	// EventTime makes the function that reads the event time of a record of a format,
	// which arrived at a time (0: nobody knows), both in Unix milliseconds, if it has
	// one: as the decoder does. One goroutine uses it.
	EventTime func(format string) func(record []byte, arrival int64) (ms int64, ok bool)
	// Fingerprint names the reference data the settings select, so that rows
	// made with other data count as another run.
	Fingerprint func(ctx context.Context, settings any, live bool) (string, error)
	// Shards is how many files of a day are written side by side.
	Shards func(settings any) int
	// Funnels is where the settings hold funnels, nil for a job without.
	Funnels func(settings any) *[]funnels.Definition
	// Example is a source, as an example.
	Example string
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
			{"alerts", alert.Rows, "broken rules, those of the YAML key alerts and of the setting security: a row when they begin to fire and one when they are resolved; none without rules", false},
			{"bad_rows", badrow.Rows, "lines that could not become events, by reason; never their text", true},
			{"late", late.Rows, "events that came after their windows were sealed; none when reading files", true},
			{"refused", refused.Rows, "rows that a sink of --output will not take, with the reason; millrace replay sends them again", false},
			{"raw", raw.Rows, "every line as it came, encrypted unless --raw plain", true},
			{"vault", vault.Rows, "what reversible tokens of a masking policy stand for, sealed; none without", true},
		},
		NewSettings:    func() any { s := weblogs.Defaults(); return &s },
		Validate:       func(s any) error { return s.(*weblogs.Settings).Validate() },
		Fields:         accesslog.Fields(),
		Formats:        weblogFormats,
		ReadFormat:     readFormat,
		Inspect:        inspect,
		EventTime:      func(format string) eventTime { return whenever(decode.EventTimeOf(format)) },
		Shards:         func(s any) int { return s.(*weblogs.Settings).Shards },
		Funnels:        func(s any) *[]funnels.Definition { return &s.(*weblogs.Settings).Funnels },
		FunnelsExample: weblogs.FunnelsExample,
		Alerts:         func(s any) *[]alerts.Rule { return &s.(*weblogs.Settings).Alerts },
		AlertsExample:  weblogs.AlertsExample,
		BuiltInAlerts:  func(s any) (string, []byte) { return s.(*weblogs.Settings).BuiltInAlerts() },
		Lacks:          func(s any, output string) string { return s.(*weblogs.Settings).Lacks(output) },
		Example:        "file:///var/log/apache2/access*.log*",
		Fingerprint: func(ctx context.Context, s any, live bool) (string, error) {
			return s.(*weblogs.Settings).Fingerprint(ctx, live)
		},
		Build: func(s beam.Scope, settings any, c transforms.Common, records beam.PCollection) transforms.Outputs {
			return weblogs.Build(s, *settings.(*weblogs.Settings), c, records)
		},
	},
	{
		Name: "clickstream",
		Doc:  "events of a shop (JSON lines, named as in Google Analytics 4) to masked events, sessions, funnels, products, revenue, visitors, abandoned carts, recommendations, anomalies and alerts",
		Outputs: []Output{
			{"events", clickstream.Events, "every event that is no duplicate, masked, with what consent covers", true},
			{"sessions", weblog.Sessions, "visits of a visitor; page views are those of pages and screens, requests are events", false},
			{"funnels", funnel.Attempts, "best attempts of visitors at the funnels of the YAML key funnels; none without it", false},
			{"funnel_steps", funnel.Steps, "visitors of each funnel, day and step, and how long it took them", false},
			{"products", clickstream.Products, "views, carts, purchases and revenue of each item and hour, ranked", false},
			{"revenue", clickstream.RevenueRows, "purchases and refunds by minute and by day, currency and channel", false},
			{"visitors", clickstream.Visitors, "distinct visitors of each day, and those of them that are known users", false},
			{"identities", clickstream.Identities, "which known user a visitor is, by day, and from when on", false},
			{"abandoned_carts", clickstream.Carts, "carts that their visitor left", false},
			{"recommendations", clickstream.Recommendations, "for each day and item what goes with it, and the popular items; made by batch runs", false},
			{"anomalies", anomaly.Rows, "scores of series of purchases, refunds and revenue; none without the setting anomalies", false},
			{"alerts", alert.Rows, "broken rules of the YAML key alerts: a row when they begin to fire and one when they are resolved; none without rules", false},
			{"bad_rows", badrow.Rows, "lines that could not become events, by reason; never their text", true},
			{"late", late.Rows, "events that came after their windows were sealed; none when reading files", true},
			{"refused", refused.Rows, "rows that a sink of --output will not take, with the reason; millrace replay sends them again", false},
			{"raw", raw.Rows, "every line as it came, encrypted unless --raw plain", true},
			{"vault", vault.Rows, "what reversible tokens of a masking policy stand for, sealed; none without", true},
		},
		NewSettings:    func() any { s := clicks.Defaults(); return &s },
		Validate:       func(s any) error { return s.(*clicks.Settings).Validate() },
		Fields:         clickevents.Fields(),
		Formats:        clickFormats,
		ReadFormat:     readClickFormat,
		Inspect:        inspectClicks,
		EventTime:      func(string) eventTime { return whenever(clickevents.EventTime) },
		Shards:         func(s any) int { return s.(*clicks.Settings).Shards },
		Funnels:        func(s any) *[]funnels.Definition { return &s.(*clicks.Settings).Funnels },
		FunnelsExample: clicks.FunnelsExample,
		Alerts:         func(s any) *[]alerts.Rule { return &s.(*clicks.Settings).Alerts },
		AlertsExample:  clicks.AlertsExample,
		Example:        "file:///var/spool/shop/events-*.ndjson.gz",
		Lacks:          func(s any, output string) string { return s.(*clicks.Settings).Lacks(output) },
		Fingerprint:    func(_ context.Context, s any, _ bool) (string, error) { return s.(*clicks.Settings).Fingerprint() },
		Build: func(s beam.Scope, settings any, c transforms.Common, records beam.PCollection) transforms.Outputs {
			return clicks.Build(s, *settings.(*clicks.Settings), c, records)
		},
	},
	{
		Name: "devices",
		Doc:  "readings of sensors, medical devices and machines (JSON lines, CSV, FHIR Observations) to masked readings in standard codes and units, flags, minutes, health of devices, early warning scores, anomalies and alerts",
		Outputs: []Output{
			{"readings", device.Readings, "every reading, masked, in the code and unit of the table of codes", true},
			{"flags", device.Flags, "what is odd about readings: range, stuck, spike, duplicate, gap, reset", false},
			{"rollups", device.Rollups, "count, extremes, mean, last value and quantiles of each series and minute; of counters their rates", false},
			{"health", device.Healths, "how each device did in each hour", false},
			{"grid", device.Grids, "series at regular times; none without the setting grid.step", false},
			{"news2", device.Scores, "early warning scores of patients (NEWS2), by the minute in which something was measured", false},
			{"anomalies", anomaly.Rows, "scores of the minutes of each series; none without the setting anomalies", false},
			{"alerts", alert.Rows, "broken rules of the YAML key alerts: a row when they begin to fire and one when they are resolved; none without rules", false},
			{"bad_rows", badrow.Rows, "records that could not become readings, by reason; never their text, but for the code or unit that is not known", true},
			{"late", late.Rows, "readings that came after their windows were sealed; none when reading files", true},
			{"refused", refused.Rows, "rows that a sink of --output will not take, with the reason; millrace replay sends them again", false},
			{"raw", raw.Rows, "every record as it came, encrypted unless --raw plain", true},
			{"vault", vault.Rows, "what reversible tokens of a masking policy stand for, sealed; none without", true},
		},
		NewSettings:   func() any { s := devices.Defaults(); return &s },
		Validate:      func(s any) error { return s.(*devices.Settings).Validate() },
		Fields:        devicerows.Fields(),
		Formats:       deviceFormats,
		ReadFormat:    readDeviceFormat,
		Inspect:       inspectDevices,
		EventTime:     func(format string) eventTime { return whenever(deviceEventTime(format)) },
		Shards:        func(s any) int { return s.(*devices.Settings).Shards },
		Alerts:        func(s any) *[]alerts.Rule { return &s.(*devices.Settings).Alerts },
		AlertsExample: devices.AlertsExample,
		Example:       "file:///var/spool/devices/readings-*.ndjson.gz",
		Lacks:         func(s any, output string) string { return s.(*devices.Settings).Lacks(output) },
		Fingerprint:   func(_ context.Context, s any, _ bool) (string, error) { return s.(*devices.Settings).Fingerprint() },
		Build: func(s beam.Scope, settings any, c transforms.Common, records beam.PCollection) transforms.Outputs {
			return devices.Build(s, *settings.(*devices.Settings), c, records)
		},
	},
	{
		Name: "authlogs",
		Doc:  "logs of authentication (syslog of sshd and others: auth.log, secure) to masked events, what sources did that can be part of an attack, and alerts of brute force",
		Outputs: []Output{
			{"events", authlog.Events, "every line, masked; never its message", true},
			{"sources", attack.Sources, "failed and successful logins of single clients, by the minute", false},
			{"alerts", alert.Rows, "broken rules, the built-in ones and those of the YAML key alerts: a row when they begin to fire and one when they are resolved", false},
			{"bad_rows", badrow.Rows, "lines that could not become events, by reason; never their text", true},
			{"late", late.Rows, "events that came after their windows were sealed; none when reading files", true},
			{"refused", refused.Rows, "rows that a sink of --output will not take, with the reason; millrace replay sends them again", false},
			{"raw", raw.Rows, "every line as it came, encrypted unless --raw plain", true},
		},
		NewSettings:   func() any { s := authlogs.Defaults(); return &s },
		Validate:      func(s any) error { return s.(*authlogs.Settings).Validate() },
		Formats:       authFormats,
		ReadFormat:    readAuthFormat,
		Inspect:       inspectAuth,
		EventTime:     authEventTime,
		Shards:        func(s any) int { return s.(*authlogs.Settings).Shards },
		Alerts:        func(s any) *[]alerts.Rule { return &s.(*authlogs.Settings).Alerts },
		AlertsExample: authlogs.AlertsExample,
		BuiltInAlerts: func(any) (string, []byte) { return "security/logins.yaml", security.LoginRules },
		Example:       "file:///var/log/auth.log*",
		Fingerprint:   func(context.Context, any, bool) (string, error) { return "", nil },
		Build: func(s beam.Scope, settings any, c transforms.Common, records beam.PCollection) transforms.Outputs {
			return authlogs.Build(s, *settings.(*authlogs.Settings), c, records)
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

// EventsOutput is the output with a row for each event of the ledger.
func (j Job) EventsOutput() string { return j.Outputs[0].Name }

// OutputNames lists the outputs of a job.
func (j Job) OutputNames() []string {
	var names []string
	for _, o := range j.Outputs {
		names = append(names, o.Name)
	}
	return names
}
