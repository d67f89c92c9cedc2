package device

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"millrace/internal/nearest"
)

// The fields of a record.
type field int

const (
	fieldTime field = iota
	fieldDevice
	fieldPatient
	fieldAsset
	fieldSystem
	fieldCode
	fieldValue
	fieldUnit
	fieldDeviceTime
	fieldSequence
	fieldQuality
	numFields
)

// fieldNames are what a spec calls the fields; places are where they stand unless it
// says otherwise.
var (
	fieldNames = [numFields]string{"time", "device", "patient", "asset", "system", "code", "value", "unit", "device_time", "sequence", "quality"}
	places     = [numFields]string{"event_time", "device_id", "patient_id", "asset_id", "code_system", "code", "value", "unit", "device_time", "sequence", "quality"}
	needed     = []field{fieldTime, fieldDevice, fieldCode, fieldValue}
)

// Spec is a format in full. As text it is its name, FIELD=NAME and FIELD:=TEXT, and of
// csv, behind a bar, the header line.
type Spec struct {
	Name   string // json, csv or fhir
	Given  string // what the user wrote behind the name
	Header string // of csv; empty while nobody has seen it

	places    [numFields]string
	constants [numFields]string
	zone      string // of times without an offset
}

// Names of the formats.
const (
	JSON = "json"
	CSV  = "csv"
	FHIR = "fhir"
)

const maxSpec = 16 << 10 // bytes

// ParseSpec is the inverse of String. The empty text is json.
func ParseSpec(text string) (Spec, error) {
	fail := func(format string, a ...any) (Spec, error) {
		return Spec{}, fmt.Errorf("format %q: %w", text, fmt.Errorf(format, a...))
	}
	if len(text) > maxSpec {
		return Spec{}, fmt.Errorf("a format of %d bytes; %d are possible", len(text), maxSpec)
	}
	head, header, _ := strings.Cut(text, " | ")
	name, given, _ := strings.Cut(head, " ")
	s := Spec{Name: name, Given: strings.TrimSpace(given), Header: header, places: places}
	switch name {
	case "":
		s.Name = JSON
	case JSON, CSV, FHIR:
	default:
		return fail("there is no format %q; there are json, csv and fhir", name)
	}
	if s.Name != CSV && header != "" || s.Name == FHIR && s.Given != "" {
		return fail("%s takes nothing more", s.Name)
	}
	for word := range strings.FieldsSeq(s.Given) {
		key, value, ok := strings.Cut(word, "=")
		if !ok || value == "" {
			return fail("%q: write FIELD=NAME or FIELD:=TEXT", word)
		}
		key, constant := strings.CutSuffix(key, ":")
		if key == "zone" && constant {
			if _, err := time.Parse("Z07:00", value); err != nil {
				return fail("zone %q: write an offset such as +01:00", value)
			}
			s.zone = value
			continue
		}
		f := slices.Index(fieldNames[:], key)
		switch {
		case f < 0:
			return fail("there is no field %q%s", key, suggest(key))
		case constant:
			s.constants[f], s.places[f] = value, ""
		default:
			s.places[f], s.constants[f] = value, ""
		}
	}
	return s, nil
}

func suggest(key string) string {
	if near := nearest.Name(key, fieldNames[:]); near != "" {
		return ", did you mean " + near + "?"
	}
	return "; there are " + strings.Join(fieldNames[:], ", ")
}

// String is the format as text.
func (s Spec) String() string {
	text := s.Name
	if s.Given != "" {
		text += " " + s.Given
	}
	if s.Header != "" {
		text += " | " + s.Header
	}
	return text
}

// Open makes a decoder, for one goroutine.
func (s Spec) Open() (*Decoder, error) {
	d := &Decoder{spec: s}
	var err error
	switch s.Name {
	case CSV:
		d.read, err = newCSV(s)
	case FHIR:
		d.read, err = newFHIR()
	default:
		d.read, err = newJSON(s)
	}
	return d, err
}
