// Package device is what a core does with a block of records of devices: it decodes
// them, gives codes and units their standard, and masks who was measured.
//
// # Formats
//
// json is one object a line, with members event_time, device_id, patient_id, asset_id,
// code_system, code, value, unit, device_time, sequence and quality; csv has a header
// line of the same names. Other names and constants follow the format's name:
//
//	json time=@timestamp device=entityID code:=beverages value=quantity unit:={count}
//	csv time=timestamp device:=room1 code:=room-temperature value=value unit:=[degF] zone:=+00:00
//
// FIELD=NAME says where a field stands (in JSON joined by dots, with numbers for places
// in lists), FIELD:=TEXT what it always is. Times have an offset, or are Unix time; zone
// is the offset of those without one. Action lines of Elasticsearch's bulk format are
// skipped.
//
// fhir is the bulk export of FHIR's Observation (R4), one resource a line, and of it a
// subset: status, subject.reference, device.reference, code.coding[0], effectiveDateTime,
// effectiveInstant or effectivePeriod.start, issued, and valueQuantity or valueInteger.
// The subject is the patient, whatever the reference names. An Observation that was
// entered in error has the quality of that status; one without a value of these two
// kinds, so one of components alone, is a bad row.
package device
