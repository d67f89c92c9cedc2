package run

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"

	"millrace/internal/settings"
)

// checkFormat reads the format of the lines, which the option or a parameter of the
// source names, and puts it there in full: workers have no files of ours, and what
// is in them decides the rows and so the run.
func (r *request) checkFormat() []error {
	place, parameters, _ := strings.Cut(r.Source, "?")
	values, err := url.ParseQuery(parameters)
	if err != nil || !strings.Contains(place, "://") {
		values = url.Values{} // whoever opens the source says what is wrong with it
	}
	inURL := values.Get("format")
	if r.Format != "" && inURL != "" {
		return []error{fmt.Errorf("%s %s: the source names a format, too; leave one out", r.at("format"), r.Format)}
	}
	text := cmp.Or(r.Format, inURL)
	if text == "" {
		return nil
	}
	if r.format, err = r.job.ReadFormat(text, settings.ReadFile); err != nil {
		where := r.at("source") + ": format=" + text
		if r.Format != "" {
			where = r.at("format") + " " + text
		}
		return []error{fmt.Errorf("%s: %w; millrace jobs show %s lists the formats", where, err, r.job.Name)}
	}
	switch {
	case r.Format != "":
		r.Format = r.format
	case r.format != inURL:
		values.Set("format", r.format)
		r.Source = place + "?" + values.Encode()
	}
	return nil
}

// formatText is a format for people: those that hold a header, a mapping or a
// log_format are long.
func formatText(format string) string {
	const most = 60
	if len(format) <= most {
		return format
	}
	return strings.ToValidUTF8(format[:most], "") + " ..."
}
