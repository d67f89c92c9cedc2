package run

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"millrace/internal/maskpolicy"
	"millrace/internal/progress"
	"millrace/io/endpoint"
	"millrace/schemas/manifest"
	"millrace/schemas/raw"
)

// maxListed is how many inputs a plan lists one by one.
const maxListed = 20

// String tells a person what the run would do.
func (p *Plan) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	line := func(format string, a ...any) { fmt.Fprintf(w, format+"\n", a...) }
	line("job\t%s\trun %s", p.Job, p.Run)
	line("masking\t%s", p.keyText())
	_ = w.Flush() // a builder takes everything
	p.readText(line, w.Flush)
	p.writeText(line, w.Flush)
	p.settingsText(line)
	_ = w.Flush() // a builder takes everything
	return b.String()
}

// Describe says what a run would do.
func Describe(ctx context.Context, o Options, configDir string) (string, error) {
	if endpoint.IsStream(o.Source) {
		p, err := makeLive(ctx, o, configDir)
		if err != nil {
			return "", err
		}
		return p.String(), nil
	}
	p, err := Make(ctx, o, configDir)
	if err != nil {
		return "", err
	}
	return p.String(), nil
}

// String tells a person what the live run would do.
func (p *livePlan) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	line := func(format string, a ...any) { fmt.Fprintf(w, format+"\n", a...) }
	o := p.options.stream
	idle := "holds the watermark"
	if o.IdleAfter > 0 {
		idle = fmt.Sprintf("holds the watermark for %v", o.IdleAfter)
	}
	line("job\t%s\trun %s", p.Job, p.Run)
	line("masking\t%s", p.keyText())
	line("\nreads\t%s", p.Source)
	line("  with\t%s", progress.Of(int64(len(p.cursors)), "reader"))
	if p.options.archive != "" {
		line("  after\t%s (%s), what arrived before %s", p.options.archive, progress.Of(int64(len(p.Splits)), "file"), p.options.until.Format(time.RFC3339))
	}
	if p.req.format != "" {
		line("  format\t%s", formatText(p.req.format))
	}
	line("  disorder\t%v, lateness %v, an empty shard %s", o.MaxDisorder, o.AllowedLateness, idle)
	for _, n := range p.Notes {
		line("  note: %s", n)
	}
	line("\nwrites\t%s, raw %s", p.Lake, p.req.Raw)
	line("  records\tfiles of %s or %v of a shard", progress.Bytes(o.RollBytes), o.RollEvery)
	line("  windows\tfiles of %v of event time", p.options.seal)
	for _, to := range p.req.sinks() {
		line("  %s\talso to %s", to.Output.Name, to.URL)
	}
	line("\nruns\ton %s, parallelism %d", p.req.Runner, len(p.cursors))
	p.settingsText(line)
	_ = w.Flush() // a builder takes everything
	return b.String()
}

func (p *Plan) keyText() string {
	if p.NewKey {
		return "a new key, which the run makes at " + strings.TrimPrefix(p.KeyRef, "file://")
	}
	return "key " + p.Key.Active().ID()
}

func (p *Plan) readText(line func(string, ...any), flush func() error) {
	files := int64(len(p.Inputs))
	line("\nreads\t%s\t%s, %s, in %s", p.Source, progress.Of(files, "file"), progress.Bytes(p.Bytes), progress.Of(int64(len(p.Splits)), "piece"))
	_ = flush()
	for i, in := range p.Inputs {
		if i == maxListed {
			line("  and %s more", progress.Of(files-maxListed, "file"))
			break
		}
		line("  %s\t%s\t%s", in.Name, progress.Bytes(in.Bytes), inputText(in))
	}
	_ = flush()
	for _, n := range p.Notes {
		line("  note: %s", n)
	}
}

func inputText(in manifest.Input) string {
	text := formatText(in.Format)
	switch text {
	case raw.Rows.ID():
		text = "raw archive"
	case "":
		text = "format not recognised: lines that are not in a known one become bad rows"
	}
	if in.Duplicate {
		text += "; a copy: its lines are counted and dropped"
	}
	return text
}

func (p *Plan) writeText(line func(string, ...any), flush func() error) {
	line("\nwrites\t%s", p.Lake)
	_ = flush()
	kept := false
	for _, o := range p.Outputs {
		if o.Days == 0 && (o.Name == "raw" && p.req.Raw == "off" || !p.req.makes(o.Name)) {
			continue
		}
		has := "nothing there yet"
		if o.Days > 0 {
			has = fmt.Sprintf("holds %s of %s", progress.Of(o.Rows, "row"), progress.Of(int64(o.Days), "day"))
			kept = true
		}
		if slices.Contains(p.kept, o.Name) && o.Days > 0 {
			has += ", and stays as it is"
		}
		line("  %s\t%s\t%s", o.Name, o.Place, has)
	}
	_ = flush()
	if kept {
		line("  days that the inputs touch are replaced, all others are kept")
	}
	for _, day := range slices.Sorted(maps.Keys(p.Frozen)) {
		line("  refuses %s", p.Frozen[day])
	}
}

func (p *Plan) settingsText(line func(string, ...any)) {
	for _, f := range p.req.Funnels {
		line("\nfunnel %s\t%s", f.Name, funnelText(&f))
	}
	for _, r := range p.req.Alerts {
		line("\nalert %s\t%s", r.Name, alertText(&r))
	}
	if p.req.MaskPolicy != nil {
		line("\nmasking policy\t%s, version %s", p.req.MaskPolicy.Name, p.policyVersion)
	}
	line("\nsettings")
	for _, name := range slices.Sorted(maps.Keys(p.Settings)) {
		if name != funnelsKey && name != alertsKey && name != maskpolicy.Key {
			line("  %s\t%s", name, orNone(p.Settings[name]))
		}
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
