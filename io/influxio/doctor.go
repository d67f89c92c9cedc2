package influxio

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
	"millrace/io/timeseries"
	"millrace/schemas/table"
)

var _ driver.Checker = (*Sink)(nil)

// askedLimit is how many bytes an answer to a check has at most: a measurement can have
// fields of other writers.
const askedLimit = 4 << 20

// Check implements driver.Checker: it looks at the server and its version, whether it
// takes writings of these credentials, how long it keeps rows, and the types of the
// fields that are there.
//
// Whether a writing is taken is asked with one of no rows: InfluxDB looks at the
// database, the login and its rights first.
func (s *Sink) Check(ctx context.Context) []driver.Check {
	version, err := s.reach(ctx)
	checks := []driver.Check{{What: "reach", Found: version, Err: err}}
	if errors.Is(err, driver.ErrUnavailable) {
		return checks
	}
	add := func(what, found string, err error) {
		checks = append(checks, driver.Check{What: what, Found: found, Err: err})
	}
	found, err := s.writing(ctx)
	add("writing", found, err)
	found, err = s.unlessUnread(s.retention(ctx))
	add("retention", found, err)
	found, err = s.unlessUnread(s.fieldTypes(ctx))
	add("fields", found, err)
	return checks
}

// reach gives the version of a server.
func (s *Sink) reach(ctx context.Context) (string, error) {
	path := "/ping"
	if s.config.v2() {
		path = "/health"
	}
	var answer bytes.Buffer
	status, header, err := s.exchange(ctx, http.MethodGet, path, http.Header{}, nil, answerLimit, &answer)
	switch {
	case err != nil && !errors.Is(err, errAnswerLong):
		return "", err
	case status != http.StatusOK && status != http.StatusNoContent:
		return "", s.config.answerError(status, message(answer.Bytes()))
	}
	var health struct{ Version string }
	_ = json.Unmarshal(answer.Bytes(), &health) // nothing, where it pings
	for _, version := range []string{header.Get("X-Influxdb-Version"), health.Version} {
		if version != "" && version != "unknown" { // as it is in a server that was built without one
			return "InfluxDB " + strings.TrimPrefix(version, "v"), nil
		}
	}
	return "a server that does not tell its version", nil
}

// noPoints is what InfluxDB 2 says of a writing of no rows, after all else was well.
const noPoints = "writing requires points"

// writing writes nothing, as these credentials.
func (s *Sink) writing(ctx context.Context) (string, error) {
	var answer bytes.Buffer
	status, err := s.call(ctx, s.config.write, "text/plain; charset=utf-8", nil, false, answerLimit, &answer)
	switch {
	case err != nil && !errors.Is(err, errAnswerLong):
		return "", err
	case status == http.StatusOK, status == http.StatusNoContent, status == http.StatusBadRequest && message(answer.Bytes()) == noPoints:
		return "these credentials may write", nil
	}
	return "", s.config.answerError(status, message(answer.Bytes()))
}

// unlessUnread makes it no error that there is nothing to read where the sink reads
// nothing either: it may not be allowed to, and InfluxDB 2 need not know InfluxQL.
func (s *Sink) unlessUnread(found string, err error) (string, error) {
	if err != nil && !s.config.check && (errors.Is(err, driver.ErrPermission) || errors.Is(err, driver.ErrNotFound) && s.config.v2()) {
		return "was not looked at: these credentials may not read, and rows need no reading", nil
	}
	return found, err
}

