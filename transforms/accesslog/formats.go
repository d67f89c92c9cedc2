package accesslog

import (
	"fmt"

	"millrace/schemas/badrow"
	"millrace/schemas/pii"
	"millrace/schemas/weblog"
	"millrace/transforms/decode"
	"millrace/transforms/mask"
)

// reading is how the lines of the present block are read.
type reading struct {
	spec   string         // of the block
	apache decode.Format  // without a decoder; an unknown one is judged line by line
	other  decode.Decoder // of any other format
	known  map[string]decode.Decoder
	texts  [lastDetail - firstDetail]map[string]*text // that repeat, by column
}

// maxDecoders bounds how many decoders a worker keeps: files can name their fields
// as they please.
const maxDecoders = 64

// Columns of texts that repeat in what other formats add.
const (
	firstDetail = weblog.EventEdge
	lastDetail  = weblog.EventTLSCipher + 1
)

// read prepares for lines of a format.
func (w *Worker) read(spec string) (err error) {
	r := &w.reads
	if spec == r.spec {
		return nil
	}
	d := r.known[spec]
	apache, notApache := decode.ParseFormat(spec)
	if d == nil && spec != "" && notApache != nil {
		parsed, err := decode.ParseSpec(spec)
		if err != nil {
			return err
		}
		if d, err = parsed.Open(); err != nil {
			return fmt.Errorf("reading by its format: %w", err)
		}
		if r.known == nil || len(r.known) >= maxDecoders {
			r.known = map[string]decode.Decoder{}
		}
		r.known[spec] = d
	}
	r.spec, r.apache, r.other = spec, apache, d
	return nil
}

// decode reads a line; skip tells that it is no record.
func (w *Worker) decode(line []byte) (skip bool, reason badrow.Reason) {
	if w.reads.other != nil {
		return w.reads.other.Decode(line, &w.line)
	}
	return false, w.parser.Parse(line, w.reads.apache, &w.line)
}

func (r *reading) eventTime(line []byte) (int64, bool) {
	if r.other != nil {
		return r.other.EventTime(line)
	}
	return decode.EventTime(line)
}

// took is how long the request took, in microseconds; -1 when the log does not say.
func (w *Worker) took() int64 {
	if w.reads.other == nil {
		return -1
	}
	return max(w.reads.other.Detail().Took, -1)
}

// putDetail appends what the line has beyond an AccessLog.
func (w *Worker) putDetail() {
	if w.reads.other == nil {
		return
	}
	b := w.events
	b.PadNulls(weblog.EventDurationMs, weblog.EventRequestID)
	d := w.reads.other.Detail()
	if d.Took >= 0 {
		b.PutFloat(weblog.EventDurationMs, float64(d.Took)/1000)
	} else {
		b.PutNull(weblog.EventDurationMs)
	}
	if d.Received >= 0 {
		b.PutInt(weblog.EventBytesReceived, d.Received)
	} else {
		b.PutNull(weblog.EventBytesReceived)
	}
	if d.Target > 0 {
		b.PutInt(weblog.EventTargetStatus, int64(d.Target))
	} else {
		b.PutNull(weblog.EventTargetStatus)
	}
	w.putRepeated(weblog.EventEdge, d.Place)
	w.putRepeated(weblog.EventEdgeResult, d.Result)
	w.putRepeated(weblog.EventTLSVersion, d.TLSVersion)
	w.putRepeated(weblog.EventTLSCipher, d.TLSCipher)
	if d.RequestID.Empty() {
		b.PutNull(weblog.EventRequestID)
		return
	}
	w.scratch = w.appendText(w.scratch[:0], weblog.EventRequestID, d.RequestID, mask.FreeText)
	putText(b, weblog.EventRequestID, w.scratch)
}

// putRepeated appends a text of which there are few. A batch of events beyond the
// bounds has codes of its own, which putMemo sees to.
func (w *Worker) putRepeated(col int, t pii.Text) {
	if t.Empty() {
		w.events.PutNull(col)
		return
	}
	known := &w.reads.texts[col-firstDetail]
	if *known == nil {
		*known = map[string]*text{}
	}
	w.putMemo(col, memoOf(*known, pii.Reveal(t), func() *text { return &text{masked: w.text(col, t, mask.FreeText)} }))
}
