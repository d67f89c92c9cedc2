package decode

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"millrace/internal/nearest"
)

// Mapping says where in a JSON object the fields of an event stand: names of the
// Elastic Common Schema, each with the way to its member, joined by dots.
type Mapping map[string]string

// MappingNames lists the names a mapping may have.
func MappingNames() []string { return slices.Sorted(maps.Keys(ecsFields)) }

// ParseMapping reads a mapping file, one field a line, blank lines and lines that
// begin with # apart:
//
//	"@timestamp": requestTime
//	client.address: identity.sourceIp
//	http.response.status_code: status
//
// An equals sign may stand for the colon, and either side may be quoted. All
// faults are reported, with the file's name and the line.
func ParseMapping(name string, content []byte) (Mapping, error) {
	m := Mapping{}
	var faults []error
	fault := func(line int, format string, a ...any) {
		faults = append(faults, fmt.Errorf("%s:%d: %s", name, line, fmt.Sprintf(format, a...)))
	}
	for i, line := range strings.Split(string(content), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		at := strings.IndexAny(line, ":=")
		if at < 0 {
			fault(i+1, "no colon; write FIELD: place.in.the.object")
			continue
		}
		key, place := unquoted(line[:at]), unquoted(line[at+1:])
		switch _, known := ecsFields[key]; {
		case !known:
			fault(i+1, "unknown field %q%s", key, suggest(key))
		case m[key] != "":
			fault(i+1, "%s stands there already", key)
		case strings.ContainsRune(place, ';'):
			fault(i+1, "%s: a member whose name has a semicolon cannot be mapped", key)
		case place == "" || slices.Contains(strings.Split(place, "."), ""):
			fault(i+1, "%s: %q is no way to a member; write names joined by dots", key, place)
		default:
			m[key] = place
		}
	}
	if len(faults) == 0 {
		if err := m.Validate(); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return m, nil
}

// suggest names the field that was meant, or else all.
func suggest(key string) string {
	if near := nearest.Name(key, MappingNames()); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	return fmt.Sprintf("; there are %s", strings.Join(MappingNames(), ", "))
}

// String is the mapping in one line, as the text of a Spec has it.
func (m Mapping) String() string {
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		lines = append(lines, key+" = "+m[key])
	}
	return strings.Join(lines, "; ")
}

func unquoted(s string) string { return strings.Trim(strings.TrimSpace(s), `"'`) }

// Validate tells whether events can be made with the mapping.
func (m Mapping) Validate() error {
	places := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if _, ok := ecsFields[key]; !ok {
			return fmt.Errorf("unknown field %q", key)
		}
		if other := places[m[key]]; other != "" {
			return fmt.Errorf("%s and %s have the same place %s", other, key, m[key])
		}
		places[m[key]] = key
	}
	if m["@timestamp"] == "" {
		return errors.New("no place for @timestamp: an event has a time")
	}
	if m["url.original"] == "" && m["url.path"] == "" && m["http.request.line"] == "" {
		return errors.New("no place for url.original, url.path or http.request.line: a request asks for something")
	}
	return nil
}

// APIGateway maps the JSON access logs of Amazon API Gateway, as its
// documentation has them.
func APIGateway() Mapping {
	return Mapping{
		"@timestamp": "requestTime", "client.address": "ip", "user.name": "user", "http.request.method": "httpMethod", "url.path": "resourcePath",
		"http.version": "protocol", "http.response.status_code": "status", "http.response.body.bytes": "responseLength", "http.request.id": "requestId",
	}
}
