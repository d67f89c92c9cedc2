package transforms

import (
	"context"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/schemas/alert"
	"millrace/schemas/table"
	"millrace/transforms/alerts"
)

func init() {
	beam.RegisterType(reflect.TypeFor[alertReadingsFn]())
	beam.RegisterType(reflect.TypeFor[alertsFn]())
}

// AlertInput is rows that rules of alerts can watch. The time of a row is its
// schema's day column, unless Time names another.
type AlertInput struct {
	Rows   beam.PCollection // of table.Rows, sealed; may be left out where rules are only checked
	Schema *table.Schema
	// Window is how long after its time a row is sealed at the latest: for rollups the
	// length of their windows, which begin at multiples of it.
	Window time.Duration
	// Time is a column of times, and After is instead of Window for rows whose time can be
	// any: how long after it they are sealed, as carts are after they were changed last.
	Time  string
	After time.Duration
	// History says that a row follows from all that came before, as scores do.
	History bool
	// Sparse says that a number that is 0 is as if its row were not there, as rows are
	// not there that have nothing but zeros.
	Sparse bool
}

// Alerts watches rows by rules, in the global window, and gives alert rows,
// PCollection<table.Rows> of alert.Rows, one for each transition: a transition follows
// from sealed rows alone, and so is sealed itself, see alerts.Sealed for the exception.
// Windows are judged up to the end of the last day that is to be written, or else the
// end of time. provisional, of a live run, has all transitions for sinks, where the
// later one of an alert takes the place of the earlier one.
func Alerts(s beam.Scope, c Common, rules []alerts.Rule, inputs map[string]AlertInput) (rows, provisional beam.PCollection) {
	s = s.Scope("Alerts")
	watched := watchedRules{Rules: rules}
	readings := map[string][]alerts.Rule{}
	for _, r := range rules {
		in, ok := inputs[r.Input]
		if !ok {
			panic("transforms: rule " + r.Name + " watches " + r.Input + ", which is no input; CheckAlerts tells")
		}
		watched.Lags = append(watched.Lags, alertLag(&r, in))
		watched.History = append(watched.History, in.History)
		readings[r.Input] = append(readings[r.Input], r)
	}
	var all []beam.PCollection
	for _, name := range slices.Sorted(maps.Keys(readings)) {
		all = append(all, beam.ParDo(s.Scope(name), &alertReadingsFn{Run: c.Run, Rules: readings[name], Schema: inputs[name].Schema.ID(), Time: inputs[name].Time, Sparse: inputs[name].Sparse}, inputs[name].Rows))
	}
	keyed := all[0]
	if len(all) > 1 {
		keyed = beam.Flatten(s, all...)
	}
	if c.Live != nil {
		return beam.ParDo2(s, newLiveAlertsFn(c, watched), keyed)
	}
	return beam.ParDo(s, &alertsFn{Common: c, Watched: watched}, beam.GroupByKey(s, keyed)), beam.PCollection{}
}

// alertLag is how long after the end of a rule's window all of its readings are
// there, in milliseconds.
func alertLag(r *alerts.Rule, in AlertInput) int64 {
	if in.After > 0 {
		return in.After.Milliseconds()
	}
	window := longest(in.Window.Milliseconds(), r.Where)
	if len(r.Per) > 0 {
		window = max(window, longest(in.Window.Milliseconds(), r.Per))
	}
	switch {
	case window == 0 || r.Every%window == 0:
		return 0
	case window%r.Every == 0:
		return window - r.Every
	}
	return window
}

// longest is how long the windows are, at the most, of rows that match.
func longest(window int64, of []alerts.Match) int64 {
	for _, m := range of {
		if seconds := int64(0); m.Column == "window_seconds" {
			if _, err := fmt.Sscan(m.Value, &seconds); err == nil && seconds > 0 {
				window = min(window, max(1000*seconds, tick)) // shorter ones are sealed by the minute
			}
		}
	}
	return window
}

// watchedRules are rules with what their inputs say.
type watchedRules struct {
	Rules   []alerts.Rule
	Lags    []int64 // milliseconds
	History []bool
}

// alertKey is a rule and the key that it watches.
func alertKey(rule, key string) string { return rule + "\x00" + key }

// find is the rule of an alertKey.
func (w *watchedRules) find(key string) (i int, watched string, err error) {
	name, watched, _ := strings.Cut(key, "\x00")
	if i = slices.IndexFunc(w.Rules, func(r alerts.Rule) bool { return r.Name == name }); i < 0 {
		return 0, "", fmt.Errorf("there is no alert rule %q; resume with the rules of the savepoint", name)
	}
	return i, watched, nil
}

