package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"millrace/internal/alertrules"
	"millrace/schemas/alert"
	"millrace/schemas/badrow"
	"millrace/schemas/table"
	"millrace/transforms/alerts"
	"millrace/transforms/decode"
	"millrace/transforms/security"
)

// logs counts what sources do and the traffic of the site, minute by minute.
type logs struct {
	sources    security.Sources
	site       map[int64]*[2]int64 // requests and errors of a minute
	classifier security.Classifier
	parser     decode.Parser
	lines, bad int
	last       int64
}

// access takes a line of an access log. A source is its address here: what is
// printed has none.
func (l *logs) access(line []byte) {
	var a decode.AccessLog
	l.lines++
	if l.parser.Parse(line, decode.Unknown, &a) != badrow.None {
		l.bad++
		return
	}
	l.last = max(l.last, a.Time)
	if n, counts := l.classifier.Access(&a); counts && a.Addr.IsValid() {
		l.sources.Add(a.Time, security.Source{Token: a.Addr.String()}, &n)
	}
	if l.site == nil {
		l.site = map[int64]*[2]int64{}
	}
	minute := a.Time - a.Time%security.Minute
	if l.site[minute] == nil {
		l.site[minute] = &[2]int64{}
	}
	l.site[minute][0]++
	if a.Status >= 500 && a.Status < 600 {
		l.site[minute][1]++
	}
}

// auth takes a line of a log of authentication, which ends before the reference.
func (l *logs) auth(line []byte, reference int64) {
	var a decode.AuthLog
	l.lines++
	p := decode.SyslogParser{Reference: reference}
	if p.Parse(line, &a) != badrow.None {
		l.bad++
		return
	}
	l.last = max(l.last, a.Time)
	if n, counts := security.Auth(&a); counts && a.Addr.IsValid() {
		l.sources.Add(a.Time, security.Source{Token: a.Addr.String()}, &n)
	}
}

// watch runs all security rules over what was counted, and gives the rows of
// alerts by time.
func (l *logs) watch() ([]alert.Row, error) {
	rules, err := alertrules.Decode(security.AlertRules, "alerts.yaml")
	if err != nil {
		return nil, err
	}
	var out []alert.Row
	end := l.last + 48*60*security.Minute
	for i := range rules {
		r := &rules[i]
		watches := map[string]*alerts.Watch{}
		add := func(key string, reading alerts.Reading) {
			if watches[key] == nil {
				watches[key] = alerts.NewWatch(r, key, nil)
			}
			out = append(out, watches[key].Seal(reading.Time)...) // readings come in order
			watches[key].Add(reading)
		}
		switch r.Input {
		case "sources":
			for _, row := range l.sources.Rows() {
				value, _ := row.Field(r.Field)
				while, _ := row.Field(r.WhileField)
				key, _ := r.KeyOf(func(string) string { return row.Token })
				add(key, alerts.Reading{Time: row.Start, Value: float64(value), While: float64(while)})
			}
		case "site":
			for _, minute := range slices.Sorted(maps.Keys(l.site)) {
				n := l.site[minute]
				add("", alerts.Reading{Time: minute, Value: float64(n[1]) / float64(n[0]), While: float64(n[1])})
			}
		default:
			return nil, fmt.Errorf("rule %s watches input %s, which there is not", r.Name, r.Input)
		}
		for _, w := range watches {
			out = append(out, w.Seal(end)...)
		}
	}
	slices.SortFunc(out, func(a, b alert.Row) int {
		if a.ChangedAt != b.ChangedAt {
			return int(a.ChangedAt - b.ChangedAt)
		}
		return strings.Compare(a.Rule+a.Key+a.State, b.Rule+b.Key+b.State)
	})
	return out, nil
}

// firings are the rows that begin an alert.
func firings(rows []alert.Row) []alert.Row {
	return slices.DeleteFunc(slices.Clone(rows), func(r alert.Row) bool { return r.State != alert.Firing })
}

// within tells whether an alert begins in a time with some room on both sides.
func within(at table.Millis, from, to, room int64) bool {
	return int64(at) >= from-room && int64(at) <= to+room
}

// readLog gives the lines of a log that may be compressed.
func readLog(path string) ([][]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	in, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if b, err = io.ReadAll(in); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")), nil
}
