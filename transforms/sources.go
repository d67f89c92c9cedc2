package transforms

import (
	"context"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/schemas/attack"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
	"millrace/transforms/rollup"
	"millrace/transforms/security"
)

func init() {
	beam.RegisterType(reflect.TypeFor[siteFn]())
}

// patternList is a list of what attackers ask for as it travels with a pipeline.
type patternList struct{ textFile }

const maxPatternList = 1 << 20 // bytes of a list

func readPatternList(path string) patternList {
	return patternList{readTextFile("the security patterns", path, maxPatternList)}
}

// parse gives the list, with the built-in one.
func (l patternList) parse() (*security.Patterns, error) {
	if err := l.err(); err != nil {
		return nil, err
	}
	return security.ParsePatterns(l.File, l.Text)
}

// PatternsVersion names the content of security patterns; path is empty for the
// built-in ones alone.
func PatternsVersion(path string) (string, error) {
	p, err := readPatternList(path).parse()
	if err != nil {
		return "", err
	}
	return p.Version(), nil
}

// sourceTable is the table of what sources do, as the other tables of rollups are.
type sourceTable struct{ security.Sources }

// Parts are a shard and hour each.
func (t *sourceTable) Parts() []rollup.Part { return rollupParts(t.Sources.Parts()) }

// MinuteParts are a shard and minute each.
func (t *sourceTable) MinuteParts() []rollup.Part { return rollupParts(t.Sources.MinuteParts()) }

func rollupParts(parts []security.Part) []rollup.Part {
	out := make([]rollup.Part, len(parts))
	for i, p := range parts {
		out[i] = rollup.Part{Key: p.Key, Blob: p.Blob}
	}
	return out
}

// Merge adds a part.
func (t *sourceTable) Merge(blob []byte) error { return t.MergeEncoded(blob) }

func (fn *rollupsFn) sources(emit func(table.Rows)) {
	b := table.NewBatch(attack.Sources)
	for _, r := range fn.rollups.sources.Rows() {
		b.PutInt(attack.SourceWindowStart, r.Start)
		b.PutString(attack.SourceToken, r.Token)
		putKnown(b, attack.SourceClientIP, r.Network, r.Network != "")
		b.PutInt(attack.SourceSources, r.Sources)
		for i, n := range r.Values() {
			b.PutInt(attack.SourceRequests+i, n)
		}
		b.PutInt(attack.SourceVersion, r.Requests+int64(fn.Common.revision(table.FloorDay(r.Start)))<<32)
		b.EndRow()
	}
	emit(table.Rows{Batch: b})
}

// Site gives how each minute of the whole site went, PCollection<table.Rows> of
// attack.Minutes, for rules of alerts to watch. It takes the sealed rows of traffic,
// in batches that have all status classes of a minute.
func Site(s beam.Scope, traffic beam.PCollection) beam.PCollection {
	return beam.ParDo(s.Scope("Site"), &siteFn{}, traffic)
}

type siteFn struct{}

func (fn *siteFn) ProcessElement(_ context.Context, traffic table.Rows, emit func(table.Rows)) {
	type minute struct{ requests, errors int64 }
	in, minutes, order := traffic.Batch, map[int64]*minute{}, []int64(nil)
	for row := range in.Len() {
		if in.Int(weblog.TrafficWindowSeconds, row) != 60 {
			continue
		}
		start := in.Int(weblog.TrafficWindowStart, row)
		m := minutes[start]
		if m == nil {
			m = &minute{}
			minutes[start], order = m, append(order, start)
		}
		views := in.Int(weblog.TrafficViews, row)
		m.requests += views
		if string(in.Text(weblog.TrafficStatusClass, row)) == rollup.Class5xx.String() {
			m.errors += views
		}
	}
	b := table.NewBatch(attack.Minutes)
	for _, start := range order {
		m := minutes[start]
		b.Append(&attack.Site{WindowStart: table.Millis(start), Requests: m.requests, ServerError: m.errors, ErrorRatio: float64(m.errors) / float64(m.requests)})
	}
	if b.Len() > 0 {
		emit(table.Rows{Batch: b, Group: traffic.Group})
	}
}
