package mask

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"millrace/internal/nearest"
	"millrace/schemas/pii"
	"millrace/schemas/table"
)

// Fields are the fields of a job's rows that a policy can speak of, each with the
// class of what it holds. A job masks them in its own way, that of the class; a policy
// can choose another method of the class, or a stricter one. What would let through
// more than the class allows is refused.
type Fields map[string]Class

// Treatment is what a policy makes of a field of a row; the zero value leaves it to
// the job.
type Treatment struct {
	Class  Class
	Method Method
}

// Set tells whether the policy says something.
func (t Treatment) Set() bool { return t.Method != "" }

// reveals tells whether a method leaves something of a value, or all of it.
func (m Method) reveals() bool {
	return m == Keep || m == Scan || m == Truncate || m == Generalise
}

// RowMethod is what becomes of a field of a job's rows, given its class.
func (p *Policy) RowMethod(name string, class Class) (Class, Method) {
	if p != nil {
		if t := p.treatment(name, class); t.Set() {
			return t.Class, t.Method
		}
	}
	return class, class.Method()
}

// treatment is that of a field of a class. A rule by name wins over one by class.
func (p *Policy) treatment(name string, class Class) Treatment {
	t := Treatment{Class: class}
	if rule, ok := p.Rule([]string{name}); ok {
		t = Treatment{Class: rule.Class, Method: p.Method(rule)}
	} else if m, ok := p.Classes[class]; ok {
		t.Method = m
	}
	if t.Class == class && t.Method == class.Method() {
		return Treatment{} // as the job does
	}
	return t
}

// Treatments are those of the columns of a schema, by number, given the fields that
// the policy can speak of; all are zero without a policy.
func (p *Policy) Treatments(s *table.Schema, fields Fields) []Treatment {
	out := make([]Treatment, len(s.Columns))
	if p == nil {
		return out
	}
	for i, c := range s.Columns {
		if class, ok := fields[c.Name]; ok {
			out[i] = p.treatment(c.Name, class)
		}
	}
	return out
}

// CheckRule tells what is wrong with the rule of a field, or of fields by a pattern, of
// a job's rows.
func (p *Policy) CheckRule(fields Fields, pattern string, r Rule) error {
	if pattern != "*" {
		class, ok := fields[pattern]
		if !ok {
			return unknownField(fields, pattern)
		}
		return p.checkRule(pattern, class, r)
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if _, own := p.Fields[name]; own {
			continue
		}
		if err := p.checkRule(name, fields[name], r); err != nil {
			return fmt.Errorf("the star stands for %s, too: %w", name, err)
		}
	}
	return nil
}

func (p *Policy) checkRule(name string, class Class, r Rule) error {
	m := p.Method(r)
	allowed := func(m Method) bool { return !m.reveals() || m == class.Method() || class == None && class.can(m) }
	if allowed(m) {
		return nil
	}
	var can []Method
	for _, c := range allMethods {
		if allowed(c) && (class.can(c) || r.Class.can(c)) {
			can = append(can, c)
		}
	}
	return fmt.Errorf("field %s is of class %s, which method %s would let through (%s do)", name, class, m, join(can))
}

func unknownField(fields Fields, name string) error {
	names := slices.Sorted(maps.Keys(fields))
	if near := nearest.Name(name, names); near != "" {
		return fmt.Errorf("the job has no field %s for a policy to set, did you mean %s?", name, near)
	}
	return fmt.Errorf("the job has no field %s for a policy to set (there are %s)", name, strings.Join(names, ", "))
}

// CheckRowFinding tells why a finding in a text of a job's rows cannot have a method.
func CheckRowFinding(t Type, m Method) error {
	if m == Keep && slices.Contains(RequiredTypes(), t) {
		return fmt.Errorf("method keep would let through findings of type %s, which every text of a job promises to mask", t)
	}
	return nil
}

// CheckRowTypes tells which of RequiredTypes a list of those to look for leaves out.
func CheckRowTypes(types []Type) error {
	var lacks []string
	for _, t := range RequiredTypes() {
		if !slices.Contains(types, t) {
			lacks = append(lacks, string(t))
		}
	}
	if types == nil || lacks == nil {
		return nil
	}
	return fmt.Errorf("types leave out %s, which every text of a job promises to mask: add them", strings.Join(lacks, ", "))
}

// CheckRowUnknown tells why fields that a job does not know cannot have a method: it
// has no column for them.
func CheckRowUnknown(m Method) error {
	if m == "" || m == Drop {
		return nil
	}
	return fmt.Errorf("unknown: %s, but a job drops fields that it does not know, as it has no column for them: leave it out", m)
}

// CheckReversible tells why tokens of a class cannot be reversible.
func CheckReversible(c Class) error {
	if c.can(Tokenise) {
		return nil
	}
	return fmt.Errorf("there are no tokens of class %s to take back", c)
}

// RowOptions are those of a Masker of a job's rows, the policy's where there is one. tell
// is Options.Reversible.
func (p *Policy) RowOptions(tell func(token []byte, typ string, value []byte)) Options {
	if p == nil {
		return Options{}
	}
	o := p.Options()
	o.Reversible = tell
	return o
}

// AppendTreated appends what a treatment makes of a field, or nothing when nothing of
// it may stay.
func (m *Masker) AppendTreated(dst []byte, t Treatment, value pii.Text) []byte {
	dst, _ = m.AppendField(dst, t.Class, t.Method, value)
	return dst
}
