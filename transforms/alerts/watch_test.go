package alerts_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/alert"
	"millrace/transforms/alerts"
)

const minute = int64(60_000)

func f(v float64) *float64 { return &v }

func rule(t testing.TB, r alerts.Rule) *alerts.Rule {
	t.Helper()
	r.Name, r.Input = "r", "traffic"
	if r.Field == "" {
		r.Field = "errors"
	}
	if err := r.Validate(); err != nil {
		t.Fatal(err)
	}
	r = r.WithDefaults()
	return &r
}

// brief is a row in a few signs: +3 fires in minute 3, -7 is resolved in minute 7.
func brief(rows []alert.Row) string {
	var out []string
	for _, r := range rows {
		sign := map[string]string{alert.Firing: "+", alert.Resolved: "-"}[r.State]
		out = append(out, fmt.Sprint(sign, int64(r.ChangedAt)/minute))
	}
	return strings.Join(out, " ")
}

const none = math.MinInt // no reading in this minute

// Each case is a value a minute, from minute 0 on.
func TestStates(t *testing.T) {
	for name, c := range map[string]struct {
		rule   alerts.Rule
		values []float64
		want   string
	}{
		"above":                             {alerts.Rule{Above: f(5)}, []float64{1, 5, 6, 7, 5, 1}, "+2 -4"},
		"below":                             {alerts.Rule{Below: f(5)}, []float64{9, 5, 4, 3, 5, 9}, "+2 -4"},
		"a band":                            {alerts.Rule{Above: f(9), Below: f(1)}, []float64{5, 10, 5, 0, 9, 5}, "+1 -2 +3 -4"},
		"hysteresis":                        {alerts.Rule{Above: f(5), ClearAbove: f(2)}, []float64{6, 4, 3, 6, 2, 4}, "+0 -4"},
		"no data is in order":               {alerts.Rule{Above: f(5)}, []float64{6, none, 6}, "+0 -1 +2"},
		"no data keeps it":                  {alerts.Rule{Above: f(5), Missing: "keep"}, []float64{6, none, none, 6, 1}, "+0 -4"},
		"2 of 3 windows":                    {alerts.Rule{Above: f(5), AtLeast: 2, Of: 3}, []float64{6, 1, 1, 6, 1, 6, 1}, "+5 -6"},
		"a breach is needed":                {alerts.Rule{Above: f(5), AtLeast: 2, Of: 4, Cooldown: 0}, []float64{6, 1, 1, 1, 6, 1, 6}, "+6"},
		"three in a row to clear":           {alerts.Rule{Above: f(5), ClearFor: 3}, []float64{6, 1, 1, 6, 1, 1, 1, 6}, "+0 -6 +7"},
		"a pause keeps windows apart":       {alerts.Rule{Above: f(5), AtLeast: 2, Of: 2}, []float64{6, none, 6, 6}, "+3"},
		"cool-down":                         {alerts.Rule{Above: f(5), Cooldown: 3 * minute}, []float64{6, 1, 6, 6, 6, 6, 1}, "+0 -1 +5 -6"},
		"a change":                          {alerts.Rule{Above: f(5), ChangeOver: 2 * minute}, []float64{0, 4, 5, 10, 11, 11}, "+3 -5"},
		"a relative change":                 {alerts.Rule{Above: f(0.5), ChangeOver: minute, ChangeRelative: true}, []float64{0, 4, 6, 10, 15}, "+3 -4"},
		"a fall":                            {alerts.Rule{Below: f(-5), ChangeOver: minute}, []float64{10, 4, 4}, "+1 -2"},
		"a change across a hole is unknown": {alerts.Rule{Above: f(5), ChangeOver: 2 * minute}, []float64{0, none, none, 10, 10}, ""},
		"a sum within":                      {alerts.Rule{Above: f(9), Aggregate: alerts.Sum, Within: 3 * minute}, []float64{4, 4, 4, 0, 0, 4}, "+2 -3"},
		"absence":                           {alerts.Rule{AbsentFor: 3 * minute}, []float64{1, 1, none, none, none, none, 1}, "+5 -6"},
		"absence just not":                  {alerts.Rule{AbsentFor: 3 * minute}, []float64{1, none, none, none, 1}, "+4 -4"},
		"absence is given up":               {alerts.Rule{AbsentFor: 2 * minute, GiveUp: 5 * minute}, []float64{1, none, none, none, none, none, none, none, 1}, "+3 -6"},
		"NaN is no data":                    {alerts.Rule{Above: f(5)}, []float64{6, math.NaN(), math.Inf(1), 6}, "+0 -1 +3"},
	} {
		w := alerts.NewWatch(rule(t, c.rule), "k", nil)
		for i, v := range c.values {
			if v == none {
				continue
			}
			if _, late := w.Add(alerts.Reading{Time: int64(i)*minute + 1, Value: v}); late {
				t.Errorf("%s: value %d is late", name, i)
			}
		}
		if got := brief(w.Seal(int64(len(c.values)) * minute)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestOnlyWhileAnotherFieldIsHigh(t *testing.T) {
	r := rule(t, alerts.Rule{Field: "logins", Above: f(0), Aggregate: alerts.Sum, WhileField: "failures", WhileAtLeast: 10, WhileWithin: 3 * minute})
	w := alerts.NewWatch(r, "k", nil)
	for i, c := range [][2]float64{{1, 0}, {0, 5}, {0, 5}, {1, 0}, {1, 0}, {1, 4}} {
		w.Add(alerts.Reading{Time: int64(i) * minute, Value: c[0], While: c[1]})
	}
	if got := brief(w.Seal(7 * minute)); got != "+3 -6" { // at minute 4 only 5 failures lie within; a login is not in order
		t.Errorf("%s", got)
	}
}

// TestARatioIsThatOfSums: of 10 checkouts within three minutes fewer than half are bought.
// Too few checkouts say nothing, and none at all are no ratio.
func TestARatioIsThatOfSums(t *testing.T) {
	r := rule(t, alerts.Rule{
		Below: f(0.5), ClearBelow: f(0.8), Aggregate: alerts.Count, Within: 3 * minute,
		Where: []alerts.Match{{Column: "name", Value: "purchase"}}, Per: []alerts.Match{{Column: "name", Value: "checkout"}, {Column: "kind", Value: "web"}}, WhileAtLeast: 4,
	})
	w := alerts.NewWatch(r, "k", nil)
	for i, c := range [][2]int{{1, 1}, {0, 2}, {0, 1}, {2, 4}, {3, 1}, {3, 1}, {0, 0}, {0, 0}, {0, 0}, {0, 3}, {0, 1}} {
		at := int64(i) * minute
		for range c[0] {
			w.Add(alerts.Reading{Time: at, Value: 1})
		}
		for range c[1] {
			w.Add(alerts.Reading{Time: at + 1, Value: math.NaN(), While: 1})
		}
	}
	rows := w.Seal(20 * minute)
	// At minute 1 it is 1 of 3, which are too few, at 2 it is 1 of 4, at 3 2 of 7, at 4 5 of
	// 6; at 10 none of 4, and at 13 the last of them is forgotten.
	if got := brief(rows); got != "+2 -4 +10 -13" {
		t.Fatalf("%s", got)
	}
	const condition = "count of errors within 3m per count where name is checkout and kind is web below 0.5, while that is 4 or more"
	if got := rows[0]; got.Condition != condition || *got.Value != 0.25 {
		t.Errorf("%s is %g", got.Condition, *got.Value)
	}
	if *rows[1].Value != 5./6 || *rows[1].Peak != 0.25 {
		t.Errorf("resolved by %g after %g", *rows[1].Value, *rows[1].Peak)
	}
	if rows[3].Reason != "silence" || rows[3].Value != nil {
		t.Errorf("the last one is resolved by %s", rows[3].Reason)
	}
}

func TestARowSaysWhatWhyAndHowToComputeItAgain(t *testing.T) {
	r := rule(t, alerts.Rule{Above: f(5), AtLeast: 2, Of: 3, Severity: "critical"})
	w := alerts.NewWatch(r, "host=a", func(from, to string) string { return "millrace run weblogs --from " + from + " --to " + to })
	base := 3 * 24 * 60 * minute
	for i, v := range []float64{6, 7, 9, 8, 2} {
		w.Add(alerts.Reading{Time: base + int64(i)*minute, Value: v})
	}
	want := alert.Row{
		AlertID: alerts.ID("r", "host=a", base+minute), FiringSince: 259_260_000, Rule: "r", Key: "host=a", State: "firing", Severity: "critical",
		ChangedAt: 259_260_000, PendingSince: 259_200_000, Value: f(7), Peak: f(7), Condition: "max of errors above 5, in 2 of 3 windows",
		Breaches: 1, Reason: "breach", Input: "traffic", Field: "errors", WindowSeconds: 60, RuleVersion: r.Version(),
		Replay: "millrace run weblogs --from 1970-01-04 --to 1970-01-04", Version: 1,
	}
	resolved := want
	resolved.State, resolved.ChangedAt, resolved.Value, resolved.Peak, resolved.Breaches, resolved.Reason, resolved.Version = "resolved", 259_440_000, f(2), f(9), 3, "cleared", 2
	if diff := cmp.Diff([]alert.Row{want, resolved}, w.Seal(base+60*minute)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if id := alerts.ID("r", "host=a", base+minute); len(id) != 32 || id == alerts.ID("r", "host=b", base+minute) || id == alerts.ID("r2", "host=a", base+minute) {
		t.Errorf("id %s", id)
	}
}

func TestAVersionNamesWhatTheRuleSays(t *testing.T) {
	a := alerts.Rule{Name: "r", Input: "i", Field: "f", Above: f(5)}
	same := a
	same.Every, same.Severity, same.Above = minute, "warning", f(5)
	other := a
	other.Above = f(6)
	if a.Version() != same.Version() || a.Version() == other.Version() || len(a.Version()) != 12 {
		t.Errorf("versions %s, %s, %s", a.Version(), same.Version(), other.Version())
	}
}

func TestAReadingOfASealedWindowIsLate(t *testing.T) {
	w := alerts.NewWatch(rule(t, alerts.Rule{Above: f(5)}), "k", nil)
	w.Add(alerts.Reading{Time: 0, Value: 6})
	w.Seal(5 * minute)
	if _, late := w.Add(alerts.Reading{Time: 5*minute - 1, Value: 6}); !late {
		t.Error("a reading of a sealed window is taken")
	}
	if _, late := w.Add(alerts.Reading{Time: 5 * minute, Value: 6}); late {
		t.Error("a reading of an open window is late")
	}
}

func TestWindowsThatWaitAreBounded(t *testing.T) {
	w := alerts.NewWatch(rule(t, alerts.Rule{Above: f(5)}), "k", nil)
	fired := 0
	for i := range int64(5000) {
		rows, late := w.Add(alerts.Reading{Time: i * minute, Value: float64(i % 10)})
		if late {
			t.Fatalf("reading %d is late", i)
		}
		fired += len(rows)
	}
	if size := len(w.AppendEncoded(nil)); size > 64<<10 {
		t.Errorf("the state has %d bytes", size)
	}
	if fired += len(w.Seal(5001 * minute)); fired != 1000 {
		t.Errorf("%d rows, 1,000 were to come", fired)
	}
}

func TestAKeyIsForgottenOnceItSaysNothing(t *testing.T) {
	w := alerts.NewWatch(rule(t, alerts.Rule{Above: f(5), AtLeast: 2, Of: 3, Cooldown: 5 * minute}), "k", nil)
	for i, v := range []float64{6, 6, 1} {
		w.Add(alerts.Reading{Time: int64(i) * minute, Value: v})
	}
	if _, idle := w.Idle(); idle {
		t.Error("a watch with windows that wait is idle")
	}
	for {
		due, more := w.Due()
		if !more {
			break
		}
		if w.Seal(due); due > 100*minute {
			t.Fatal("it never comes to rest")
		}
	}
	if after, idle := w.Idle(); !idle || after != 8*minute {
		t.Errorf("idle %v after %d ms", idle, after)
	}
}

func TestARuleThatMakesNoSenseIsRefusedByField(t *testing.T) {
	for field, r := range map[string]alerts.Rule{
		"above":           {},
		"below":           {Above: f(1), Below: f(2)},
		"clear_above":     {Above: f(1), ClearAbove: f(2)},
		"clear_below":     {Below: f(1), ClearBelow: f(0)},
		"within":          {Above: f(1), Within: 90_000, Aggregate: alerts.Sum},
		"change_relative": {Above: f(1), ChangeRelative: true},
		"aggregate":       {Above: f(1), Aggregate: "mean"},
		"severity":        {Above: f(1), Severity: "bad"},
		"missing":         {Above: f(1), Missing: "zero"},
		"absent_for":      {AbsentFor: 1},
		"of":              {Above: f(1), AtLeast: 3, Of: 99},
		"while_field":     {Above: f(1), WhileAtLeast: 3},
		"every":           {Above: f(1), Every: 10},
		"per":             {Above: f(1), Per: []alerts.Match{{Column: "c", Value: "v"}}},
		"while_within":    {Above: f(1), Aggregate: alerts.Sum, Per: []alerts.Match{{Column: "c", Value: "v"}}, WhileWithin: 2 * minute},
	} {
		r.Name, r.Input, r.Field = "r", "i", "f"
		if err := r.Validate(); err == nil || !strings.Contains(err.Error(), "rule r, "+field+": ") {
			t.Errorf("%s: error %v", field, err)
		}
	}
	empty := alerts.Rule{Above: f(1)}
	for _, want := range []string{"name", "input", "field"} {
		if err := empty.Validate(); err == nil || !strings.Contains(err.Error(), ", "+want+": ") {
			t.Errorf("without %s: error %v", want, err)
		}
	}
}

func TestAKeyIsTheColumnsARuleGroupsBy(t *testing.T) {
	r := alerts.Rule{Where: []alerts.Match{{Column: "class", Value: "5xx"}}, By: []string{"host", "path"}}
	column := func(name string) string { return map[string]string{"class": "5xx", "host": "a", "path": "/"}[name] }
	if key, ok := r.KeyOf(column); key != "host=a,path=/" || !ok {
		t.Errorf("%q, %v", key, ok)
	}
	r.Where[0].Value = "4xx"
	if _, ok := r.KeyOf(column); ok {
		t.Error("a row that is not asked for is watched")
	}
}
