package influxio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

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
	ids        []json.RawMessage
}

// UnmarshalJSON reads [time, version, sealed, ids...].
func (p *point) UnmarshalJSON(text []byte) error {
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	if len(list) < 3 {
		return errors.New("a point of fewer than three values")
	}
	var version *int64
	var sealed *bool
	if err := errors.Join(json.Unmarshal(list[0], &p.time), json.Unmarshal(list[1], &version), json.Unmarshal(list[2], &sealed)); err != nil {
		return err
	}
	if version != nil {
		if *version < 0 || *version > timeseries.MaxVersion {
			return fmt.Errorf("a version of %d", *version)
		}
		kind := table.Sealed
		if sealed == nil || !*sealed {
			kind = table.Provisional
		}
		p.rank = timeseries.Rank(*version, kind)
	}
	for _, id := range list[3:] {
		p.ids = append(p.ids, bytes.Clone(id))
	}
	return nil
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
			if len(p.ids) != len(c.folded) {
				return versions{}, fmt.Errorf("no answer about versions: a point has %d values, want %d", len(p.ids)+3, len(c.folded)+3)
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
