package run

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"millrace/jobs"
)

// Outputs are the sinks that outputs go to besides the lake: their URLs, by output.
type Outputs map[string][]string

// Add adds a sink of an output.
func (o *Outputs) Add(output, url string) {
	if *o == nil {
		*o = Outputs{}
	}
	(*o)[output] = append((*o)[output], url)
}

// UnmarshalJSON reads also what was noted while an output could go to one sink only.
func (o *Outputs) UnmarshalJSON(text []byte) error {
	var noted map[string]json.RawMessage
	if err := json.Unmarshal(text, &noted); err != nil {
		return err
	}
	*o = nil
	for output, value := range noted {
		var list []string
		if json.Unmarshal(value, &list) != nil {
			var one string
			if err := json.Unmarshal(value, &one); err != nil {
				return err
			}
			list = []string{one}
		}
		for _, url := range list {
			o.Add(output, url)
		}
	}
	return nil
}

// sinkOf is one sink of a run.
type sinkOf struct {
	Name   string // the output's, with the kind of sink behind it where there are several
	Output jobs.Output
	URL    string
}

// sinks are those of a request, in the order of the job's outputs.
func (r *request) sinks() (list []sinkOf) {
	taken := map[string]bool{}
	for _, out := range r.job.Outputs {
		urls := r.Outputs[out.Name]
		for _, url := range urls {
			name := out.Name
			if len(urls) > 1 {
				kind, _, _ := strings.Cut(url, "://")
				kind, _, _ = strings.Cut(kind, "+")
				name += "-" + kind
			}
			for n, first := 2, name; taken[name]; n++ {
				name = fmt.Sprintf("%s-%d", first, n)
			}
			taken[name] = true
			list = append(list, sinkOf{name, out, url})
		}
	}
	return list
}

// duplicate is a URL that is there twice, empty when none is.
func duplicate(urls []string) string {
	for i, url := range urls {
		if slices.Contains(urls[:i], url) {
			return url
		}
	}
	return ""
}
