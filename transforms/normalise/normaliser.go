package normalise

import (
	"millrace/schemas/badrow"
	"millrace/transforms/ucum"
)

// Value is a reading in standard terms.
type Value struct {
	Entry *Entry
	Value float64 // in the entry's unit
	Raw   float64 // as it was sent
}

// Normaliser gives values their standard. It remembers conversions and belongs to one
// goroutine.
type Normaliser struct {
	table *Table
	key   []byte
	units map[unitKey]*ucum.Conversion // nil for what cannot be converted
}

type unitKey struct {
	entry *Entry
	unit  string
}

// maxUnits bounds what is remembered of units that devices send.
const maxUnits = 10_000

// New makes a normaliser.
func New(t *Table) *Normaliser { return &Normaliser{table: t, units: map[unitKey]*ucum.Conversion{}} }

// Version is that of the table of codes.
func (n *Normaliser) Version() string { return n.table.version }

// Value finds the code, first behind its system and a bar and then alone, and converts
// the value, a decimal number, from unit; an empty unit is that of the table. The
// reason is badrow.None or why it cannot: Code for a code that the table does not
// have, Unit for a unit that is not known or measures something else, Number.
func (n *Normaliser) Value(system, code, value, unit []byte) (v Value, reason badrow.Reason) {
	var ok bool
	if len(system) > 0 {
		n.key = append(append(append(n.key[:0], system...), '|'), code...)
		v.Entry, ok = n.table.entries[string(n.key)]
	}
	if !ok {
		if v.Entry, ok = n.table.entries[string(code)]; !ok {
			return v, badrow.Code
		}
	}
	conversion := v.Entry.raw
	if len(unit) > 0 {
		if conversion = n.conversion(v.Entry, unit); conversion == nil {
			return v, badrow.Unit
		}
	}
	if v.Raw, ok = ucum.Number(value); !ok {
		return v, badrow.Number
	}
	if v.Value, ok = conversion.Convert(value); !ok {
		return v, badrow.Number
	}
	return v, badrow.None
}

func (n *Normaliser) conversion(e *Entry, unit []byte) *ucum.Conversion {
	c, known := n.units[unitKey{e, string(unit)}]
	if known {
		return c
	}
	if u, err := ucum.Parse(string(unit)); err == nil {
		c, _ = ucum.NewConversion(u, e.unit) // nil where they measure different things
	}
	if len(n.units) >= maxUnits {
		clear(n.units)
	}
	n.units[unitKey{e, string(unit)}] = c
	return c
}
