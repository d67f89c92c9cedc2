// Package run carries a job out: it plans, checks, runs the pipeline, and
// commits what it wrote. It is what the command line calls.
package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"millrace/internal/settings"
	"millrace/io/lakeio"
	"millrace/jobs"
)

// Options are what a user asks for, from flags and a YAML file.
type Options struct {
	Job     string
	Source  string
	Lake    string
	Outputs map[string]string // name -> URL of a lake for that output
	Runner  string            // "prism" or "direct"
	MaskKey string            // reference; the user's own key when empty
	Raw     string            // "off", "plain" or "sealed"
	From    string            // first UTC day, 2006-01-02
	To      string            // last UTC day
	Values  []settings.Value
	// NoReport leaves LAKE/report.html as it is.
	NoReport bool
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
}

// check validates options, all faults at once.
func check(o Options) (request, error) {
	r := request{Options: o}
	job, ok := jobs.Find(o.Job)
	if !ok {
		return r, usage("unknown job %q%s", o.Job, settings.Suggest(o.Job, jobs.Names()))
	}
	r.job = job
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	if o.Source == "" {
		fault("--source is missing: name what to read, for example --source 'file:///var/log/apache2/access*.log*'")
	}
	if o.Lake == "" {
		fault("--lake is missing: name the folder or s3:// URL to write to, for example --lake out")
	}
	for name := range o.Outputs {
		if !slices.ContainsFunc(job.Outputs, func(out jobs.Output) bool { return out.Name == name }) {
			fault("--output %s: job %s has no such output%s", name, job.Name, settings.Suggest(name, job.OutputNames()))
		}
	}
	if r.Runner == "" {
		r.Runner = "prism"
	}
	if r.Runner != "prism" && r.Runner != "direct" {
		fault("--runner %s: unknown runner; there are prism and its alias direct", r.Runner)
	}
	if r.Raw == "" {
		r.Raw = "off"
	}
	if !slices.Contains([]string{"off", "plain", "sealed"}, r.Raw) {
		fault("--raw %s: must be off, plain or sealed", r.Raw)
	}
	var err error
	if r.from, err = day(o.From); err != nil {
		fault("--from %s: %w", o.From, err)
	}
	if r.to, err = day(o.To); err != nil {
		fault("--to %s: %w", o.To, err)
	}
	if r.from != 0 && r.to != 0 && r.from > r.to {
		fault("--from %s lies after --to %s", o.From, o.To)
	}
	r.settings = job.NewSettings()
	if err := settings.Apply(r.settings, o.Values); err != nil {
		faults = append(faults, err)
	} else if err := job.Validate(r.settings); err != nil {
		faults = append(faults, err)
	}
	if len(faults) > 0 {
		return r, &UsageError{errors.Join(faults...)}
	}
	return r, nil
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
	return (r.from != 0 || r.to != 0) && (r.from == 0 || day >= r.from) && (r.to == 0 || day <= r.to)
}

// staging is where a run's unfinished files lie: in the lake's own folder when
// it is on a file system (so that they can be moved into place), else in the
// user's cache folder.
func staging(lake, run string) (string, error) {
	if dir, ok := lakeio.LocalDir(lake); ok {
		return lakeio.StagingDir(dir, run), nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	name := strings.Map(func(r rune) rune {
		if r == '/' || r == ':' || r == '?' {
			return '_'
		}
		return r
	}, lake)
	return filepath.Join(cache, "millrace", "staging", name, run), nil
}

// contextCause prefers the reason of a cancellation to its mere fact.
func contextCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}
