package device

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"millrace/schemas/badrow"
	"millrace/schemas/pii"
	"millrace/transforms/decode"
)

// Record is what a record says. Views are valid until the next one.
type Record struct {
	Time       int64 // Unix milliseconds
	DeviceTime int64 // by the device's clock; 0 when it does not say
	Sequence   int64 // with Numbered
	Numbered   bool

	Device, Patient, Asset pii.Text // the latter two empty when it does not say
	System, Code           []byte   // System is empty when it does not say
	Value                  []byte   // a decimal number
	Unit                   []byte   // empty when it does not say
	Quality                []byte   // empty when it does not say
}

// fields are the texts of a record by field.
type fields [numFields][]byte

// reader finds the fields of a line. The texts may be views of the line.
type reader interface {
	read(line []byte, into *fields) (skip bool, reason badrow.Reason)
}

// Decoder reads records of one format. It belongs to one goroutine.
type Decoder struct {
	spec  Spec
	read  reader
	texts fields
	times decode.Times
	stamp []byte
}

// Limits of texts, in bytes. They bound what dictionaries and tokens cost; what real
// devices send is far below.
const (
	maxName  = 256 // of a device, patient, asset, system or code
	maxOther = 128 // of a unit, a quality
)

// Decode reads a line without its end. skip tells that it is no record.
func (d *Decoder) Decode(line []byte, into *Record) (skip bool, reason badrow.Reason) {
	if skip, reason = d.fields(line); skip || reason != badrow.None {
		return skip, reason
	}
	t := &d.texts
	*into = Record{
		Device: pii.Of(t[fieldDevice]), Patient: pii.Of(t[fieldPatient]), Asset: pii.Of(t[fieldAsset]),
		System: t[fieldSystem], Code: t[fieldCode], Value: t[fieldValue], Unit: t[fieldUnit], Quality: t[fieldQuality],
	}
	var ok bool
	if into.Time, ok = d.time(); !ok {
		return false, badrow.Timestamp
	}
	for _, f := range needed {
		if len(t[f]) == 0 {
			return false, badrow.Format
		}
	}
	for f, text := range t {
		most := maxName
		if field(f) == fieldUnit || field(f) == fieldQuality {
			most = maxOther
		}
		if len(text) > most || !utf8.Valid(text) {
			return false, badrow.Format
		}
	}
	if text := t[fieldDeviceTime]; len(text) > 0 {
		if into.DeviceTime, ok = d.stamped(text); !ok {
			return false, badrow.Timestamp
		}
	}
	if text := t[fieldSequence]; len(text) > 0 {
		n, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil {
			return false, badrow.Number
		}
		into.Sequence, into.Numbered = n, true
	}
	return false, badrow.None
}

// EventTime reads the time alone, in Unix milliseconds, as Decode does.
func (d *Decoder) EventTime(line []byte) (ms int64, ok bool) {
	if skip, reason := d.fields(line); skip || reason != badrow.None {
		return 0, false
	}
	return d.time()
}

func (d *Decoder) fields(line []byte) (skip bool, reason badrow.Reason) {
	d.texts = fields{}
	if skip, reason = d.read.read(line, &d.texts); skip || reason != badrow.None {
		return skip, reason
	}
	for f := range d.texts {
		if c := d.spec.constants[f]; c != "" {
			d.texts[f] = []byte(c)
		}
		d.texts[f] = bytes.TrimSpace(d.texts[f])
	}
	return false, badrow.None
}

func (d *Decoder) time() (int64, bool) { return d.stamped(d.texts[fieldTime]) }

// stamped reads a time, with the zone of those that have no offset.
func (d *Decoder) stamped(text []byte) (int64, bool) {
	const local = len("2006-01-02T15:04:05")
	if d.spec.zone != "" && len(text) >= local && text[4] == '-' && !offset(text[local:]) {
		d.stamp = append(append(d.stamp[:0], text...), d.spec.zone...)
		text = d.stamp
	}
	return d.times.Read(text)
}

// offset tells whether what stands behind the seconds ends with an offset.
func offset(rest []byte) bool { return bytes.ContainsAny(rest, "Z+-") }
