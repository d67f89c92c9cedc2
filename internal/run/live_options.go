package run

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"millrace/io/driver"
	"millrace/jobs"
)

// LiveOptions say how a stream is read. They are texts as flags and YAML files
// give them; empty ones have defaults.
type LiveOptions struct {
	MaxDisorder     string // how far behind the latest event of its shard an event may lie
	AllowedLateness string // how far behind the watermark an event is not late yet
	Idle            string // "hold" or "advance-after=30s"
	Roll            string // "64MiB,60s": bytes and arrival time of the records that become files together
	Seal            string // span of event time whose sealed rows become files together
	Archive         string // raw archive to begin with
	UntilArchive    string // arrival time up to which it is read, and from which the stream
}

// Defaults of LiveOptions.
const (
	DefaultMaxDisorder = "5m"
	DefaultLateness    = "0s"
	DefaultIdle        = "advance-after=30s"
	DefaultRoll        = "64MiB,60s"
	DefaultSeal        = "10m"
)

// live is LiveOptions, read.
type live struct {
	stream  driver.StreamOptions
	seal    time.Duration
	archive string
	until   time.Time
	source  string // the stream's URL with where it begins
}

// check reads the options, all faults at once.
func (l LiveOptions) check(o Options, job jobs.Job) (live, []error) {
	var faults []error
	span := func(name, text, otherwise string, least time.Duration) time.Duration {
		d, err := time.ParseDuration(cmp.Or(text, otherwise))
		if err != nil || d < least {
			faults = append(faults, fmt.Errorf("%s %s: not a duration of at least %v; write for example %s", o.at(name), text, least, otherwise))
		}
		return d
	}
	r := live{stream: driver.StreamOptions{EventTime: job.EventTime, Format: o.Format}}
	r.stream.MaxDisorder = span("max_disorder", l.MaxDisorder, DefaultMaxDisorder, 0)
	r.stream.AllowedLateness = span("allowed_lateness", l.AllowedLateness, DefaultLateness, 0)
	r.seal = span("seal", l.Seal, DefaultSeal, time.Minute)
	if r.seal%time.Minute != 0 {
		faults = append(faults, fmt.Errorf("%s %s: not whole minutes", o.at("seal"), l.Seal))
	}
	var err error
	if r.stream.IdleAfter, err = idle(cmp.Or(l.Idle, DefaultIdle)); err != nil {
		faults = append(faults, fmt.Errorf("%s %s: %w", o.at("idle"), l.Idle, err))
	}
	if r.stream.RollBytes, r.stream.RollEvery, err = roll(cmp.Or(l.Roll, DefaultRoll)); err != nil {
		faults = append(faults, fmt.Errorf("%s %s: %w", o.at("roll"), l.Roll, err))
	}
	r.archive, r.source = l.Archive, o.Source
	if l.Archive != "" || l.UntilArchive != "" {
		faults = append(faults, r.checkArchive(l, o)...)
	}
	return r, faults
}

// checkArchive checks what a run begins with, and lets the stream begin where it
// ends.
func (r *live) checkArchive(l LiveOptions, o Options) (faults []error) {
	if l.Archive == "" || l.UntilArchive == "" {
		return []error{errors.New("--archive and --until-archive belong together: the archive is read up to that arrival time, and the stream from it on")}
	}
	until, err := time.Parse(time.RFC3339, l.UntilArchive)
	if err != nil {
		faults = append(faults, fmt.Errorf("%s %s: not a time; write for example 2026-03-01T12:00:00Z", o.at("until_archive"), l.UntilArchive))
	}
	r.until = until
	place, query, _ := strings.Cut(o.Source, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return append(faults, fmt.Errorf("%s %s: %w", o.at("source"), o.Source, err))
	}
	if values.Has("start") {
		faults = append(faults, fmt.Errorf("%s %s: leave start out, the stream begins where the archive ends", o.at("source"), o.Source))
	}
	if strings.HasPrefix(strings.TrimPrefix(l.Archive, "file://"), strings.TrimSuffix(strings.TrimPrefix(o.Lake, "file://"), "/")+"/") {
		faults = append(faults, fmt.Errorf("%s %s: it lies in the lake that is written, where its rows are already; resume the job that wrote them from a savepoint, or begin another lake", o.at("archive"), l.Archive))
	}
	values.Set("start", until.UTC().Format(time.RFC3339Nano))
	r.source = place + "?" + values.Encode()
	return faults
}

// beginsAtPositions tells whether a stream is read on from saved positions.
func beginsAtPositions(source string) bool {
	_, query, _ := strings.Cut(source, "?")
	values, err := url.ParseQuery(query)
	return err == nil && values.Has("positions")
}

// set tells which of the options were given.
func (l LiveOptions) set() (names []string) {
	for _, f := range []struct{ name, text string }{
		{"max_disorder", l.MaxDisorder}, {"allowed_lateness", l.AllowedLateness}, {"idle", l.Idle}, {"roll", l.Roll}, {"seal", l.Seal}, {"archive", l.Archive}, {"until_archive", l.UntilArchive},
	} {
		if f.text != "" {
			names = append(names, f.name)
		}
	}
	return names
}

func idle(text string) (time.Duration, error) {
	if text == "hold" {
		return 0, nil
	}
	after, ok := strings.CutPrefix(text, "advance-after=")
	d, err := time.ParseDuration(after)
	if !ok || err != nil || d <= 0 {
		return 0, errors.New("write hold, or advance-after=30s")
	}
	return d, nil
}

func roll(text string) (size int64, every time.Duration, err error) {
	wrong := errors.New("write bytes and a duration, for example 64MiB,60s")
	bytes, span, ok := strings.Cut(text, ",")
	if !ok {
		return 0, 0, wrong
	}
	unit := int64(1)
	for suffix, n := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if number, found := strings.CutSuffix(bytes, suffix); found {
			bytes, unit = number, n
		}
	}
	n, err := strconv.ParseInt(bytes, 10, 64)
	every, fault := time.ParseDuration(span)
	if err != nil || fault != nil || n <= 0 || n > 1<<40 || every < time.Second {
		return 0, 0, wrong
	}
	return n * unit, every, nil
}
