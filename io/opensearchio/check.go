package opensearchio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"millrace/io/driver"
	"millrace/schemas/table"
)

var _ driver.Checker = (*Sink)(nil)

// Validate tells what is wrong with a URL for rows of a schema, without asking
// anybody. The login's variable need not be set here: it is the workers'.
func Validate(raw string, schema *table.Schema) error {
	_, err := read(raw, schema)
	return err
}

// checkLimit is how many bytes an answer to a check has at most.
const checkLimit = 16 << 20

// Check implements driver.Checker: it looks at the server, its version, the mappings
// and blocks of the indexes there are, and the template.
func (s *Sink) Check(ctx context.Context) []driver.Check {
	version, err := s.version(ctx)
	if err != nil {
		return []driver.Check{{What: "reach", Err: err}}
	}
	checks := []driver.Check{{What: "reach", Found: version}}
	add := func(what, found string, err error) {
		checks = append(checks, driver.Check{What: what, Found: found, Err: err})
	}
	found, err := s.mappings(ctx)
	add("mapping", found, err)
	found, err = s.blocks(ctx)
	add("blocks", found, err)
	if s.config.template {
		found, err = s.templateState(ctx)
		add("template", found, err)
	}
	return checks
}

// ask reads an answer. Nothing is there is no error.
func (s *Sink) ask(ctx context.Context, path string, into any) (there bool, err error) {
	var answer bytes.Buffer
	status, err := s.client.call(ctx, http.MethodGet, path, "", nil, false, checkLimit, &answer)
	switch {
	case err != nil:
		return false, err
	case status == http.StatusNotFound:
		return false, nil
	case status != http.StatusOK:
		kind, reason := decodeError(answer.Bytes())
		return false, s.config.answerError(status, kind, reason)
	}
	if err := json.Unmarshal(answer.Bytes(), into); err != nil {
		return false, s.config.corrupt(err)
	}
	return true, nil
}

func (s *Sink) version(ctx context.Context) (string, error) {
	var root struct {
		Version struct{ Number, Distribution string }
	}
	there, err := s.ask(ctx, "/", &root)
	switch {
	case err != nil:
		return "", err
	case !there || root.Version.Number == "":
		return "", s.config.corrupt(errors.New("it does not tell its version"))
	case root.Version.Distribution != "opensearch":
		return "", s.config.fault("the server is no OpenSearch (it calls itself version "+root.Version.Number+")", "name one; Elasticsearch was never tried")
	}
	return "OpenSearch " + root.Version.Number, nil
}

// names are the indexes of the sink, as the path of a question about all of them.
func (s *Sink) names() string {
	var list []string
	for _, p := range s.config.index.patterns() {
		list = append(list, strings.ReplaceAll(url.PathEscape(p), "%2A", "*"))
	}
	return "/" + strings.Join(list, ",")
}

const wherever = "?allow_no_indices=true&ignore_unavailable=true&expand_wildcards=open"

// mappings compares the indexes there are with what the rows need.
func (s *Sink) mappings(ctx context.Context) (string, error) {
	var indexes map[string]struct {
		Mappings struct {
			Dynamic    any
			Properties map[string]struct{ Type string }
		}
	}
	if _, err := s.ask(ctx, s.names()+"/_mapping"+wherever, &indexes); err != nil {
		return "", err
	}
	want, _ := s.config.mapping()["properties"].(object)
	for _, index := range slices.Sorted(maps.Keys(indexes)) {
		m := indexes[index].Mappings
		for _, column := range slices.Sorted(maps.Keys(want)) {
			needed, _ := want[column].(object)
			there, ok := m.Properties[column]
			switch {
			case ok && !holds(there.Type, fmt.Sprint(needed["type"])):
				return "", s.config.fault(fmt.Sprintf("in the index %s the field %s is of type %s, which does not take every %s", index, column, there.Type, needed["type"]),
					"make the index anew, or send the rows to another")
			case !ok && !s.config.template && fmt.Sprint(m.Dynamic) == "strict":
				return "", s.config.fault(fmt.Sprintf("the index %s has no field %s, and takes no others", index, column), "add it to its mapping, or leave template=skip out")
			}
		}
	}
	switch len(indexes) {
	case 0:
		return "no index yet; the first row makes it", nil
	case 1:
		return "1 index, and its fields take the rows", nil
	}
	return fmt.Sprintf("%d indexes, and their fields take the rows", len(indexes)), nil
}

// holds tells whether a field of a type takes all values that one of another type
// takes.
func holds(there, needed string) bool {
	wider := map[string][]string{
		"integer": {"long", "double", "unsigned_long"}, "long": {"double"}, "keyword": {"text", "wildcard", "match_only_text"}, "ip": {"keyword", "text", "wildcard"},
		"date": {"keyword", "date_nanos"}, "boolean": {"keyword"}, "binary": {"keyword", "text"},
	}
	return there == needed || slices.Contains(wider[needed], there)
}

// blocks looks for what forbids writing.
func (s *Sink) blocks(ctx context.Context) (string, error) {
	var indexes map[string]struct {
		Settings map[string]string
	}
	if _, err := s.ask(ctx, s.names()+"/_settings/index.blocks.*"+wherever+"&flat_settings=true", &indexes); err != nil {
		return "", err
	}
	for _, index := range slices.Sorted(maps.Keys(indexes)) {
		for _, setting := range slices.Sorted(maps.Keys(indexes[index].Settings)) {
			if indexes[index].Settings[setting] == "true" && setting != "index.blocks.metadata" {
				return "", &driver.Error{
					Doing: "write to", Object: s.config.place, Class: driver.ErrReadOnly, Cause: fmt.Errorf("the index %s has %s", index, setting),
					Cure: "lift the block; OpenSearch sets one itself when disks are full",
				}
			}
		}
	}
	return "none", nil
}

// templateState looks whether the template is as the rows need it.
func (s *Sink) templateState(ctx context.Context) (string, error) {
	_, digest, err := s.config.indexTemplate()
	if err != nil {
		return "", err
	}
	present, err := s.client.hasTemplate(ctx, "/_index_template/"+url.PathEscape(s.config.index.template()), digest)
	if err != nil || !present {
		return s.config.index.template() + ": will be put before the first row", err
	}
	return s.config.index.template() + ": as it is to be", nil
}
