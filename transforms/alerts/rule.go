package alerts

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Aggregate says what a window's value is if several readings fall in it.
type Aggregate string

// The aggregates; none depends on the order of readings. Sums are of whole
// numbers.
const (
	Max   Aggregate = "max"
	Min   Aggregate = "min"
	Last  Aggregate = "last"
	Sum   Aggregate = "sum"
	Count Aggregate = "count"
)

// Values that texts of a rule can have.
var (
	Aggregates = []string{string(Max), string(Min), string(Last), string(Sum), string(Count)}
	Severities = []string{"info", "warning", "critical"}
	Missings   = []string{"clear", "keep"}
)

const maxWindows = 128 // that a rule looks back

// Match is a value that a column must have.
type Match struct{ Column, Value string }

// Rule is a condition on a series of values and what to do about it. Durations are
// milliseconds. It is complete after WithDefaults.
type Rule struct {
	Name  string
	Input string
	Field string
	Where []Match  // rows that count
	By    []string // columns whose values make a key

	Every     int64 // length of a window; a minute if 0
	Aggregate Aggregate

	// Per, if any, are the rows whose sum or count, of the same key, that of Where is
	// divided by; without one there is no value. WhileAtLeast says how much it has to
	// be for the rule to be broken.
	Per []Match `json:",omitempty"`

	// What is compared: the value of a window, the sum over a time that ends with
	// it, or the change over a time.
	Within         int64
	ChangeOver     int64
	ChangeRelative bool

	Above, Below           *float64 // it is broken above or below
	ClearAbove, ClearBelow *float64 // and in order again when not beyond these; the same if nil

	WhileField   string // and only while another field sums to so much over a time
	WhileAtLeast float64
	WhileWithin  int64

	AbsentFor int64 // or it is broken when no reading came for so long
	GiveUp    int64 // a key that is absent for so long is forgotten; a week if 0

	AtLeast, Of int // windows of the last ones, 1 of 1 if 0
	ClearFor    int // windows in a row, 1 if 0
	Cooldown    int64
	Missing     string
	Severity    string

	At string `json:"-"` // where it was written, for errors
}

// WithDefaults is r with what is left open filled in.
func (r Rule) WithDefaults() Rule {
	def := func(into *int64, v int64) {
		if *into == 0 {
			*into = v
		}
	}
	def(&r.Every, time.Minute.Milliseconds())
	if r.AbsentFor > 0 {
		def(&r.GiveUp, 7*24*time.Hour.Milliseconds())
	}
	if r.WhileField != "" {
		def(&r.WhileWithin, r.Every)
	}
	if len(r.Per) > 0 {
		def(&r.WhileWithin, r.summed())
	}
	r.AtLeast, r.ClearFor = max(r.AtLeast, 1), max(r.ClearFor, 1)
	r.Of = max(r.Of, r.AtLeast)
	if r.Aggregate == "" {
		r.Aggregate = Max
		if r.Below != nil && r.Above == nil {
			r.Aggregate = Min
		}
	}
	if r.Missing == "" {
		r.Missing = Missings[0]
	}
	if r.Severity == "" {
		r.Severity = "warning"
	}
	if r.ClearAbove == nil {
		r.ClearAbove = r.Above
	}
	if r.ClearBelow == nil {
		r.ClearBelow = r.Below
	}
	return r
}

