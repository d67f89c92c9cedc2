package transforms

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"millrace/transforms/accesslog"
	"millrace/transforms/enrich"
)

// OpenReference reads what stands at a place: a path or an s3:// URL, in which
// {date} stands for the date of a version, so that the newest one counts, of those
// until asOf (2026-11-01) if that is not empty. version is what an earlier call
// returned, or empty; where it is still the present one, content is nil and
// unchanged true. internal/run sets it, in the planning program and in workers:
// transforms know no I/O.
var OpenReference func(ctx context.Context, place, asOf, version string) (content []byte, newVersion string, unchanged bool, err error)

// References configures what events are enriched from. It travels with the
// pipeline; the tables do not: workers read them where they are.
type References struct {
	UserAgents bool
	AgentRules string // place of a file like uap-core's regexes.yaml; built-in when empty
	Geo, ASN   string // places of databases in the MaxMind DB format; none when empty
	Codes      string // place of a table of codes, see enrich.ParseCodes; none when empty
	CodesBy    string // field by which it is looked up, one of accesslog.CodesFields
	CodesKey   string // its column that has that field's values; of the same name when empty
	AsOf       string // a date, see OpenReference
	Missing    enrich.Missing
	// Refresh is how often a live run looks whether there is a newer table; never
	// when zero.
	Refresh time.Duration
	// Pin are the versions that tables must have, as the column enrichment has them.
	Pin string
}

// Validate reports everything that is wrong, but for the tables themselves.
func (r References) Validate() error {
	var faults []error
	if _, err := enrich.ParseMissing(string(r.Missing)); err != nil {
		faults = append(faults, fmt.Errorf("setting enrich.missing: %w", err))
	}
	if _, err := time.Parse(time.DateOnly, r.AsOf); r.AsOf != "" && err != nil {
		faults = append(faults, fmt.Errorf("setting enrich.as_of: %q is no date; write for example 2026-11-01", r.AsOf))
	}
	if r.Refresh != 0 && r.Refresh < time.Second {
		faults = append(faults, errors.New("setting enrich.refresh: must be 0s or at least 1s"))
	}
	if r.Codes != "" {
		if _, err := enrich.CodesFormat(placeName(r.Codes)); err != nil {
			faults = append(faults, fmt.Errorf("setting enrich.codes: %w", err))
		}
	}
	if fields := accesslog.CodesFields(); !slices.Contains(fields, r.CodesBy) && (r.Codes != "" || r.CodesBy != "") {
		faults = append(faults, fmt.Errorf("setting enrich.codes_by: %q is no field to look up by; there are %s", r.CodesBy, strings.Join(fields, ", ")))
	}
	if _, err := parsePins(r.Pin); err != nil {
		faults = append(faults, fmt.Errorf("setting enrich.pin: %w", err))
	}
	return errors.Join(faults...)
}

// fixed tells whether the tables stay the same as long as the run lasts.
func (r References) fixed(live bool) bool { return !live || r.Refresh == 0 || r.Pin != "" }

