package mask

import "slices"

// Class says what a field holds, so that a policy can treat alike what is alike.
// Every Type is a class, too; these are the others.
type Class string

// The classes that are no types of findings.
const (
	Name    Class = "name"    // of a person
	Address Class = "address" // postal, or a part of one
	Zip     Class = "zip"     // postal code: its first three characters
	Age     Class = "age"     // in years: a band of ten
	Time    Class = "time"    // RFC 3339, a date, or Unix milliseconds: the day, UTC
	User    Class = "user"    // login or id of a person
	Secret  Class = "secret"  // credentials of any kind
	Text    Class = "text"    // free text
	None    Class = "none"    // vocabulary, measures: cannot hold personal data
)

var fieldClasses = []struct {
	Class
	method Method
	can    []Method
}{
	{Name, Tokenise, []Method{Tokenise, Redact, Drop}},
	{Address, Redact, []Method{Tokenise, Redact, Drop}},
	{Zip, Generalise, []Method{Generalise, Tokenise, Redact, Drop, Keep}},
	{Age, Generalise, []Method{Generalise, Redact, Drop, Keep}},
	{Time, Generalise, []Method{Generalise, Redact, Drop, Keep}},
	{User, Tokenise, []Method{Tokenise, FPE, Redact, Drop, Scan}},
	{Secret, Redact, []Method{Redact, Drop}},
	{Text, Scan, []Method{Scan, Redact, Drop}},
	{None, Keep, []Method{Keep, Scan, Redact, Drop}},
}

// Classes lists the classes, those of findings first.
func Classes() (out []Class) {
	for _, t := range allTypes {
		out = append(out, Class(t))
	}
	for _, c := range fieldClasses {
		out = append(out, c.Class)
	}
	return out
}

// Method is what becomes of a field of the class unless a policy says otherwise.
func (c Class) Method() Method {
	for _, f := range fieldClasses {
		if f.Class == c {
			return f.method
		}
	}
	return DefaultMethod(Type(c))
}

// Methods lists the methods that a field of the class may have.
func (c Class) Methods() []Method {
	for _, f := range fieldClasses {
		if f.Class == c {
			return f.can
		}
	}
	switch t := Type(c); {
	case t.rank() == len(allTypes):
		return nil
	case t.secret():
		return []Method{Redact, Drop}
	case t == IP:
		return []Method{Truncate, Tokenise, Redact, Drop}
	case t == Card, t == SSN, t == Phone, t == NPI, t == Aadhaar, t == NHS, t == TFN, t == SIN, t == SteuerID, t == PESEL, t == Routing, t == USBank:
		return []Method{Tokenise, FPE, Redact, Drop}
	}
	return []Method{Tokenise, Redact, Drop}
}

// can tells whether a field of the class may have the method.
func (c Class) can(m Method) bool { return slices.Contains(c.Methods(), m) }

// tokenName is the class as tokens spell it.
func (c Class) tokenName() string { return Type(c).TokenName() }
