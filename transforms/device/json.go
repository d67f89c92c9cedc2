package device

import (
	"bytes"

	"millrace/schemas/badrow"
	"millrace/transforms/decode"
)

// members reads the members of JSON objects.
type members struct {
	m      *decode.Members
	fields []field // of each member
	action int     // number of the first member that only action lines have
}

// actionPlaces are what action lines of Elasticsearch's bulk format have.
var actionPlaces = []string{"index._index", "create._index", "index._id", "create._id"}

func newJSON(s Spec) (*members, error) {
	r := &members{}
	var places []string
	for f, place := range s.places {
		if place != "" {
			r.fields, places = append(r.fields, field(f)), append(places, place)
		}
	}
	r.action = len(places)
	m, err := decode.NewMembers(append(places, actionPlaces...))
	r.m = m
	return r, err
}

func (r *members) read(line []byte, into *fields) (bool, badrow.Reason) {
	if skip, reason := r.m.Read(line); skip || reason != badrow.None {
		return skip, reason
	}
	found := 0
	for i, f := range r.fields {
		if into[f] = r.m.Text(i); len(into[f]) > 0 {
			found++
		}
	}
	if found > 0 {
		return false, badrow.None
	}
	for i := range actionPlaces {
		if len(r.m.Text(r.action+i)) > 0 {
			return true, badrow.None
		}
	}
	return false, badrow.None
}

// observation reads FHIR's Observation.
type observation struct{ m *decode.Members }

// Members of an Observation, in the order of observationPlaces.
const (
	fhirType = iota
	fhirStatus
	fhirSubject
	fhirDevice
	fhirSystem
	fhirCode
	fhirDateTime
	fhirInstant
	fhirPeriod
	fhirIssued
	fhirQuantity
	fhirUnitCode
	fhirUnit
	fhirInteger
)

var observationPlaces = []string{
	"resourceType", "status", "subject.reference", "device.reference", "code.coding.0.system", "code.coding.0.code",
	"effectiveDateTime", "effectiveInstant", "effectivePeriod.start", "issued",
	"valueQuantity.value", "valueQuantity.code", "valueQuantity.unit", "valueInteger",
}

func newFHIR() (*observation, error) {
	m, err := decode.NewMembers(observationPlaces)
	return &observation{m}, err
}

// unnamed is the device of an Observation that names none.
var unnamed = []byte("unknown")

func (r *observation) read(line []byte, into *fields) (bool, badrow.Reason) {
	if skip, reason := r.m.Read(line); skip || reason != badrow.None {
		return skip, reason
	}
	if string(r.m.Text(fhirType)) != "Observation" {
		return false, badrow.Format
	}
	into[fieldTime] = r.first(fhirDateTime, fhirInstant, fhirPeriod, fhirIssued)
	into[fieldDevice] = r.m.Text(fhirDevice)
	if len(into[fieldDevice]) == 0 {
		into[fieldDevice] = unnamed
	}
	into[fieldPatient] = bytes.TrimPrefix(r.m.Text(fhirSubject), []byte("Patient/"))
	into[fieldSystem], into[fieldCode] = r.m.Text(fhirSystem), r.m.Text(fhirCode)
	into[fieldValue] = r.first(fhirQuantity, fhirInteger)
	into[fieldUnit] = r.first(fhirUnitCode, fhirUnit)
	switch status := r.m.Text(fhirStatus); string(status) {
	case "final", "amended", "corrected":
	default:
		into[fieldQuality] = status
	}
	return false, badrow.None
}

// first is the first of the members that is there.
func (r *observation) first(members ...int) []byte {
	for _, i := range members {
		if text := r.m.Text(i); len(text) > 0 {
			return text
		}
	}
	return nil
}
