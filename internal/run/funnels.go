package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"millrace/internal/progress"
	"millrace/internal/settings"
	"millrace/transforms/funnels"
)

// funnelsKey is the key of a YAML file under which funnels lie.
const funnelsKey = "funnels"

// funnelOutputs are there with funnels only.
var funnelOutputs = []string{"funnels", "funnel_steps"}

// ReadFunnels reads a YAML file of funnels: the list that the key funnels of a
// configuration has, alone or under that key. Every fault is reported, with file,
// line and key.
func ReadFunnels(content []byte, name string) ([]funnels.Definition, error) {
	defs, err := readFunnels(content, name)
	if err != nil {
		return nil, &UsageError{err}
	}
	return defs, nil
}

func readFunnels(content []byte, name string) ([]funnels.Definition, error) {
	if err := settings.CheckFile(content, name); err != nil {
		return nil, err
	}
	// What is no list is read as any file, or else refused as one.
	if tree, err := parser.ParseBytes(content, 0); err == nil && len(tree.Docs) == 1 && tree.Docs[0].Body != nil {
		if list, ok := tree.Docs[0].Body.(*ast.SequenceNode); ok {
			return funnels.Decode(list, name)
		}
	}
	body, err := parseYAML(content, name)
	if err != nil {
		return nil, err
	}
	if len(body) == 0 {
		return nil, fmt.Errorf("%s: the file is empty; write funnels as docs/funnels.md has them", name)
	}
	var faults []error
	var defs []funnels.Definition
	for _, e := range body {
		if key := keyOf(e); key != funnelsKey {
			faults = append(faults, fmt.Errorf("%s:%d: unknown key %s%s; a file of --funnels has nothing else, other keys go to that of --config", name, line(e.Key), key, settings.Suggest(key, []string{funnelsKey})))
			continue
		}
		defs, err = funnels.Decode(e.Value, name)
		faults = append(faults, err)
	}
	return defs, errors.Join(faults...)
}

// funnels reads the funnels of a configuration, unless a flag has given others.
func (f *file) funnels(list ast.Node, where string) {
	if _, null := list.(*ast.NullNode); null {
		return
	}
	defs, err := funnels.Decode(list, f.name)
	if err != nil {
		f.faults = append(f.faults, err)
		return
	}
	if f.options.Funnels == nil {
		f.options.Funnels, f.given[funnelsKey] = defs, where
	}
}

// setFunnels gives the funnels to the job's settings.
func (r *request) setFunnels() error {
	if len(r.Funnels) == 0 {
		return nil
	}
	if r.job.Funnels == nil {
		return fmt.Errorf("%s: job %s has no funnels; leave them out", r.at(funnelsKey), r.job.Name)
	}
	*r.job.Funnels(r.settings) = r.Funnels
	return nil
}

// makes tells whether the run has an output.
func (r *request) makes(output string) bool {
	return len(r.Funnels) > 0 || !slices.Contains(funnelOutputs, output)
}

// describeFunnels adds the funnels to the settings of a run that has some: others
// make another run. Where they were written means nothing.
func (r *request) describeFunnels(described map[string]string) error {
	if len(r.Funnels) == 0 {
		return nil
	}
	b, err := json.Marshal(withoutPlaces(r.Funnels))
	if err != nil {
		return err
	}
	described[funnelsKey] = string(b)
	return nil
}

func withoutPlaces(defs []funnels.Definition) []funnels.Definition {
	out := slices.Clone(defs)
	for i := range out {
		d := &out[i]
		d.At, d.Steps, d.Exclude = "", slices.Clone(d.Steps), slices.Clone(d.Exclude)
		for k := range d.Steps {
			d.Steps[k].At = ""
		}
		for k := range d.Exclude {
			d.Exclude[k].At = ""
		}
		if d.Breakdown != nil {
			b := *d.Breakdown
			b.At = ""
			d.Breakdown = &b
		}
	}
	return out
}

// funnelText says a funnel in a line.
func funnelText(d *funnels.Definition) string {
	var steps []string
	for _, s := range d.Steps {
		steps = append(steps, s.Name)
	}
	text := strings.Join(steps, " > ") + ", within " + brief(d.Within)
	if d.Order != "" && d.Order != funnels.Ordered {
		text += ", " + d.Order
	}
	if len(d.Exclude) > 0 {
		text += ", " + progress.Of(int64(len(d.Exclude)), "exclusion")
	}
	if d.Breakdown != nil {
		text += ", by " + d.Breakdown.Field
	}
	return text
}

// brief writes 24h0m0s as 24h.
func brief(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}
