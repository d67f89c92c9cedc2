package run

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"millrace/internal/maskpolicy"
	"millrace/internal/progress"
	"millrace/transforms/funnels"
)

// funnelsKey is the key of a YAML file under which funnels lie.
const funnelsKey = "funnels"

// ReadFunnels reads a YAML file of funnels: the list that the key funnels of a
// configuration has, alone or under that key. Every fault is reported, with file,
// line and key.
func ReadFunnels(content []byte, name string) ([]funnels.Definition, error) {
	return readList(content, name, funnelsFile(funnelsKey), funnels.Decode)
}

func funnelsFile(keys ...string) listFile {
	return listFile{flag: "--funnels", guide: "docs/funnels.md", keys: keys}
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

// describeLists adds funnels, rules and the masking policy to the settings of a run that has some: others
// make another run. Where they were written means nothing.
func (r *request) describeLists(described map[string]string) error {
	lists := map[string]any{}
	if len(r.Funnels) > 0 {
		lists[funnelsKey] = withoutPlaces(r.Funnels)
	}
	if len(r.Alerts) > 0 {
		lists[alertsKey] = r.Alerts
	}
	if r.MaskPolicy != nil {
		lists[maskpolicy.Key] = r.MaskPolicy.Policy
	}
	for key, list := range lists {
		b, err := json.Marshal(list)
		if err != nil {
			return err
		}
		described[key] = string(b)
	}
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
