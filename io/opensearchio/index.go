package opensearchio

import (
	"errors"
	"fmt"
	"strings"

	"millrace/io/rowjson"
)

// indexName is an index, or one for each day.
type indexName struct {
	before, after string
	daily         bool
}

// Days that have an index. Patterns of templates name their centuries, so that a
// template of weblogs-{day} does not hold for an index weblogs-sessions-2026-01-31.
const (
	firstDay = -25567 // 1900-01-01
	lastDay  = 47481  // 2099-12-31
)

var centuries = []string{"19", "20"}

func parseIndex(text string) (n indexName, err error) {
	before, after, daily := strings.Cut(text, "{day}")
	n = indexName{before, after, daily}
	switch {
	case text == "":
		return n, errors.New("the name of the index is missing")
	case strings.Contains(text, "/"):
		return n, errors.New("an index has no path")
	case strings.ContainsAny(before+after, "{}"):
		return n, errors.New("of names in braces an index can have {day}, once")
	case daily && strings.Trim(before+after, "-_.") == "":
		return n, errors.New("an index needs a name beside {day}")
	}
	return n, checkName(n.of(nil, 0))
}

// checkName applies OpenSearch's rules.
func checkName(name string) error {
	switch {
	case strings.ToLower(name) != name:
		return errors.New("names of indexes are in lower case")
	case strings.ContainsAny(name, "\\/*?\"<>| ,#:") || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errors.New(`names of indexes have none of \ / * ? " < > | , # : and no space`)
	case strings.ContainsAny(name[:1], "-_+."):
		return errors.New("names of indexes do not begin with a dot, hyphen, underscore or plus")
	case len(name) > 255:
		return fmt.Errorf("names of indexes have 255 bytes at most, this has %d", len(name))
	}
	return nil
}

// of is the index of a day.
func (n indexName) of(dst []byte, day int64) string { return string(n.append(dst, day)) }

func (n indexName) append(dst []byte, day int64) []byte {
	dst = append(dst, n.before...)
	if n.daily {
		dst = rowjson.AppendDay(dst, day)
	}
	return append(dst, n.after...)
}

// patterns hold for the indexes of this name and for no other's.
func (n indexName) patterns() (list []string) {
	if !n.daily {
		return []string{n.before}
	}
	for _, c := range centuries {
		list = append(list, n.before+c+"*"+n.after)
	}
	return list
}

// template is the name of the index template.
func (n indexName) template() string {
	if !n.daily {
		return "millrace-" + n.before
	}
	return "millrace-" + n.before + "day" + n.after
}
