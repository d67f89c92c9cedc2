package security

import (
	"millrace/schemas/pii"
	"millrace/transforms/decode"
)

// Access gives what a line of an access log counts; false if nothing.
func (c *Classifier) Access(a *decode.AccessLog) (n Counts, some bool) {
	target := pii.Reveal(a.Target)
	if len(target) == 0 {
		target = pii.Reveal(a.Request)
	}
	return c.Request(&Request{Method: a.Method, Target: target, UserAgent: pii.Reveal(a.UserAgent), Status: a.Status, Bytes: a.Bytes})
}

// Auth gives what a line of sshd counts; false if nothing. A connection for a user
// that does not exist counts by itself and with each password that it tries: many
// try none.
func Auth(a *decode.AuthLog) (n Counts, some bool) {
	n.Requests = 1
	switch a.Event {
	case decode.AuthAccepted:
		n.Logins = int64(a.Times)
	case decode.AuthInvalidUser, decode.AuthFailed:
		n.AuthFailed = int64(a.Times)
	case decode.AuthOther, decode.AuthTooMany, decode.AuthNoIdent, decode.AuthClosed:
	}
	return n, n != Counts{Requests: 1}
}