// Versions names the tables by their content: NAME=VERSION, or NAME=missing where the
// policy allows it. Tables that change while a run lasts have no place in it.
func (r References) Versions(ctx context.Context, live bool) ([]string, error) {
	if !r.fixed(live) {
		r.Geo, r.ASN, r.AgentRules, r.Codes = "", "", "", "" // the settings name their places
	}
	tables, err := r.acquire(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer tables.release()
	return tables.versions()
}

// names of tables in the column enrichment.
var referenceNames = []string{"agents", "asn", "bots", "codes", "geo"}

// parsePins reads "asn=VERSION geo=VERSION".
func parsePins(text string) (map[string]string, error) {
	pins := map[string]string{}
	for _, part := range strings.Fields(text) {
		name, version, ok := strings.Cut(part, "=")
		if !ok || !slices.Contains(referenceNames, name) || len(version) != 16 || strings.Trim(version, "0123456789abcdef") != "" {
			return nil, fmt.Errorf("%q is no version of a table; write NAME=VERSION as the column enrichment has it, the names being %s", part, strings.Join(referenceNames, ", "))
		}
		pins[name] = version
	}
	return pins, nil
}

// referenceTables are the tables that a DoFn uses, with others of its process.
type referenceTables struct {
	config  References
	agents  *sharedTable[*enrich.Agents]
	geo     *sharedTable[*enrich.Geo]
	asn     *sharedTable[*enrich.Geo]
	codes   *sharedTable[*enrich.Codes]
	builtIn bool
}

// acquire loads what is not there yet and keeps it fresh until release, if refresh is
// not zero.
func (r References) acquire(ctx context.Context, refresh time.Duration) (*referenceTables, error) {
	t := &referenceTables{config: r, builtIn: r.UserAgents && r.AgentRules == ""}
	if r.UserAgents && r.AgentRules != "" {
		t.agents = sharedAgents.acquire(ctx, tablePlace{place: r.AgentRules, asOf: r.AsOf}, refresh)
	}
	if r.Geo != "" {
		t.geo = sharedGeo.acquire(ctx, tablePlace{place: r.Geo, asOf: r.AsOf}, refresh)
	}
	if r.ASN != "" {
		t.asn = sharedGeo.acquire(ctx, tablePlace{place: r.ASN, asOf: r.AsOf}, refresh)
	}
	if r.Codes != "" {
		t.codes = sharedCodes.acquire(ctx, tablePlace{place: r.Codes, asOf: r.AsOf, key: cmp.Or(r.CodesKey, r.CodesBy)}, refresh)
	}
	if err := t.check(); err != nil {
		t.release()
		return nil, err
	}
	return t, nil
}

func (t *referenceTables) release() {
	if t == nil {
		return
	}
	t.agents.release()
	t.geo.release()
	t.asn.release()
	t.codes.release()
}

// check holds the tables against the policy and the pins.
func (t *referenceTables) check() error {
	pins, err := parsePins(t.config.Pin)
	if err != nil {
		return err
	}
	versions, err := t.versions()
	if err != nil {
		return err
	}
	have := map[string]string{}
	for _, v := range versions {
		name, version, _ := strings.Cut(v, "=")
		have[name] = version
	}
	for _, name := range referenceNames {
		pinned, is := pins[name]
		if got, used := have[name]; is && used && got != pinned {
			return fmt.Errorf("reference data %s has version %s and is pinned to %s: name the place of that version, or leave enrich.pin open", name, got, pinned)
		}
	}
	return nil
}

// versions are those of the tables, by name.
func (t *referenceTables) versions() (versions []string, err error) {
	add := func(name, version string, fault error) {
		switch {
		case fault == nil:
			versions = append(versions, name+"="+version)
		case t.config.Missing == enrich.Flag || t.config.Missing == enrich.BadRow:
			versions = append(versions, name+"=missing")
		case err == nil:
			err = fmt.Errorf("reference data %s: %w", name, fault)
		}
	}
	switch {
	case t.builtIn:
		add("agents", enrich.DefaultAgents().Version(), nil)
	case t.agents != nil:
		v, fault := t.agents.version()
		add("agents", v, fault)
	}
	if t.asn != nil {
		v, fault := t.asn.version()
		add("asn", v, fault)
	}
	if t.codes != nil {
		v, fault := t.codes.version()
		add("codes", v, fault)
	}
	if t.geo != nil {
		v, fault := t.geo.version()
		add("geo", v, fault)
	}
	return versions, err
}

// forWorker is what a core of the DoFn looks up in.
func (t *referenceTables) forWorker(bots string) *accesslog.References {
	r := &accesslog.References{Missing: t.config.Missing, Bots: bots}
	switch {
	case t.builtIn:
		r.Agents = func() (*enrich.Agents, error) { return enrich.DefaultAgents(), nil }
	case t.agents != nil:
		r.Agents = t.agents.holder.Get
	}
	if t.geo != nil {
		r.Geo = t.geo.holder.Get
	}
	if t.asn != nil {
		r.ASN = t.asn.holder.Get
	}
	if t.codes != nil {
		r.Codes, r.CodesBy = t.codes.holder.Get, t.config.CodesBy
	}
	return r
}

// plannedTables are the versions that were found when the pipeline was made, of a
// run whose tables stay the same: a worker that finds others would make other rows.
type plannedTables struct {
	Versions []string
	Fault    string // why a table could not be read
	Refresh  time.Duration
}

func planTables(cfg AccessLogConfig) plannedTables {
	live := cfg.Common.Live != nil
	if !cfg.References.fixed(live) {
		return plannedTables{Refresh: cfg.References.Refresh}
	}
	versions, err := cfg.References.Versions(context.Background(), live)
	if err != nil {
		return plannedTables{Fault: err.Error()}
	}
	return plannedTables{Versions: versions}
}

// acquire loads the tables on the worker.
func (p plannedTables) acquire(ctx context.Context, cfg AccessLogConfig) (*referenceTables, error) {
	if p.Fault != "" {
		return nil, errors.New(p.Fault)
	}
	t, err := cfg.References.acquire(ctx, p.Refresh)
	if err != nil || p.Refresh > 0 {
		return t, err
	}
	found, err := t.versions()
	if err == nil && !slices.Equal(found, p.Versions) {
		err = fmt.Errorf("reference data changed since the run was planned: it was %q and is %q; run it again, or name places that do not change", p.Versions, found)
	}
	if err != nil {
		t.release()
		return nil, err
	}
	return t, nil
}
