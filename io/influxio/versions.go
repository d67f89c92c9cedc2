package influxio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"millrace/io/timeseries"
	"millrace/schemas/table"
)

// versions is the answer to a query for versions.
type versions struct {
	Error   string
	Results []struct {
		Error   string
		Partial bool
		Series  []series
	}
}

type series struct {
	Name    string
	Tags    map[string]string
	Columns []string
	Partial bool
	Values  []point
}

// point is what is stored of one: its time in nanoseconds, the rank of its version (0
// where it has none) and the values of folded columns, as JSON.
type point struct {
	time, rank int64
	values     int
	ids        []json.RawMessage
}

// UnmarshalJSON reads [time, version, sealed, ids...]; encoding/json has seen to it that
// it is JSON. Every row that comes again has such a point, so it is read by hand.
func (p *point) UnmarshalJSON(text []byte) error {
	if len(text) == 0 || text[0] != '[' {
		return errors.New("a point that is no list")
	}
	version, sealed, rest := int64(-1), false, text[1:]
	for i := 0; len(rest) > 0 && rest[0] != ']'; i++ {
		n, err := valueLength(rest)
		if err != nil {
			return err
		}
		value := bytes.TrimSpace(rest[:n])
		switch {
		case i == 0:
			p.time, err = strconv.ParseInt(string(value), 10, 64)
		case i == 1 && string(value) != "null":
			if version, err = strconv.ParseInt(string(value), 10, 64); err == nil && (version < 0 || version > timeseries.MaxVersion) {
				err = fmt.Errorf("a version of %d", version)
			}
		case i == 2:
			sealed = string(value) == "true"
		case i > 2:
			p.ids = append(p.ids, bytes.Clone(value))
		}
		if err != nil {
			return err
		}
		p.values++
		if rest = rest[n:]; len(rest) > 0 && rest[0] == ',' {
			rest = rest[1:]
		}
	}
	if p.values < 3 {
		return errors.New("a point of fewer than three values")
	}
	if version >= 0 {
		kind := table.Sealed
		if !sealed {
			kind = table.Provisional
		}
		p.rank = timeseries.Rank(version, kind)
	}
	return nil
}

// valueLength is how long the first value of a list is, up to the comma or bracket
// behind it.
func valueLength(text []byte) (int, error) {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ',' || c == ']':
			return i, nil
		case c == '[' || c == '{':
			return 0, errors.New("a point that holds more than values")
		}
	}
	return 0, errors.New("a point without an end")
}

// id is the text of a stored value of a folded column; nil for null.
func (p *point) id(i int, kind table.Kind) ([]byte, error) {
	if string(p.ids[i]) == "null" {
		return nil, nil
	}
	switch kind {
	case table.Int32, table.Int64, table.Bool:
		return p.ids[i], nil
	default:
		var text string
		if err := json.Unmarshal(p.ids[i], &text); err != nil {
			return nil, fmt.Errorf("no answer about versions: %w", err)
		}
		return []byte(text), nil
	}
}

func decodeVersions(answer []byte, c *config) (v versions, err error) {
	if err := json.Unmarshal(answer, &v); err != nil {
		return versions{}, fmt.Errorf("no answer about versions: %w", err)
	}
	if v.Results == nil && v.Error == "" {
		return versions{}, errors.New("no answer about versions: it has no results")
	}
	for _, s := range v.series() {
		for _, p := range s.Values {
			if p.values != len(c.folded)+3 {
				return versions{}, fmt.Errorf("no answer about versions: a point has %d values, want %d", p.values, len(c.folded)+3)
			}
		}
	}
	return v, nil
}

// fault is what an answer says is wrong: InfluxDB gives status 200 once it answers.
func (v *versions) fault(c *config) error {
	told := v.Error
	for _, r := range v.Results {
		if told == "" {
			told = r.Error
		}
		if r.Partial {
			return errAnswerLong
		}
	}
	for _, s := range v.series() {
		if s.Partial { // a limit of the server's
			return errAnswerLong
		}
	}
	if told != "" {
		return c.answerError(http.StatusBadRequest, told)
	}
	return nil
}

func (v *versions) series() (all []series) {
	for _, r := range v.Results {
		all = append(all, r.Series...)
	}
	return all
}
