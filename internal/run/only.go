package run

import (
	"fmt"
	"slices"
	"strings"

	"millrace/internal/settings"
	"millrace/io/refusal"
	"millrace/schemas/badrow"
	"millrace/schemas/late"
	"millrace/schemas/raw"
)

// always are the outputs that every run makes, whatever it is asked for: what could not
// be read shows, and what is archived says an option of its own.
var always = []string{badrow.Rows.Name, late.Rows.Name, raw.Rows.Name, refusal.Output}

// checkOnly reads which outputs are asked for.
func (r *request) checkOnly() (faults []error) {
	if r.Only == "" {
		return nil
	}
	r.only = slices.Clone(always)
	names := r.job.OutputNames()
	for name := range strings.SplitSeq(r.Only, ",") {
		name = strings.TrimSpace(name)
		if !slices.Contains(names, name) {
			faults = append(faults, fmt.Errorf("%s: job %s has no output %s%s", r.at("only"), r.job.Name, name, settings.Suggest(name, names)))
			continue
		}
		r.only = append(r.only, name)
	}
	return faults
}

// checkOnlyIsMade reports outputs that are asked for by name and lack what they need.
func (r *request) checkOnlyIsMade() (faults []error) {
	for _, name := range r.only {
		if lacks := r.lacks(name); lacks != "" && !slices.Contains(always, name) {
			faults = append(faults, fmt.Errorf("%s: there are no %s, and so no output %s", r.at("only"), lacks, name))
		}
	}
	return faults
}

// leavesOut tells whether an output is not asked for.
func (r *request) leavesOut(output string) bool {
	return r.only != nil && !slices.Contains(r.only, output)
}
