package run

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"millrace/internal/maskkey"
	"millrace/internal/progress"
	"millrace/internal/settings"
	"millrace/internal/version"
	"millrace/io/driver"
	"millrace/io/endpoint"
	"millrace/io/lakeio"
	"millrace/io/refusal"
	"millrace/jobs"
	"millrace/schemas/manifest"
	"millrace/schemas/raw"
	"millrace/schemas/table"
)

// Plan is what a run would do. Making one reads the inputs, all of them where they lie on
// a disk, and the state of the lake; it writes nothing.
type Plan struct {
	Run        string
	Job        string
	Source     string
	Lake       string
	Key        maskkey.Ring
	KeyRef     string
	NewKey     bool // the key has to be made first
	ConfigHash string
	Settings   map[string]string
	Splits     []driver.Split
	Inputs     []manifest.Input
	Bytes      int64    // to read
	Notes      []string // things worth telling
	Revisions  map[int64]int32
	Frozen     map[int64]string
	Outputs    []PlannedOutput

	req      request
	vaultKey maskkey.Key // with reversible tokens
	// policyVersion is that of the masking policy; empty without.
	policyVersion string
	store         lakeio.Store
	standing      lakeio.Standing
	kept          []string // outputs that the run leaves alone
	staging       staging
	spill         staging                           // on this machine, for what shuffles would hold in memory
	closing       atomic.Bool                       // everything is written
	counted       atomic.Pointer[progress.Snapshot] // by workers elsewhere; nil while nobody knows
}

// PlannedOutput is where an output goes and what is there already.
type PlannedOutput struct {
	Name   string
	Schema string
	Place  string
	Days   int
	Rows   int64
}

// Make checks the options and plans the run. configDir is the user's
// configuration folder, where a key of his own may lie.
func Make(ctx context.Context, o Options, configDir string) (*Plan, error) {
	req, err := check(o)
	if err != nil {
		return nil, err
	}
	o = req.Options
	p := &Plan{Job: req.job.Name, Source: o.Source, Lake: o.Lake, req: req}
	if p.store, err = lakeio.OpenStore(ctx, o.Lake); err != nil {
		return nil, &UsageError{err}
	}
	if err := p.resolveKey(ctx, configDir); err != nil {
		return nil, err
	}
	if err := p.resolveVaultKey(ctx); err != nil {
		return nil, err
	}
	if err := p.planSource(ctx); err != nil {
		return nil, err
	}
	if err := p.identify(ctx); err != nil {
		return nil, err
	}
	if err := p.standsOn(ctx); err != nil {
		return nil, err
	}
	return p, p.openStaging(ctx)
}

// inspect asks the job what a file is.
func (p *Plan) inspect(head []byte) driver.Head {
	told, err := p.req.job.Inspect(head, p.req.format)
	if err != nil {
		err = &UsageError{err} // another format is to be given, or another source
	}
	return driver.Head{Format: told.Format, Near: told.Near, Note: told.Note, Err: err}
}

// planSource lists the inputs.
func (p *Plan) planSource(ctx context.Context) error {
	src, err := endpoint.OpenSource(ctx, p.Source, p.inspect)
	if err != nil {
		return &UsageError{err}
	}
	if p.Splits, err = src.Splits(ctx); err != nil {
		if fault := (*UsageError)(nil); errors.As(err, &fault) {
			return &UsageError{err}
		}
		return err
	}
	if n, ok := src.(driver.Noter); ok {
		p.Notes = append(p.Notes, n.Notes()...)
	}
	if err := p.checkSeals(); err != nil {
		return err
	}
	seen := map[string]int{}
	for _, s := range p.Splits {
		if s.Schema != "" && p.req.Format != "" {
			return usage("%s %s: %s is of a raw archive, whose rows know the format they were read by; leave it out, or have them all read otherwise by the parameter format of the source", p.req.at("format"), p.req.Format, s.Name)
		}
		p.Bytes += s.Size
		i, ok := seen[s.Name]
		if !ok {
			i = len(p.Inputs)
			seen[s.Name] = i
			p.Inputs = append(p.Inputs, manifest.Input{Name: s.Name, Source: s.Source, Format: cmp.Or(s.Format, s.Schema), Duplicate: s.Duplicate, Digest: s.Digest})
		}
		p.Inputs[i].Bytes += s.Size
	}
	return nil
}

