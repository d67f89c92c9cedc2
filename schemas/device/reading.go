// Package device defines the rows that the devices job writes: readings of sensors,
// medical devices and machines, and what follows from them.
package device

import "millrace/schemas/table"

// Reading is one value that a device measured, in the terms of the table of codes.
type Reading struct {
	ReadingID      table.ID      `col:"reading_id" ecs:"event.id" doc:"UUID v5 of the record's origin: the same record always gets the same id"`
	EventTime      table.Millis  `col:"event_time,sort1,day" ecs:"@timestamp" ts:"time" doc:"when it was measured, UTC"`
	DeviceID       string        `col:"device_id" mask:"token" ecs:"host.id" ts:"dimension" doc:"keyed token of the device"`
	PatientID      *string       `col:"patient_id,null" mask:"token" doc:"keyed token of the patient; null when the record names none"`
	AssetID        *string       `col:"asset_id,null" mask:"token" doc:"keyed token of the machine or room that was measured; null when the record names none"`
	CodeSystem     string        `col:"code_system" mask:"none" doc:"system of the standard code, from the table of codes"`
	Code           string        `col:"code" mask:"none" ts:"dimension" doc:"standard code of what was measured, from the table of codes"`
	Display        string        `col:"display" mask:"none" doc:"what the code means, from the table of codes"`
	Kind           string        `col:"kind" mask:"none" doc:"gauge, or counter for a value that only grows until it is reset"`
	Value          float64       `col:"value" doc:"value in the unit of the table of codes"`
	Unit           string        `col:"unit" mask:"none" doc:"UCUM unit of value, from the table of codes"`
	RawCode        string        `col:"raw_code" mask:"scanned" doc:"code as the device sent it; findings masked"`
	RawValue       float64       `col:"raw_value" doc:"value as the device sent it"`
	RawUnit        *string       `col:"raw_unit,null" mask:"scanned" doc:"unit as the device sent it; null when it sent none, and the one of the table of codes is meant"`
	DeviceTime     *table.Millis `col:"device_time,null" doc:"time by the device's own clock, UTC; null when the record has none"`
	DeviceSequence *int64        `col:"device_sequence,null" doc:"the device's own number of the reading; null when the record has none"`
	Quality        *string       `col:"quality,null" mask:"scanned" doc:"what the device says of the quality; findings masked"`
	OutOfRange     bool          `col:"out_of_range" doc:"value lies outside the range of the table of codes"`
	Late           bool          `col:"late" doc:"read after the watermark and the allowed lateness had passed it"`
	CodesVersion   string        `col:"codes_version" mask:"hash" doc:"version of the table of codes: first 16 hex digits of its SHA-256"`
	Source         string        `col:"source,sort2" mask:"hash" ecs:"log.file.fingerprint" doc:"identity of the file or shard, 32 hex digits of SHA-256: over the first 64 KiB of the file, or over the names of stream and shard"`
	Position       int64         `col:"position,sort4" ecs:"log.offset" doc:"byte offset of the line in the decompressed file, or number of the line in the stream record"`
	Sequence       *string       `col:"sequence,null,sort3" mask:"none" doc:"sequence number of the stream record, with leading zeros; null for files"`
}

// Columns of Reading.
const (
	ReadingID = iota
	ReadingTime
	ReadingDevice
	ReadingPatient
	ReadingAsset
	ReadingCodeSystem
	ReadingCode
	ReadingDisplay
	ReadingKind
	ReadingValue
	ReadingUnit
	ReadingRawCode
	ReadingRawValue
	ReadingRawUnit
	ReadingDeviceTime
	ReadingDeviceSequence
	ReadingQuality
	ReadingOutOfRange
	ReadingLate
	ReadingCodesVersion
	ReadingSource
	ReadingPosition
	ReadingSequence
)

// Readings is the schema of Reading.
var Readings = table.MustOf[Reading]("device.readings", 1)

// Kinds of a reading.
const (
	Gauge   = "gauge"
	Counter = "counter"
)