// ask gives the rows of the answer to a statement, values by the names of columns.
func (s *Sink) ask(ctx context.Context, statement string) (rows []map[string]string, err error) {
	var answer bytes.Buffer
	body := url.Values{"q": {statement}}.Encode()
	status, err := s.call(ctx, s.config.query, "application/x-www-form-urlencoded", []byte(body), false, askedLimit, &answer)
	switch {
	case errors.Is(err, errAnswerLong) && status == http.StatusOK:
		return nil, s.config.corrupt(err)
	case err != nil && !errors.Is(err, errAnswerLong):
		return nil, err
	case status != http.StatusOK:
		return nil, s.config.answerError(status, message(answer.Bytes()))
	}
	var told struct {
		Error   string
		Results []struct {
			Error  string
			Series []struct {
				Columns []string
				Values  [][]any
			}
		}
	}
	if err := json.Unmarshal(answer.Bytes(), &told); err != nil || told.Results == nil && told.Error == "" {
		return nil, s.config.corrupt(errors.New("no answer about a database"))
	}
	for _, result := range told.Results {
		if told.Error == "" {
			told.Error = result.Error
		}
		for _, series := range result.Series {
			for _, values := range series.Values {
				row := map[string]string{}
				for i, value := range values[:min(len(values), len(series.Columns))] {
					row[series.Columns[i]] = fmt.Sprint(value)
				}
				rows = append(rows, row)
			}
		}
	}
	if told.Error != "" {
		return nil, s.config.answerError(http.StatusBadRequest, told.Error)
	}
	return rows, nil
}

// retention tells how long the retention policy keeps rows; those that are older are
// refused.
func (s *Sink) retention(ctx context.Context) (string, error) {
	c := s.config
	policies, err := s.ask(ctx, `SHOW RETENTION POLICIES ON "`+c.database+`"`)
	if err != nil {
		return "", err
	}
	var names []string
	for _, p := range policies {
		names = append(names, p["name"])
		switch {
		case c.policy != "" && p["name"] != c.policy, c.policy == "" && p["default"] != "true":
		case p["duration"] == "0s":
			return p["name"] + " keeps rows for good", nil
		default:
			return fmt.Sprintf("%s keeps rows for %s, and older ones are refused", p["name"], p["duration"]), nil
		}
	}
	what, cure := "the retention policy "+c.policy+" is none of "+strings.Join(names, ", "), "make it (CREATE RETENTION POLICY), or name another with rp="
	if c.policy == "" {
		what, cure = "the database has no default retention policy", "name one with rp="
	}
	return "", &driver.Error{Doing: "write to", Object: c.place, Class: driver.ErrNotFound, Cause: errors.New(what), Cure: cure}
}

// fieldTypes compares the fields there are with those that the rows bring. A field has
// a type in each shard, and rows of a shard where it has another are refused.
func (s *Sink) fieldTypes(ctx context.Context) (string, error) {
	c := s.config
	fields, err := s.ask(ctx, "SHOW FIELD KEYS FROM "+c.from)
	if err != nil {
		return "", err
	}
	if len(fields) == 0 {
		return c.measurement + " is not there yet; the first row makes it", nil
	}
	there := map[string][]string{}
	for _, f := range fields {
		there[f["fieldKey"]] = append(there[f["fieldKey"]], f["fieldType"])
	}
	want := s.encoder.fieldTypes()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		for _, other := range there[name] {
			if other != want[name] {
				return "", c.fault(fmt.Sprintf("the field %s of %s is of type %s, and rows bring one of type %s", name, c.measurement, strings.Join(there[name], " and "), want[name]),
					"write into another measurement with measurement=, or remove what is there")
			}
		}
	}
	return c.measurement + " is there, and its fields take the rows", nil
}

// fieldTypes are the types of the fields that rows bring, in InfluxDB's words.
func (e *encoder) fieldTypes() map[string]string {
	list := map[string]string{}
	for _, col := range e.config.fields {
		column := e.config.shape.Schema.Columns[col]
		switch column.Kind {
		case table.Int32, table.Int64, table.Time:
			list[column.Name] = "integer"
		case table.Bool:
			list[column.Name] = "boolean"
		case table.Float64:
			list[column.Name] = "float"
		default:
			list[column.Name] = "string"
		}
	}
	if e.config.shape.Version >= 0 {
		list[timeseries.Sealed], list[timeseries.Withdrawn] = "boolean", "boolean"
	}
	if e.nulls {
		list[nulls] = "string"
	}
	return list
}
