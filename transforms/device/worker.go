package device

import (
	"unicode/utf8"

	"millrace/schemas/badrow"
	"millrace/schemas/device"
	"millrace/schemas/late"
	"millrace/schemas/pii"
	"millrace/schemas/table"
	"millrace/transforms/intake"
	"millrace/transforms/mask"
	"millrace/transforms/normalise"
)

// Worker makes rows of records. It is an intake.Handler and belongs to one goroutine.
type Worker struct {
	masker     *mask.Masker
	policy     []mask.Treatment // by column of readings
	normaliser *normalise.Normaliser
	format     string
	decoder    *Decoder

	readings, points, late *table.Batch
	marks                  [2]int // rows of points and late when Rows was last called

	record   Record
	value    normalise.Value
	detail   []byte
	scratch  []byte
	device   []byte // tokens
	patient  []byte
	asset    []byte
	versions string
	tokens   map[string][]byte // by type and name
	unread   bool              // nobody reads the readings
}

// NoReadings leaves out the rows of readings: points alone are made.
func (w *Worker) NoReadings() { w.unread = true }

// maxTokens bounds the memory of tokens; a full one starts anew.
const maxTokens = 1 << 16

// token is the token of a name, of which there are few. It is not to be written to.
func (w *Worker) token(typ string, name pii.Text) []byte {
	w.scratch = append(append(append(w.scratch[:0], typ...), '/'), pii.Reveal(name)...)
	if t, ok := w.tokens[string(w.scratch)]; ok {
		return t
	}
	if w.tokens == nil || len(w.tokens) >= maxTokens {
		w.tokens = map[string][]byte{}
	}
	t := w.masker.AppendToken(nil, typ, name)
	w.tokens[string(w.scratch)] = t
	return t
}

// Fields are the columns of readings that a policy can set. The others are tokens that
// hold rows together, numbers, or words of the table of codes.
func Fields() mask.Fields {
	return mask.Fields{"raw_code": mask.Text, "raw_unit": mask.Text, "quality": mask.Text}
}

// NewWorker makes a worker with a masker and a table of codes; single fields are masked
// as the policy says, if there is one.
func NewWorker(masker *mask.Masker, policy *mask.Policy, table *normalise.Table) *Worker {
	w := &Worker{masker: masker, policy: policy.Treatments(device.Readings, Fields()), normaliser: normalise.New(table), versions: table.Version()}
	w.fresh()
	w.TakePoints()
	return w
}

func (w *Worker) fresh() {
	w.readings, w.late = table.NewBatch(device.Readings), table.NewBatch(late.Rows)
}

// Open makes ready for records of a format, the text of a Spec.
func (w *Worker) Open(format string) error {
	if w.decoder != nil && w.format == format {
		return nil
	}
	s, err := ParseSpec(format)
	if err != nil {
		return err
	}
	w.decoder, err = s.Open()
	w.format = format
	return err
}

// Read implements intake.Handler.
func (w *Worker) Read(line pii.Text, _ *intake.Place) (ms int64, skip bool, reason badrow.Reason) {
	r := &w.record
	w.detail = w.detail[:0]
	if skip, reason = w.decoder.Decode(pii.Reveal(line), r); skip || reason != badrow.None {
		return 0, skip, reason
	}
	w.value, reason = w.normaliser.Value(r.System, r.Code, r.Value, r.Unit)
	if reason == badrow.Code {
		w.explain(device.ReadingRawCode, r.Code)
	} else if reason == badrow.Unit {
		w.explain(device.ReadingRawUnit, r.Unit)
	}
	return r.Time, false, reason
}

const maxDetail = 64 // bytes

func (w *Worker) explain(col int, text []byte) {
	w.detail = append(w.detail[:0], w.masked(col, text)...)
	if n := maxDetail; len(w.detail) > n {
		for !utf8.RuneStart(w.detail[n]) {
			n--
		}
		w.detail = w.detail[:n]
	}
}

// Detail implements intake.Explainer.
func (w *Worker) Detail() []byte { return w.detail }

// Rows implements intake.Handler.
func (w *Worker) Rows() int {
	w.marks = [2]int{w.points.Len(), w.late.Len()}
	return w.readings.Len()
}

// Rewind implements intake.Handler. It goes back to where Rows was last called.
func (w *Worker) Rewind(rows int) {
	w.readings.Rewind(rows)
	w.points.Rewind(w.marks[0])
	w.late.Rewind(w.marks[1])
}

// Size estimates the memory of the rows in bytes.
func (w *Worker) Size() int { return w.readings.Size() + w.points.Size() + w.late.Size() }

// Len is how many rows wait.
func (w *Worker) Len() int { return w.readings.Len() + w.points.Len() + w.late.Len() }

// Take hands over the rows of readings, device.Readings, and of those that were late.
func (w *Worker) Take() (readings, late *table.Batch) {
	readings, late = w.readings, w.late
	w.fresh()
	return readings, late
}

