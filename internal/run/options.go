// Package run carries a job out: it plans, checks, runs the pipeline, and
// commits what it wrote. It is what the command line calls.
package run

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"millrace/internal/maskpolicy"
	"millrace/internal/nearest"
	"millrace/internal/settings"
	"millrace/io/endpoint"
	"millrace/io/lakeio"
	"millrace/io/refusal"
	"millrace/jobs"
	"millrace/schemas/vault"
	"millrace/transforms/alerts"
	"millrace/transforms/funnels"
)

// Options are what a user asks for, from flags and a YAML file.
type Options struct {
	Job     string
	Source  string
	Format  string `json:",omitempty"` // of the lines, see jobs.Job.ReadFormat; else detected
	Lake    string
	Outputs Outputs // sinks where outputs go besides the lake
	Only    string  `json:",omitempty"` // outputs to make, separated by commas; all when empty
	Runner  string  // "prism", "direct" or "flink"
	MaskKey string  // reference; the user's own key when empty
	Raw     string  // "off", "plain" or "sealed"
	From    string  // first UTC day, 2006-01-02
	To      string  // last UTC day
	Staging string  // where unfinished files lie: a folder or s3:// URL
	Values  []settings.Value
	// Funnels are the visitors' ways that a job is to follow, see package funnels.
	Funnels []funnels.Definition `json:",omitempty"`
	// Alerts are rules of what is to be watched, see package alerts.
	Alerts []alerts.Rule `json:",omitempty"`
	// AlertsFile is where they were read from, for those who run it again.
	AlertsFile string `json:",omitempty"`
	// MaskPolicy says how single fields are masked, where not in the job's own way.
	MaskPolicy *maskpolicy.File `json:",omitempty"`
	// VaultKey is the key of the vault by reference, for a policy with reversible tokens.
	VaultKey string `json:",omitempty"`
	// NoReport leaves LAKE/report.html as it is.
	NoReport bool
	Live     LiveOptions
	Flink    FlinkOptions

	where map[string]string // option -> line of the YAML file that gave it
}

// UsageError is a mistake in what was asked for: nothing was read or written.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

func usage(format string, a ...any) error { return &UsageError{fmt.Errorf(format, a...)} }

// UnbalancedError says that the ledger of a run does not balance: a record was
// lost or counted twice. Nothing was committed.
type UnbalancedError struct{ Text string }

func (e *UnbalancedError) Error() string { return "the ledger does not balance: " + e.Text }

// request is Options, checked.
type request struct {
	Options
	job      jobs.Job
	settings any
	from, to int64 // days; 0 is open
	live     live
	only     []string // of Only, with those that every run makes; nil for all
	format   string   // in full, of Format or of the source's parameter; "" for none
}

// check validates options, all faults at once.
func check(o Options) (request, error) {
	r := request{Options: o}
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	known := false
	if o.Job == "" {
		fault("JOB is missing: name one of %s, for example millrace run %s ...", strings.Join(jobs.Names(), ", "), jobs.Names()[0])
	} else if r.job, known = jobs.Find(o.Job); !known {
		fault("%sunknown job %s%s", o.inFile("job"), o.Job, settings.Suggest(o.Job, jobs.Names()))
	}
	if o.Source == "" {
		fault("--source is missing: name what to read, for example --source 'file:///var/log/apache2/access*.log*'")
	}
	if o.Lake == "" {
		fault("--lake is missing: name the folder or s3:// URL to write to, for example --lake out")
	}
	if _, local := lakeio.LocalDir(o.Lake); !local && o.MaskKey == "" && strings.Contains(o.Lake, "://") {
		fault("--mask-key is missing: a lake that is not on this machine needs a key that others can reach too; give file:///path or env://NAME")
	}
	if r.Runner == "" {
		r.Runner = "prism"
	}
	if !slices.Contains([]string{"prism", "direct", "flink"}, r.Runner) {
		fault("%s %s: unknown runner; there are prism, its alias direct, and flink", o.at("runner"), r.Runner)
	}
	if r.Runner == "flink" && o.MaskKey == "" {
		fault("--mask-key is missing: workers on other machines need a key that they can reach; give file:///path or env://NAME")
	}
	faults = append(faults, o.Flink.check(o)...)
	if r.Raw == "" {
		r.Raw = "off"
	}
	if !slices.Contains([]string{"off", "plain", "sealed"}, r.Raw) {
		fault("%s %s: must be off, plain or sealed", o.at("raw"), r.Raw)
	}
	var err error
	if r.from, err = day(o.From); err != nil {
		fault("%s %s: %w", o.at("from"), o.From, err)
	}
	if r.to, err = day(o.To); err != nil {
		fault("%s %s: %w", o.at("to"), o.To, err)
	}
	if o.To != "" && err == nil && r.to <= 0 {
		fault("%s %s: must lie after 1970-01-01, under which records without a time are filed", o.at("to"), o.To)
	}
	if r.from != 0 && r.to != 0 && r.from > r.to {
		fault("%s %s lies after %s %s: exchange them", o.at("from"), o.From, o.at("to"), o.To)
	}
	if known {
		faults = append(faults, r.checkFormat()...)
		faults = append(faults, r.checkPolicy()...)
		faults = append(faults, r.checkJob()...)
		faults = append(faults, r.checkLive()...)
	}
	if len(faults) > 0 {
		return r, &UsageError{errors.Join(faults...)}
	}
	if r.Runner == "flink" {
		// Workers have working directories of their own.
		r.Source, r.Lake, r.live.archive = absolute(r.Source), absolute(r.Lake), absolute(r.live.archive)
	}
	return r, nil
}

