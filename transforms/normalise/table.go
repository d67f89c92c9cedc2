// Package normalise gives readings their standard: the code of a table for the code
// that a device sent, and the table's unit for its own. Units are converted exactly
// (package ucum); no guess is made about a code or a unit that is not known.
package normalise

import (
	_ "embed"
	"errors"
	"fmt"
	"math"
	"slices"

	"millrace/schemas/device"
	"millrace/transforms/enrich"
	"millrace/transforms/ucum"
)

// Entry is a row of the table of codes.
type Entry struct {
	CodeSystem, Code, Display string
	Kind                      string // device.Gauge or device.Counter
	Unit                      string // of values, in UCUM
	RawUnit                   string // of values that come without a unit
	Low, High                 float64

	unit *ucum.Unit
	raw  *ucum.Conversion // of RawUnit
}

// InRange tells whether a value lies in the entry's range.
func (e *Entry) InRange(v float64) bool { return v >= e.Low && v <= e.High }

// Table is a table of codes. Safe for concurrent use.
type Table struct {
	version string
	entries map[string]*Entry // by raw code, with or without its system before a bar
}

//go:embed codes.csv
var builtIn []byte

// Default is the built-in table: LOINC for vital signs, from LOINC itself and from
// numbers of IEEE 11073-10101, and some codes for machines.
func Default() *Table {
	t, err := Parse(builtIn)
	if err != nil {
		panic(err) // a test reads it
	}
	return t
}

// DefaultCSV is the text of the built-in table.
func DefaultCSV() string { return string(builtIn) }

// tableColumns are the columns of a table.
var tableColumns = []string{"raw_code", "code_system", "code", "display", "unit", "kind", "raw_unit", "low", "high"}

// Parse reads a table as CSV with a header line: raw_code (what devices send, alone or as
// SYSTEM|CODE), code_system, code, display, unit (UCUM), kind (gauge or counter),
// raw_unit (what values without a unit are in; unit if empty), low and high (the range,
// in unit; open if empty). All faults are reported with their raw code.
func Parse(content []byte) (*Table, error) {
	codes, err := enrich.ParseCodes("csv", content, "raw_code")
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	var faults []error
	for _, name := range tableColumns {
		if at[name] = slices.Index(codes.Columns(), name); at[name] < 0 {
			faults = append(faults, fmt.Errorf("reading a table of codes: it has no column %s; there are to be %q", name, tableColumns))
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	t := &Table{version: codes.Version(), entries: make(map[string]*Entry, codes.Len())}
	for _, key := range slices.Sorted(codes.Keys()) {
		row, _ := codes.Lookup([]byte(key))
		cell := func(name string) string { return row[at[name]] }
		e, err := newEntry(cell)
		if err != nil {
			faults = append(faults, fmt.Errorf("reading a table of codes: code %s: %w", key, err))
		}
		t.entries[key] = e
	}
	return t, errors.Join(faults...)
}

func newEntry(cell func(string) string) (*Entry, error) {
	e := &Entry{
		CodeSystem: cell("code_system"), Code: cell("code"), Display: cell("display"),
		Kind: cell("kind"), Unit: cell("unit"), RawUnit: cell("raw_unit"), Low: math.Inf(-1), High: math.Inf(1),
	}
	var faults []error
	fault := func(err error) {
		if err != nil {
			faults = append(faults, err)
		}
	}
	if e.Code == "" || e.CodeSystem == "" {
		fault(errors.New("it has no code or no code_system"))
	}
	if e.Kind != device.Gauge && e.Kind != device.Counter {
		fault(fmt.Errorf("kind %q is neither gauge nor counter", e.Kind))
	}
	if e.RawUnit == "" {
		e.RawUnit = e.Unit
	}
	unit, err := ucum.Parse(e.Unit)
	fault(err)
	raw, errRaw := ucum.Parse(e.RawUnit)
	fault(errRaw)
	if err == nil && errRaw == nil {
		e.unit = unit
		e.raw, err = ucum.NewConversion(raw, unit)
		fault(err)
	}
	for name, into := range map[string]*float64{"low": &e.Low, "high": &e.High} {
		if text := cell(name); text != "" {
			v, ok := ucum.Number([]byte(text))
			if !ok {
				fault(fmt.Errorf("%s %q is no number", name, text))
			}
			*into = v
		}
	}
	if !(e.Low <= e.High) {
		fault(fmt.Errorf("the range from %v to %v is empty", e.Low, e.High))
	}
	slices.SortFunc(faults, func(a, b error) int {
		if a.Error() < b.Error() {
			return -1
		}
		return 1
	})
	return e, errors.Join(faults...)
}

// Version identifies the content.
func (t *Table) Version() string { return t.version }

// Len is how many codes there are.
func (t *Table) Len() int { return len(t.entries) }