// Validate reports everything that is wrong with a rule, by field.
func (r Rule) Validate() error {
	r = r.WithDefaults()
	var faults []error
	check := func(ok bool, field, format string, a ...any) {
		if !ok {
			faults = append(faults, &FieldError{Rule: r.Name, Field: field, Err: fmt.Errorf(format, a...)})
		}
	}
	check(r.Name != "", "name", "a rule needs a name")
	check(r.Input != "", "input", "name the output or series to watch")
	check(r.Field != "" || r.Aggregate == Count || r.AbsentFor > 0, "field", "name the column to watch")
	oneOf := func(field, value string, of []string) {
		check(slices.Contains(of, value), field, "%q is not one of %s", value, strings.Join(of, ", "))
	}
	oneOf("aggregate", string(r.Aggregate), Aggregates)
	oneOf("severity", r.Severity, Severities)
	oneOf("missing", r.Missing, Missings)
	check(r.Every >= 1000 && r.Every <= 24*time.Hour.Milliseconds(), "every", "a window is from 1s to 24h long")
	look := func(field string, v int64) {
		check(v >= 0 && v%r.Every == 0 && v/r.Every <= maxWindows, field, "it is a multiple of every (%s), up to %d times", ms(r.Every), maxWindows)
	}
	look("within", r.Within)
	look("change_over", r.ChangeOver)
	look("while_within", r.WhileWithin)
	limits := r.Above != nil || r.Below != nil
	check(limits != (r.AbsentFor > 0), "above", "give above, below or both, or else absent_for")
	check(r.Within == 0 || r.ChangeOver == 0, "within", "a rule looks at a sum within a time or at a change over one, not both")
	check(r.Within == 0 || r.Aggregate == Sum || r.Aggregate == Count, "within", "only aggregate sum or count can be summed within a time")
	check(!r.ChangeRelative || r.ChangeOver > 0, "change_relative", "it needs change_over")
	for field, v := range map[string]*float64{"above": r.Above, "below": r.Below, "clear_above": r.ClearAbove, "clear_below": r.ClearBelow} {
		check(v == nil || !math.IsNaN(*v) && !math.IsInf(*v, 0), field, "it is a finite number")
	}
	check(r.Above != nil || r.ClearAbove == nil, "clear_above", "it needs above")
	check(r.Below != nil || r.ClearBelow == nil, "clear_below", "it needs below")
	check(r.Above == nil || r.Below == nil || *r.Below < *r.Above, "below", "it is less than above")
	check(r.Above == nil || *r.ClearAbove <= *r.Above, "clear_above", "it is not more than above")
	check(r.Below == nil || *r.ClearBelow >= *r.Below, "clear_below", "it is not less than below")
	check(r.Above == nil || r.Below == nil || *r.ClearBelow <= *r.ClearAbove, "clear_below", "it is not more than clear_above")
	check(r.AbsentFor == 0 || r.AbsentFor >= r.Every && r.GiveUp > r.AbsentFor, "absent_for", "it is from every (%s) on, and shorter than give_up", ms(r.Every))
	check(r.AbsentFor == 0 || r.Of == 1, "absent_for", "at_least and of are for limits")
	check(r.WhileField != "" || len(r.Per) > 0 || r.WhileAtLeast == 0 && r.WhileWithin == 0, "while_field", "name the other column")
	if len(r.Per) > 0 {
		check(limits && r.ChangeOver == 0, "per", "it is for above and below, without change_over")
		check(r.Aggregate == Sum || r.Aggregate == Count, "per", "only aggregate sum or count is divided")
		check(r.WhileField == "", "while_field", "per has the place of another column: while_at_least says how much it is at least")
		check(r.WhileWithin == r.summed(), "while_within", "what is divided by is summed over within")
	}
	check(!math.IsNaN(r.WhileAtLeast) && !math.IsInf(r.WhileAtLeast, 0), "while_at_least", "it is a finite number")
	check(r.AtLeast >= 1 && r.Of <= 64, "of", "at_least is from 1, and of up to 64")
	check(r.ClearFor <= 1000, "clear_for", "it is up to 1000")
	check(r.Cooldown >= 0 && r.Cooldown <= 30*24*time.Hour.Milliseconds(), "cooldown", "it is up to 720h")
	return errors.Join(faults...)
}

// FieldError is a fault in one field of a rule.
type FieldError struct {
	Rule, Field string
	Err         error
}

func (e *FieldError) Error() string { return "rule " + e.Rule + ", " + e.Field + ": " + e.Err.Error() }

func (e *FieldError) Unwrap() error { return e.Err }

// Version names what the rule says, whatever its file says beside it.
func (r Rule) Version() string {
	b, err := json.Marshal(r.WithDefaults())
	if err != nil {
		panic("alerts: a rule that is not valid has no version: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

// summed is how long a time is that sums are over.
func (r *Rule) summed() int64 { return max(r.Within, r.Every) }

// KeyOf gives the key of a row and whether the rule watches it. column gives the
// text of a column.
func (r *Rule) KeyOf(column func(name string) string) (key string, watched bool) {
	for _, m := range r.Where {
		if column(m.Column) != m.Value {
			return "", false
		}
	}
	for i, c := range r.By {
		if i > 0 {
			key += ","
		}
		key += c + "=" + column(c)
	}
	return key, true
}

// Condition says in words what breaks the rule.
func (r *Rule) Condition() string {
	if r.AbsentFor > 0 {
		return "nothing for " + ms(r.AbsentFor)
	}
	what := string(r.Aggregate)
	if r.Field != "" {
		what += " of " + r.Field
	}
	switch {
	case r.Within > 0:
		what += " within " + ms(r.Within)
	case r.ChangeRelative:
		what = "relative change of " + what + " over " + ms(r.ChangeOver)
	case r.ChangeOver > 0:
		what = "change of " + what + " over " + ms(r.ChangeOver)
	}
	if len(r.Per) > 0 {
		what += " per " + string(r.Aggregate) + " where"
		for i, m := range r.Per {
			if i > 0 {
				what += " and"
			}
			what += " " + m.Column + " is " + m.Value
		}
	}
	var limits []string
	if r.Below != nil {
		limits = append(limits, "below "+number(*r.Below))
	}
	if r.Above != nil {
		limits = append(limits, "above "+number(*r.Above))
	}
	what += " " + strings.Join(limits, " or ")
	switch {
	case len(r.Per) > 0 && r.WhileAtLeast > 0:
		what += ", while that is " + number(r.WhileAtLeast) + " or more"
	case r.WhileField != "":
		what += ", while " + r.WhileField + " within " + ms(r.WhileWithin) + " is " + number(r.WhileAtLeast) + " or more"
	}
	if r.Of > 1 {
		what += fmt.Sprintf(", in %d of %d windows", r.AtLeast, r.Of)
	}
	return what
}

func number(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// ms writes 300000 as 5m.
func ms(v int64) string {
	s := (time.Duration(v) * time.Millisecond).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}