// checkJob checks what depends on the job: settings and outputs.
func (r *request) checkJob() (faults []error) {
	r.settings = r.job.NewSettings()
	if endpoint.IsStream(r.Source) {
		r.Values = absoluteFiles(r.Values, r.settings)
	}
	faults = append(faults, r.checkOnly()...)
	set := errors.Join(settings.Apply(r.settings, r.Values), r.setFunnels(), r.setAlerts())
	if set == nil {
		faults = append(faults, r.checkOnlyIsMade()...)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Outputs)) {
		if !slices.Contains(r.job.OutputNames(), name) {
			faults = append(faults, fmt.Errorf("%s: job %s has no output %s%s", r.at("output"), r.job.Name, name, settings.Suggest(name, r.job.OutputNames())))
			continue
		}
		if name == refusal.Output {
			faults = append(faults, fmt.Errorf("%s: what sinks refuse stays in the lake, as LAKE/%s; millrace replay sends it again", r.at("output"), name))
			continue
		}
		if name == vault.Rows.Name {
			faults = append(faults, fmt.Errorf("%s: the vault stays in the lake, as LAKE/%s, where a role of its own can read it", r.at("output"), name))
			continue
		}
		if r.leavesOut(name) {
			faults = append(faults, fmt.Errorf("%s: %s %s leaves output %s out: add it there", r.at("output"), r.at("only"), r.Only, name))
			continue
		}
		if lacks := r.lacks(name); lacks != "" && set == nil {
			faults = append(faults, fmt.Errorf("%s: there are no %s, and so no output %s", r.at("output"), lacks, name))
			continue
		}
		faults = append(faults, r.checkSinks(name)...)
	}
	if set != nil {
		return append(faults, set)
	}
	if err := r.job.Validate(r.settings); err != nil {
		faults = append(faults, err)
	}
	return faults
}

// checkSinks checks the URLs of an output.
func (r *request) checkSinks(name string) (faults []error) {
	i := slices.IndexFunc(r.job.Outputs, func(o jobs.Output) bool { return o.Name == name })
	for _, url := range r.Outputs[name] {
		if !endpoint.IsSink(url) {
			faults = append(faults, fmt.Errorf("%s %s=%s: outputs can go to %s:// URLs%s; in the lake it is anyway, as LAKE/%s", r.at("output"), name, url, strings.Join(endpoint.Sinks(), ":// and "), meant(url), name))
			continue
		}
		if err := endpoint.ValidateSink(url, r.job.Outputs[i].Schema); err != nil {
			faults = append(faults, fmt.Errorf("%s %s=%s: %w", r.at("output"), name, url, err))
		}
	}
	if twice := duplicate(r.Outputs[name]); twice != "" {
		faults = append(faults, fmt.Errorf("%s %s=%s: it is there twice; leave one out", r.at("output"), name, twice))
	}
	return faults
}

// meant is the scheme of a sink that was probably meant.
func meant(url string) string {
	scheme, _, _ := strings.Cut(url, "://")
	if near := nearest.Name(scheme, endpoint.Sinks()); near != "" {
		return ", did you mean " + near + "://?"
	}
	return ""
}

// checkLive checks what only streams have.
func (r *request) checkLive() (faults []error) {
	if !endpoint.IsStream(r.Source) {
		for _, name := range r.Live.set() {
			faults = append(faults, fmt.Errorf("%s is for streams, and %s is none: leave it out", r.at(name), r.Source))
		}
		return faults
	}
	if r.Staging != "" {
		faults = append(faults, fmt.Errorf("%s is for backfills: rows of a stream wait in its lake; leave it out", r.at("staging")))
	}
	if r.Only != "" {
		faults = append(faults, fmt.Errorf("%s is for backfills: the outputs of a stream belong together; leave it out", r.at("only")))
	}
	if r.From != "" || r.To != "" {
		faults = append(faults, fmt.Errorf("--from and --to are for backfills: a stream is bounded by its URL, for example %s?until=tip", r.Source))
	}
	r.Source = absolutePositions(r.Source)
	read, wrong := r.Live.check(r.Options, r.job)
	r.live = read
	return append(faults, wrong...)
}

// at names an option as it was given: a flag, or a line of a YAML file.
func (o Options) at(option string) string {
	if where := o.where[option]; where != "" {
		return where + ": " + option
	}
	return "--" + strings.ReplaceAll(option, "_", "-")
}

// inFile is the place of an option that was given by a YAML file, else nothing.
func (o Options) inFile(option string) string {
	if where := o.where[option]; where != "" {
		return where + ": "
	}
	return ""
}

func day(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, errors.New("not a day; write 2006-01-02 (UTC)")
	}
	return t.Unix() / 86400, nil
}

// replaces tells whether the user named the day as one to replace.
func (r request) replaces(day int64) bool {
	return (r.From != "" || r.To != "") && (r.from == 0 || day >= r.from) && (r.to == 0 || day <= r.to)
}