// identify hashes what decides the rows: the same inputs, settings, key and
// program are the same run, however often it is started.
func (p *Plan) identify(ctx context.Context) error {
	fingerprint, err := p.req.job.Fingerprint(ctx, p.req.settings, false)
	if err != nil {
		return &UsageError{err}
	}
	p.Settings = map[string]string{}
	for _, s := range settings.Describe(p.req.settings) {
		p.Settings[s.Name] = s.Default // the value that holds
	}
	if err := p.req.describeLists(p.Settings); err != nil {
		return err
	}
	if err := p.namePolicy(); err != nil {
		return err
	}
	schemas := map[string]string{}
	for _, out := range p.req.job.Outputs {
		if p.req.makes(out.Name) {
			schemas[out.Name] = out.Schema.ID()
		}
	}
	p.ConfigHash, err = hashJSON(p.withPolicy(map[string]any{
		"job": p.Job, "program": version.Rows, "settings": p.Settings, "reference": fingerprint, "schemas": schemas,
		"raw": p.req.Raw, "from": p.req.from, "to": p.req.to, "key": p.Key.Active().ID(), "reading": parameters(p.Source),
	}))
	if err != nil {
		return err
	}
	type input struct {
		Source, Format, Digest string
		Bytes                  int64
		Duplicate              bool
	}
	inputs := make([]input, len(p.Inputs))
	for i, in := range p.Inputs {
		inputs[i] = input{in.Source, in.Format, in.Digest, in.Bytes, in.Duplicate}
	}
	slices.SortFunc(inputs, func(a, b input) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	id, err := hashJSON(map[string]any{"config": p.ConfigHash, "inputs": inputs})
	if err != nil {
		return err
	}
	p.Run = p.Job + "-" + id[:12]
	return nil
}

// parameters are those of a source's URL: they say how it is read.
func parameters(source string) string {
	if !strings.Contains(source, "://") {
		return ""
	}
	_, parameters, _ := strings.Cut(source, "?")
	return parameters
}

func hashJSON(v any) (string, error) {
	b, err := json.Marshal(v) // maps are written in the order of their keys
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// standsOn reads the state of the lake and decides what happens to its days.
func (p *Plan) standsOn(ctx context.Context) error {
	if err := p.checkOwner(ctx); err != nil {
		return err
	}
	var err error
	if p.standing, err = lakeio.LoadStanding(ctx, p.store, p.schemas()); err != nil {
		return err
	}
	sources := map[string]bool{}
	for _, s := range p.Splits {
		for _, origin := range s.Origins() {
			sources[origin] = true
		}
	}
	replaced := maps.Clone(p.standing)
	if p.req.Raw == "off" && slices.ContainsFunc(p.Splits, func(s driver.Split) bool { return s.Schema == raw.Rows.ID() }) {
		// The archive that is read may lie in this very lake: it stays as it is.
		p.kept = []string{raw.Rows.Name}
		delete(replaced, raw.Rows.Name)
	}
	if len(p.req.Outputs) == 0 {
		// Nothing goes to a sink, so nothing new is known of what sinks refuse.
		p.kept = append(p.kept, refusal.Output)
		delete(replaced, refusal.Output)
	}
	for _, out := range p.req.job.Outputs {
		// A run without funnels, say, has nothing to say about those of an earlier one.
		if len(p.standing[out.Name].Days) > 0 && !p.req.makes(out.Name) {
			p.kept = append(p.kept, out.Name)
			delete(replaced, out.Name)
		}
	}
	p.Revisions = replaced.Revisions(p.Run)
	p.Frozen = replaced.Frozen(p.Run, sources, p.req.replaces)
	for _, out := range p.req.job.Outputs {
		c := p.standing[out.Name]
		planned := PlannedOutput{Name: out.Name, Schema: out.Schema.ID(), Place: p.store.Name(out.Name), Days: len(c.Days)}
		for _, d := range c.Days {
			planned.Rows += d.Rows
		}
		p.Outputs = append(p.Outputs, planned)
	}
	return nil
}

// checkOwner refuses the lake of another job: outputs of the same name would become one. The
// names of runs, which begin with their job's, stand in those of manifests and, of live runs
// that have not ended, of their notes.
func (p *Plan) checkOwner(ctx context.Context) error {
	ended, err := p.store.List(ctx, "_runs/")
	if err != nil {
		return err
	}
	live, err := p.store.List(ctx, "_live/")
	if err != nil {
		return err
	}
	for _, info := range slices.Concat(ended, live) {
		_, place, _ := strings.Cut(info.Key, "/")
		run, _, _ := strings.Cut(place, "/")
		name := strings.TrimSuffix(run, ".json")
		job, _, _ := strings.Cut(name, "-")
		if _, known := jobs.Find(job); known && job != p.Job {
			return usage("the lake %s is of the job %s (run %s wrote there), and this run is of %s: outputs of both would have one folder; give each job a lake of its own with --lake", p.Lake, job, name, p.Job)
		}
	}
	return nil
}

func (p *Plan) schemas() map[string]*table.Schema {
	m := map[string]*table.Schema{}
	for _, out := range p.req.job.Outputs {
		m[out.Name] = out.Schema
	}
	return m
}
