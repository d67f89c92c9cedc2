package accesslog

import (
	"bytes"

	"millrace/schemas/pii"
	"millrace/transforms/decode"
	"millrace/transforms/security"
)

// suspect tells what the request in hand can be part of, if it can be of an attack. A
// line that names no client is nobody's.
func (w *Worker) suspect(l *decode.AccessLog, v *visitor, a *agent, path *page) {
	if w.Suspect == nil || l.Client.Empty() {
		return
	}
	if n, some := w.gives(l, path).Counts(a.tool, l.Method, l.Status, l.Bytes); some {
		w.counts = n // so that the counts of harmless lines stay off the heap
		w.Suspect(l.Time, w.sender(l, v), &w.counts)
	}
}

// gives is what the target in hand gives away. Most have no query, and then it is
// that of the path, which is remembered.
func (w *Worker) gives(l *decode.AccessLog, path *page) security.Target {
	if path == nil {
		return w.Classifier.Target(pii.Reveal(l.Request))
	}
	target := pii.Reveal(l.Target)
	if bytes.IndexByte(target, '?') >= 0 {
		return w.Classifier.Target(target)
	}
	if !path.known {
		path.gives, path.known = w.Classifier.Target(target), true
	}
	return path.gives
}

// sender is who sent the line in hand, by a token of the full address.
func (w *Worker) sender(l *decode.AccessLog, v *visitor) security.Source {
	if v.source.Token == "" {
		w.scratch = w.masker.AppendSource(w.scratch[:0], l.Client)
		v.source = security.Source{Token: string(w.scratch), Network: string(v.network.masked)}
	}
	return v.source
}

// isTool tells whether a user agent is of a tool that is made to attack.
func (w *Worker) isTool(agent pii.Text) bool {
	return w.Classifier != nil && w.Classifier.Agent(pii.Reveal(agent))
}
