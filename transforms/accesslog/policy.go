package accesslog

import (
	"millrace/schemas/pii"
	"millrace/schemas/weblog"
	"millrace/transforms/mask"
)

// Fields are the columns of events that a policy can set. What is made of them follows:
// pages and campaigns of sessions, top pages, counts of clients, networks of sources.
// The other columns are tokens that hold rows together, numbers, or words of ours.
func Fields() mask.Fields {
	return mask.Fields{
		"client_ip": mask.Class(mask.IP), "user": mask.User,
		"path": mask.Text, "query": mask.Text, "referrer": mask.Text, "user_agent": mask.Text, "request": mask.Text,
		"edge": mask.Text, "edge_result": mask.Text, "tls_version": mask.Text, "tls_cipher": mask.Text, "request_id": mask.Text,
		"method": mask.None, "protocol": mask.None, "host": mask.None,
		"country": mask.None, "region": mask.None, "city": mask.None, "network": mask.None, "codes": mask.Text,
	}
}

// appendText appends a text as the policy has it, else with its findings replaced.
// Nothing is appended when nothing of it may stay.
func (w *Worker) appendText(dst []byte, col int, t pii.Text, where mask.Where) []byte {
	if p := w.policy[col]; p.Set() {
		return w.masker.AppendTreated(dst, p, t)
	}
	return w.masker.AppendMasked(dst, t, where)
}

// text is appendText into new memory.
func (w *Worker) text(col int, t pii.Text, where mask.Where) []byte {
	return w.appendText(nil, col, t, where)
}

// appendUser appends the token of a user, or what the policy makes of the name.
func (w *Worker) appendUser(dst []byte, user pii.Text) []byte {
	if p := w.policy[weblog.EventUser]; p.Set() {
		return w.masker.AppendTreated(dst, p, user)
	}
	return w.masker.AppendUser(dst, user)
}

// putWord appends a word of a protocol or a host, which stays as it is but for a policy.
func (w *Worker) putWord(col int, v []byte) {
	if p := w.policy[col]; p.Set() && len(v) > 0 {
		w.wordText = w.masker.AppendTreated(w.wordText[:0], p, pii.Of(v)) // scratch holds the query
		v = w.wordText
	}
	putText(w.events, col, v)
}

// word is what a table says, which stays as it is but for a policy.
func (w *Worker) word(col int, v string) []byte {
	if p := w.policy[col]; p.Set() && v != "" {
		return w.masker.AppendTreated(nil, p, pii.Of([]byte(v)))
	}
	return []byte(v)
}
