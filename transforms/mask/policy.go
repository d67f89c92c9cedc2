package mask

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Rule is what a policy says of one field.
type Rule struct {
	Class  Class
	Method Method // that of the policy for the class when empty
}

// Policy says what becomes of events: of fields by their names, of classes, and
// of findings in free text. The zero value drops every field: what no one has
// looked at does not pass.
type Policy struct {
	// Fields are rules by path, names joined by dots ("user.email"). Elements of
	// a list have the path of the list; "*" stands for any one name.
	Fields map[string]Rule
	// Classes are methods by class, where not the class's own.
	Classes map[Class]Method
	// Findings are methods by type of finding, where not DefaultMethod's.
	Findings map[Type]Method
	// Unknown is the method of fields without a rule: Drop when empty, Scan or
	// Redact.
	Unknown Method
	// Types are what a free text is searched for; AllTypes when nil.
	Types []Type
	// Region is that of Options.
	Region string
	// Secrets are those of Options.
	Secrets []SecretName
	// Reversible are the classes whose tokens can be taken back: a job writes what they
	// stand for to its vault, see Vault.
	Reversible []Class
}

// Validate reports everything that is wrong.
func (p Policy) Validate() error {
	var faults []error
	for _, path := range sortedKeys(p.Fields) {
		if err := p.CheckField(path, p.Fields[path]); err != nil {
			faults = append(faults, err)
		}
	}
	for _, c := range sortedKeys(p.Classes) {
		if err := CheckClass(c, p.Classes[c]); err != nil {
			faults = append(faults, fmt.Errorf("class %s: %w", c, err))
		}
	}
	for _, t := range sortedKeys(p.Findings) {
		if err := CheckFinding(t, p.Findings[t]); err != nil {
			faults = append(faults, fmt.Errorf("finding %s: %w", t, err))
		}
	}
	if err := CheckUnknown(p.Unknown); err != nil {
		faults = append(faults, err)
	}
	for _, c := range p.Reversible {
		if err := CheckReversible(c); err != nil {
			faults = append(faults, fmt.Errorf("reversible: %w", err))
		}
	}
	return errors.Join(faults...)
}

// CheckField tells what is wrong with the rule of one field.
func (p Policy) CheckField(path string, r Rule) error {
	if path == "" || slices.Contains(strings.Split(path, "."), "") {
		return fmt.Errorf("field %q: a path is names joined by dots", path)
	}
	if err := CheckClass(r.Class, p.Method(r)); err != nil {
		return fmt.Errorf("field %s: %w", path, err)
	}
	return nil
}

// CheckClass tells why a field of a class cannot have a method.
func CheckClass(c Class, m Method) error {
	switch {
	case c.Methods() == nil:
		return fmt.Errorf("there is no class %q", c)
	case !c.can(m):
		return fmt.Errorf("method %s does not fit class %s (%s do)", m, c, join(c.Methods()))
	}
	return nil
}

// CheckFinding tells why a finding cannot have a method.
func CheckFinding(t Type, m Method) error {
	switch {
	case t.rank() == len(allTypes):
		return fmt.Errorf("there is no type %q", t)
	case !findingMethod(t, m):
		return fmt.Errorf("method %s does not fit findings of type %s", m, t)
	}
	return nil
}

// CheckUnknown tells why fields without a rule cannot have a method.
func CheckUnknown(m Method) error {
	switch m {
	case "", Drop, Scan, Redact:
		return nil
	default:
	}
	return fmt.Errorf("method %s does not fit unknown fields (drop, scan and redact do): who knows what is in them", m)
}

// Method is the method of a rule.
func (p Policy) Method(r Rule) Method {
	if r.Method != "" {
		return r.Method
	}
	if m, ok := p.Classes[r.Class]; ok {
		return m
	}
	return r.Class.Method()
}

// Rule is the rule of a field, given the names on the way to it; false when it
// is unknown. An exact name wins over a star, the earlier name first.
func (p Policy) Rule(path []string) (Rule, bool) {
	if r, ok := p.Fields[strings.Join(path, ".")]; ok {
		return r, true
	}
	best, found := "", false
	for pattern := range p.Fields {
		if matches(pattern, path) && (!found || pattern > best) { // a star sorts before names
			best, found = pattern, true
		}
	}
	return p.Fields[best], found
}

func matches(pattern string, path []string) bool {
	names := strings.Split(pattern, ".")
	if len(names) != len(path) {
		return false
	}
	for i, n := range names {
		if n != "*" && n != path[i] {
			return false
		}
	}
	return true
}

// Options are those of a Masker by this policy, in a trial as in a job. Without a list
// of types it looks for what a Masker without a policy does.
func (p Policy) Options() Options {
	return Options{Secrets: p.Secrets, Types: p.Types, Methods: p.Findings, Region: p.Region}
}

func sortedKeys[K ~string, V any](m map[K]V) []K {
	var out []K
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func join(methods []Method) string {
	var names []string
	for _, m := range methods {
		names = append(names, string(m))
	}
	return strings.Join(names, ", ")
}