// TakePoints hands over the points, device.Points, of all readings that came in time, also
// of those of the days around.
func (w *Worker) TakePoints() *table.Batch {
	points := w.points
	if points == nil {
		w.points = table.NewBatch(device.Points)
	} else {
		w.points = points.Fresh()
	}
	return points
}

// Put implements intake.Handler.
func (w *Worker) Put(at *intake.Place) {
	r := &w.record
	id := at.EventID()
	w.device, w.patient, w.asset = w.token("device", r.Device), nil, nil
	subject := w.device
	if !r.Asset.Empty() {
		w.asset = w.token("asset", r.Asset)
		subject = w.asset
	}
	if !r.Patient.Empty() {
		w.patient = w.token("patient", r.Patient)
		subject = w.patient
	}
	if at.Inside {
		if !w.unread {
			w.reading(at, id)
		}
		if at.Behind > 0 {
			w.late.Append(&late.Row{EventID: id, EventTime: table.Millis(r.Time), Source: at.Source, Sequence: orNull(at.Sequence), Position: at.Position, DelayMs: at.Behind})
		}
	}
	if at.Behind == 0 {
		w.point(at, id, subject)
	}
}

func (w *Worker) reading(at *intake.Place, id table.ID) {
	r, v, e, b := &w.record, &w.value, w.value.Entry, w.readings
	b.PutUUID(device.ReadingID, id)
	b.PutInt(device.ReadingTime, r.Time)
	b.PutText(device.ReadingDevice, w.device)
	putText(b, device.ReadingPatient, w.patient)
	putText(b, device.ReadingAsset, w.asset)
	b.PutString(device.ReadingCodeSystem, e.CodeSystem)
	b.PutString(device.ReadingCode, e.Code)
	b.PutString(device.ReadingDisplay, e.Display)
	b.PutString(device.ReadingKind, e.Kind)
	b.PutFloat(device.ReadingValue, v.Value)
	b.PutString(device.ReadingUnit, e.Unit)
	b.PutText(device.ReadingRawCode, w.masked(device.ReadingRawCode, r.Code))
	b.PutFloat(device.ReadingRawValue, v.Raw)
	putText(b, device.ReadingRawUnit, w.masked(device.ReadingRawUnit, r.Unit))
	putInt(b, device.ReadingDeviceTime, r.DeviceTime, r.DeviceTime != 0)
	putInt(b, device.ReadingDeviceSequence, r.Sequence, r.Numbered)
	putText(b, device.ReadingQuality, w.masked(device.ReadingQuality, r.Quality))
	b.PutBool(device.ReadingOutOfRange, !e.InRange(v.Value))
	b.PutBool(device.ReadingLate, at.Behind > 0)
	b.PutString(device.ReadingCodesVersion, w.versions)
	b.PutString(device.ReadingSource, at.Source)
	b.PutInt(device.ReadingPosition, at.Position)
	putText(b, device.ReadingSequence, []byte(at.Sequence))
	b.EndRow()
}

func (w *Worker) point(at *intake.Place, id table.ID, subject []byte) {
	r, e, b := &w.record, w.value.Entry, w.points
	b.PutInt(device.PointTime, r.Time)
	b.PutString(device.PointSource, at.Source)
	putText(b, device.PointSequence, []byte(at.Sequence))
	b.PutInt(device.PointPosition, at.Position)
	b.PutUUID(device.PointReadingID, id)
	b.PutText(device.PointDevice, w.device)
	b.PutText(device.PointSubject, subject)
	b.PutBool(device.PointPatient, len(w.patient) > 0)
	b.PutString(device.PointCode, e.Code)
	b.PutString(device.PointDisplay, e.Display)
	b.PutString(device.PointUnit, e.Unit)
	b.PutBool(device.PointCounter, e.Kind == device.Counter)
	b.PutFloat(device.PointValue, w.value.Value)
	b.PutFloat(device.PointLow, e.Low)
	b.PutFloat(device.PointHigh, e.High)
	putInt(b, device.PointDeviceTime, r.DeviceTime, r.DeviceTime != 0)
	b.EndRow()
}

// masked is a text of the device with findings replaced, or as a policy has it, valid
// until the next.
func (w *Worker) masked(col int, text []byte) []byte {
	if p := w.policy[col]; p.Set() {
		w.scratch = w.masker.AppendTreated(w.scratch[:0], p, pii.Of(text))
		return w.scratch
	}
	w.scratch = w.masker.AppendMasked(w.scratch[:0], pii.Of(text), mask.FreeText)
	return w.scratch
}

func putText(b *table.Batch, col int, text []byte) {
	if len(text) == 0 {
		b.PutNull(col)
		return
	}
	b.PutText(col, text)
}

func putInt(b *table.Batch, col int, v int64, known bool) {
	if !known {
		b.PutNull(col)
		return
	}
	b.PutInt(col, v)
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
