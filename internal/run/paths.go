package run

import (
	"net/url"
	"slices"
	"strings"

	"millrace/internal/settings"
)

// absolutePositions is the URL of a stream with the file of positions named as it
// is from any working directory: a job can be resumed from another.
func absolutePositions(source string) string {
	place, query, _ := strings.Cut(source, "?")
	parts := strings.Split(query, "&")
	for i, part := range parts {
		text, is := strings.CutPrefix(part, "positions=")
		file, err := url.QueryUnescape(text)
		if !is || file == "" || err != nil {
			continue
		}
		parts[i] = "positions=" + strings.ReplaceAll(url.QueryEscape(absolute(file)), "%2F", "/")
	}
	if query == "" {
		return source
	}
	return place + "?" + strings.Join(parts, "&")
}

// absoluteFiles are values of settings with files named likewise.
func absoluteFiles(values []settings.Value, defaults any) []settings.Value {
	files := map[string]bool{}
	for _, s := range settings.Describe(defaults) {
		files[s.Name] = s.File
	}
	values = slices.Clone(values)
	for i := range values {
		if v := &values[i]; files[v.Name] && v.Text != "" {
			v.Text = absolute(v.Text)
		}
	}
	return values
}