// replayer gives the command that computes a rule's alerts of days again.
func (w *watchedRules) replayer(c *Common, i int) alerts.Replayer {
	if c.Replay == "" {
		return nil
	}
	if w.History[i] {
		return func(_, to string) string { return c.Replay + " --to " + to }
	}
	return func(from, to string) string { return c.Replay + " --from " + from + " --to " + to }
}

// alertReadingsFn turns rows into readings by rule and key.
type alertReadingsFn struct {
	Run    string
	Rules  []alerts.Rule // of one input
	Schema string
	Time   string // column; the day column when empty
	Sparse bool

	readers []ruleReader
	gather  gatherer
}

func (fn *alertReadingsFn) Setup() error {
	schema, ok := table.Lookup(fn.Schema)
	if !ok {
		return fmt.Errorf("readings of alerts: unknown schema %s", fn.Schema)
	}
	fn.readers = nil
	for i := range fn.Rules {
		r, err := newRuleReader(&fn.Rules[i], schema)
		if err != nil {
			return err
		}
		r.sparse = fn.Sparse
		if fn.Time != "" {
			if r.time, ok = schema.Index(fn.Time); !ok {
				return fmt.Errorf("readings of alerts: %s has no column %s", fn.Schema, fn.Time)
			}
		}
		fn.readers = append(fn.readers, r)
	}
	return nil
}

func (fn *alertReadingsFn) ProcessElement(_ context.Context, rows table.Rows, emit func(string, []byte)) error {
	for i := range fn.readers {
		r := &fn.readers[i]
		byKey := r.read(rows.Batch)
		for _, key := range slices.Sorted(maps.Keys(byKey)) {
			if err := fn.gather.add(alertKey(r.rule.Name, key), alerts.AppendReadings(nil, *byKey[key]), emit); err != nil {
				return err
			}
		}
	}
	return nil
}

// FinishBundle gives what the bundle has for each shard of keys.
func (fn *alertReadingsFn) FinishBundle(emit func(string, []byte)) error {
	return fn.gather.flush(emit)
}

// alertsFn watches the rules and keys of a shard from the first reading to the last. Rows of
// many keys go on together: there are a few of each, and a batch of them costs a file.
type alertsFn struct {
	Common  Common
	Watched watchedRules

	rows *table.Batch // of this bundle, nil for none
}

// alertRows is how many rows of alerts go on together.
const alertRows = 4096

func (fn *alertsFn) ProcessElement(_ context.Context, shard string, next func(*[]byte) bool, emit func(table.Rows)) error {
	return eachKeyOf(next, func(key string, blobs [][]byte) error {
		if err := fn.watch(key, blobs); err != nil {
			return fmt.Errorf("readings of alert rule %q: %w", key, err)
		}
		if fn.rows.Len() >= alertRows {
			fn.FinishBundle(emit)
		}
		return nil
	})
}

func (fn *alertsFn) watch(key string, blobs [][]byte) error {
	i, watched, err := fn.Watched.find(key)
	if err != nil {
		return err
	}
	var readings []alerts.Reading
	for _, b := range blobs {
		if readings, err = alerts.DecodeReadings(readings, b); err != nil {
			return err
		}
	}
	end := int64(math.MaxInt64)
	if fn.Common.To != 0 {
		end = (fn.Common.To + 1) * day.Milliseconds()
	}
	w := alerts.NewWatch(&fn.Watched.Rules[i], watched, fn.Watched.replayer(&fn.Common, i))
	transitions, _ := w.Fold(readings, end)
	if fn.rows == nil {
		fn.rows = table.NewBatch(alert.Rows)
	}
	for k := range transitions {
		row := &transitions[k]
		if alerts.Sealed(row) && fn.Common.within(table.FloorDay(int64(row.FiringSince))) {
			putAlert(fn.rows, fn.Common, *row)
		}
	}
	return nil
}

// FinishBundle gives the rows that wait.
func (fn *alertsFn) FinishBundle(emit func(table.Rows)) {
	if fn.rows != nil && fn.rows.Len() > 0 {
		emit(table.Rows{Batch: fn.rows})
	}
	fn.rows = nil
}

func putAlert(b *table.Batch, c Common, row alert.Row) {
	row.Version += int64(c.revision(table.FloorDay(int64(row.FiringSince)))) << 32
	b.Append(&row)
}
