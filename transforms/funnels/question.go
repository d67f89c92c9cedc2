package funnels

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Question asks once of all events of a visitor what ClickHouse's functions ask of
// those of a group. At is where it was written, as in Definition.
type Question struct {
	Kind       string // WindowFunnels, Retentions or Sequences
	Name       string
	Conditions []Step        // of a window funnel its steps
	Within     time.Duration // of window funnels; as in Definition
	Modes      []Text        // of window funnels: names of modes
	Pattern    Text          // of sequences, see Pattern; its times are in seconds
	At         string
}

// Text is a text with the place where it was written.
type Text struct{ Value, At string }

// The kinds of questions, by the keys of a YAML file under which they stand.
const (
	WindowFunnels = "window_funnels" // how many steps a visitor goes: WindowFunnel
	Retentions    = "retention"      // which conditions a visitor satisfies beside the first: Retention
	Sequences     = "sequences"      // whether and how often a visitor's events follow a pattern: Pattern
)

// Kinds are all kinds, in the order in which they are answered.
var Kinds = []string{WindowFunnels, Retentions, Sequences}

// kind is what errors call a question and its parts.
type kind struct{ what, condition string }

var kinds = map[string]kind{
	WindowFunnels: {"window funnel", "step"}, Retentions: {"retention", "condition"}, Sequences: {"sequence", "condition"},
}

// modeNames are the modes of WindowFunnel, as ClickHouse calls them.
var modeNames = []struct {
	name string
	mode Mode
}{
	{"strict_deduplication", StrictDeduplication},
	{"strict_order", StrictOrder},
	{"strict_increase", StrictIncrease},
	{"strict_once", StrictOnce},
	{"allow_reentry", AllowReentry},
}

// asked is a checked question.
type asked struct {
	Question
	mode    Mode
	pattern *Pattern
}

// perSecond is how many of the events' units of time are one of a pattern's.
const perSecond = int64(time.Second / time.Millisecond)

// checkQuestions reports everything that is wrong with questions, other than what only
// the schema of the events can tell.
func checkQuestions(list []Question) ([]asked, error) {
	var faults []error
	if len(list) > MaxFunnels {
		faults = append(faults, fmt.Errorf("%d questions: at most %d are asked at once", len(list), MaxFunnels))
	}
	var out []asked
	seen := map[[2]string]bool{}
	for _, q := range list {
		k, known := kinds[q.Kind]
		if !known {
			faults = append(faults, fault(q.At, "unknown kind of question %s%s", q.Kind, suggest(q.Kind, Kinds)))
			continue
		}
		c := questionCheck{subject: subject{what: k.what, name: q.Name, at: q.At}, asked: asked{Question: q}}
		if key := [2]string{q.Kind, q.Name}; seen[key] && q.Name != "" {
			c.faults = append(c.faults, fault(q.At, "a second %s %s: give each a name of its own", k.what, q.Name))
		} else {
			seen[key] = true
		}
		c.question(k)
		faults = append(faults, c.faults...)
		out = append(out, c.asked)
	}
	return out, errors.Join(faults...)
}

type questionCheck struct {
	subject
	asked asked
}

func (c *questionCheck) question(k kind) {
	q := &c.asked.Question
	c.named("", "a "+k.what, q.Name)
	c.steps(q.Conditions, k.condition)
	switch q.Kind {
	case WindowFunnels:
		c.within(q.Within)
		c.modes()
	case Sequences:
		c.pattern()
	}
}

func (c *questionCheck) modes() {
	var names []string
	for _, m := range modeNames {
		names = append(names, m.name)
	}
	a := &c.asked
	for _, given := range a.Modes {
		if i := slices.Index(names, given.Value); i >= 0 {
			a.mode |= modeNames[i].mode
		} else {
			c.fault(given.At, "modes: unknown mode %s%s", given.Value, suggest(given.Value, names))
		}
	}
	// Alone it would change nothing, and say that it does.
	if i := slices.IndexFunc(a.Modes, func(t Text) bool { return t.Value == "allow_reentry" }); i >= 0 && a.mode&StrictOrder == 0 {
		c.fault(a.Modes[i].At, "modes: allow_reentry loosens strict_order, which is not given; write modes: [strict_order, allow_reentry], or leave it out")
	}
}

func (c *questionCheck) pattern() {
	given := c.asked.Pattern
	if strings.TrimSpace(given.Value) == "" {
		c.fault(given.At, "it has no pattern; write the conditions in their order, for example (?1).*(?2)")
		return
	}
	p, err := parsePattern(given.Value, len(c.asked.Conditions), perSecond)
	switch {
	case err != nil:
		c.fault(given.At, "%w", err)
	case !p.numbered():
		c.fault(given.At, "sequence pattern %s names no condition, so that any events follow it; write (?1) for the first, for example (?1).*(?2)", given.Value)
	default:
		c.asked.pattern = p
	}
}
