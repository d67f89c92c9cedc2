package accesslog

import (
	"encoding/json"
	"slices"
	"strconv"

	"millrace/schemas/pii"
	"millrace/schemas/weblog"
	"millrace/transforms/mask"
)

// CodesFields are the fields of a line by which a table of codes can be looked up, as
// they came: the full address, the name of the user.
func CodesFields() []string {
	return []string{"client_ip", "edge", "host", "method", "path", "status", "user"}
}

// putCodes appends what the table of codes says of the line in hand.
func (w *Worker) putCodes() {
	if w.look.codes == nil {
		return
	}
	if w.key = w.appendCode(w.key[:0]); len(w.key) == 0 {
		return
	}
	w.putRare(weblog.EventCodes, memoOf(w.look.coded, w.key, func() *text { return &text{masked: w.coded(w.key)} }))
}

// appendCode appends the value that is looked up.
func (w *Worker) appendCode(dst []byte) []byte {
	l := &w.line
	switch w.References.CodesBy {
	case "client_ip":
		if l.Addr.IsValid() {
			return l.Addr.Unmap().WithZone("").AppendTo(dst)
		}
		return append(dst, pii.Reveal(l.Client)...)
	case "edge":
		if w.reads.other != nil {
			return append(dst, pii.Reveal(w.reads.other.Detail().Place)...)
		}
	case "host":
		return append(dst, l.VHost...)
	case "method":
		return append(dst, l.Method...)
	case "path":
		target := pii.Reveal(l.Target)
		if i := slices.Index(target, '?'); i >= 0 {
			target = target[:i]
		}
		return append(dst, target...)
	case "status":
		if l.Status > 0 {
			return strconv.AppendInt(dst, int64(l.Status), 10)
		}
	case "user":
		return append(dst, pii.Reveal(l.User)...)
	}
	return dst
}

// coded is the row of a key as a JSON object, in the order of the table's columns,
// without the key and what is empty: masked, as who made the table does not know who
// reads this.
func (w *Worker) coded(key []byte) []byte {
	t := w.look.codes
	row, ok := t.Lookup(key)
	if !ok {
		return nil
	}
	var out []byte
	for i, name := range t.Columns() {
		if name == t.Key() || row[i] == "" {
			continue
		}
		out = append(appendJSON(append(out, ','), name), ':')
		out = appendJSON(out, string(w.text(weblog.EventCodes, pii.Of([]byte(row[i])), mask.FreeText)))
	}
	if out == nil {
		return []byte("{}")
	}
	out[0] = '{'
	return append(out, '}')
}

func appendJSON(dst []byte, s string) []byte {
	b, err := json.Marshal(s)
	if err != nil { // of no string
		return append(dst, `""`...)
	}
	return append(dst, b...)
}
