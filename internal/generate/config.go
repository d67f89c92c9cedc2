package generate

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Format is the layout of a line.
type Format string

// Layouts, by the names Apache gives them.
const (
	Common        Format = "common"
	Combined      Format = "combined"
	VhostCombined Format = "vhost_combined"
)

// DefaultCanaries is how many values of each type to plant when someone asks for
// planted personal data without saying how much.
const DefaultCanaries = 1000

// WeblogConfig describes a farm and its traffic. A zero field means its default.
// Shares are of lines, from 0 to 1; a negative share means none.
type WeblogConfig struct {
	Seed uint64 // any number; equal seeds give equal bytes

	// Two of the next three decide the third. With Lines the log has exactly so
	// many; with Days and Rate it ends with the last second and Lines is their
	// product, roughly. Defaults: 2 days, then 1 line a second.
	Lines int64
	Days  int
	Rate  float64 // lines a second of event time: the mean of a day

	// Steady gives the rate from the first second on, for logs that are written as
	// one watches. Without it the first minutes are quieter, because visits that
	// begin write most of their lines later. It needs Rate.
	Steady bool

	Flat     bool          // the same rate at every hour, instead of a day curve with its peak in the evening
	Start    time.Time     // the farm's first second; 2025-03-03 00:00:00 UTC when zero
	Zone     time.Duration // offset of written timestamps from UTC, whole minutes, at most 14h either way
	Format   Format        // Combined when empty
	Servers  int           // servers of the farm, each with a log of its own; 1 when zero, at most 1000
	Visitors int           // people who may come; 10,000 when zero
	Disorder time.Duration // within one log, a line comes at most this long after a line of a later event time; 5s when zero, at most 1h, none when negative
	Shuffle  time.Duration // beyond Disorder, every line comes later by up to this, all delays being as likely; at most 1h

	Duplicates float64 // lines delivered twice, identical, at two places of one log; 0.001 when zero
	Malformed  float64 // lines that are no log line; 0.001 when zero
	LongLine   int     // bytes of the few over-long malformed lines; 1 MiB + 1 KiB when zero, none when negative
	Bots       float64 // crawlers that say who they are; 0.10 when zero
	Attacks    float64 // scanners, injections, password guessing, scrapers; 0.03 when zero
	Canaries   int     // planted values of personal data of each type, each in a line of its own; none when zero

	Gzip      bool // WriteFiles compresses the logs
	Redeliver int  // WriteFiles delivers so many logs a second time, under the name of a rotation and compressed the other way
}

// WithDefaults is cfg with every zero field replaced by what it means.
func (cfg WeblogConfig) WithDefaults() WeblogConfig {
	setDefault(&cfg.Start, time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC))
	cfg.Start = cfg.Start.UTC().Truncate(time.Second)
	setDefault(&cfg.Format, Combined)
	setDefault(&cfg.Servers, 1)
	setDefault(&cfg.Visitors, 10_000)
	setDefault(&cfg.Disorder, 5*time.Second)
	cfg.Disorder = max(cfg.Disorder, 0)
	setShare(&cfg.Duplicates, 0.001)
	setShare(&cfg.Malformed, 0.001)
	setShare(&cfg.Bots, 0.10)
	setShare(&cfg.Attacks, 0.03)
	setDefault(&cfg.LongLine, 1<<20+1<<10)
	switch {
	case cfg.Lines == 0:
		setDefault(&cfg.Days, 2)
		setDefault(&cfg.Rate, 1)
	case cfg.Rate == 0:
		setDefault(&cfg.Days, 2)
	}
	return cfg
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func setShare(field *float64, value float64) {
	setDefault(field, value)
	*field = max(*field, 0)
}

// Validate reports everything that is wrong with the configuration.
func (cfg WeblogConfig) Validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf("generate weblog: "+format, args...))
		}
	}
	given := cfg
	cfg = cfg.WithDefaults()
	check(given.Lines == 0 || given.Days == 0 || given.Rate == 0,
		"lines, days and rate are given; two of them decide the third")
	check(cfg.Lines >= 0, "lines %d is negative", cfg.Lines)
	check(cfg.Days >= 0 && cfg.Days <= 3660, "days %d is not from 1 to 3660", cfg.Days)
	check(cfg.Rate >= 0 && cfg.Rate <= 1e6, "rate %g is not from 0 to 1,000,000 lines a second", cfg.Rate)
	check(cfg.Start.Year() >= 1995 && cfg.Start.Year() <= 2100, "start %s is not from 1995 to 2100", cfg.Start.Format(time.RFC3339))
	check(cfg.Zone%time.Minute == 0 && cfg.Zone.Abs() <= 14*time.Hour, "zone offset %s is not whole minutes up to 14h", cfg.Zone)
	check(slices.Contains(formats, cfg.Format), "format %q is not one of %s", cfg.Format, FormatNames())
	check(cfg.Servers >= 1 && cfg.Servers <= 1000, "servers %d is not from 1 to 1000", cfg.Servers)
	check(cfg.Visitors >= 1 && cfg.Visitors <= maxPeople, "visitors %d is not from 1 to %d", cfg.Visitors, maxPeople)
	check(cfg.Disorder <= time.Hour && cfg.Disorder%time.Second == 0, "disorder %s is not whole seconds up to 1h", cfg.Disorder)
	check(cfg.Shuffle >= 0 && cfg.Shuffle <= time.Hour && cfg.Shuffle%time.Second == 0, "shuffle %s is not whole seconds up to 1h", cfg.Shuffle)
	check(!cfg.Steady || given.Rate > 0, "steady needs a rate")
	for _, s := range []struct {
		name  string
		value float64
		most  float64
	}{
		{"duplicates", cfg.Duplicates, 0.5},
		{"malformed", cfg.Malformed, 0.5},
		{"bots", cfg.Bots, 0.4},
		{"attacks", cfg.Attacks, 0.4},
	} {
		check(s.value <= s.most, "share of %s %g is more than %g", s.name, s.value, s.most)
	}
	check(cfg.LongLine <= 1<<30, "long line of %d bytes is more than 1 GiB", cfg.LongLine)
	check(cfg.Canaries >= 0 && cfg.Canaries <= maxCanaries, "canaries %d is not from 0 to %d of each type", cfg.Canaries, maxCanaries)
	need := float64(cfg.Canaries * len(canaryTypes) * linesPerCanary)
	check(cfg.lines() >= need, "%d canaries of each type need %.0f lines or more, not %.0f", cfg.Canaries, need, cfg.lines())
	check(cfg.Lines == 0 || cfg.Rate == 0 || float64(cfg.Lines)/cfg.Rate <= 3660*86400, "%d lines at %g a second take more than 3660 days", cfg.Lines, cfg.Rate)
	check(cfg.Redeliver >= 0 && cfg.Redeliver <= cfg.Servers, "logs delivered twice: %d is not from 0 to the number of servers, %d", cfg.Redeliver, cfg.Servers)
	return errors.Join(faults...)
}

// lines is how many lines to expect.
func (cfg *WeblogConfig) lines() float64 {
	if cfg.Lines > 0 {
		return float64(cfg.Lines)
	}
	return cfg.Rate * float64(cfg.Days) * 86400
}

// seconds is how many seconds of event time to expect.
func (cfg *WeblogConfig) seconds() int64 {
	if cfg.Days > 0 {
		return int64(cfg.Days) * 86400
	}
	return max(1, int64(float64(cfg.Lines)/cfg.Rate))
}
