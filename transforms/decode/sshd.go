package decode

import (
	"bytes"

	"millrace/schemas/pii"
)

// AuthEvent is what a line of sshd means.
type AuthEvent uint8

// Events of sshd. One try at a password of a user that does not exist is two
// lines, AuthInvalidUser and AuthFailed.
const (
	AuthOther       AuthEvent = iota
	AuthAccepted              // Accepted METHOD for USER from SOURCE port N
	AuthFailed                // Failed METHOD for [invalid user] USER from SOURCE port N
	AuthInvalidUser           // Invalid user USER from SOURCE
	AuthTooMany               // maximum authentication attempts exceeded for USER from SOURCE port N
	AuthNoIdent               // the client spoke no SSH, or not at all
	AuthClosed                // the connection ended before a login
)

var authEvents = [...]string{"other", "accepted", "failed", "invalid_user", "too_many", "no_ident", "closed"}

func (e AuthEvent) String() string { return authEvents[e] }

// readSSHD reads what sshd says. User names come from the client and can hold
// anything, " from 1.2.3.4" too: what follows the last " from " is sshd's own.
func (a *AuthLog) readSSHD(message []byte) {
	m := a.repeated(message)
	m = bytes.TrimPrefix(m, []byte("error: "))
	before, isClosed := bytes.CutSuffix(m, []byte(" [preauth]"))
	switch {
	case cut(&before, "Accepted "):
		a.login(AuthAccepted, before)
	case cut(&before, "Failed "):
		a.login(AuthFailed, before)
	case cut(&before, "Invalid user "):
		a.from(AuthInvalidUser, before, 0)
	case cut(&before, "maximum authentication attempts exceeded for "):
		cut(&before, "invalid user ")
		a.from(AuthTooMany, before, 0)
	case cut(&before, "Did not receive identification string"), cut(&before, "Bad protocol version identification "):
		a.from(AuthNoIdent, before, -1)
	case isClosed && (cut(&before, "Connection closed by ") || cut(&before, "Connection reset by ") || cut(&before, "Disconnected from ")):
		a.closed(before)
	}
	if a.Event == AuthOther {
		a.Times = 1
	}
}

// repeated takes "message repeated 5 times: [ ... ]" apart.
func (a *AuthLog) repeated(m []byte) []byte {
	rest := m
	if !cut(&rest, "message repeated ") {
		return m
	}
	times, inner, ok := bytes.Cut(rest, []byte(" times: [ "))
	n, isNumber := smallNumber(times)
	if !ok || !isNumber || n < 1 || !bytes.HasSuffix(inner, []byte("]")) {
		return m
	}
	a.Times = n
	return inner[:len(inner)-1]
}

func cut(b *[]byte, prefix string) bool {
	if len(*b) < len(prefix) || string((*b)[:len(prefix)]) != prefix {
		return false
	}
	*b = (*b)[len(prefix):]
	return true
}

// login reads "METHOD for [invalid user] USER from SOURCE port N ssh2...".
func (a *AuthLog) login(e AuthEvent, b []byte) {
	method, rest, ok := bytes.Cut(b, []byte(" for "))
	if !ok || len(method) == 0 || bytes.IndexByte(method, ' ') >= 0 {
		return
	}
	if e == AuthFailed {
		cut(&rest, "invalid user ")
	}
	if a.from(e, rest, 0); a.Event == e {
		a.Method = method
	}
}

// from reads "USER from SOURCE[ port N...]"; there is no user with skip -1.
func (a *AuthLog) from(e AuthEvent, b []byte, skip int) {
	i := bytes.LastIndex(b, []byte(" from "))
	if i < 0 {
		if i = 0; !bytes.HasPrefix(b, []byte("from ")) {
			return
		}
		b = append([]byte(" "), b...) // "Invalid user  from" with an empty name
	}
	source := b[i+len(" from "):]
	if !a.client(source) {
		return
	}
	a.Event = e
	if skip >= 0 {
		a.User = pii.Of(b[:i])
	}
}

// closed reads "[authenticating user USER |invalid user USER ]SOURCE port N".
func (a *AuthLog) closed(b []byte) {
	a.Event = AuthClosed
	if cut(&b, "authenticating user ") || cut(&b, "invalid user ") {
		port := max(bytes.LastIndex(b, []byte(" port ")), 0)
		space := bytes.LastIndexByte(b[:port], ' ')
		if space < 0 {
			return
		}
		a.User, b = pii.Of(b[:space]), b[space+1:]
	}
	a.client(b)
}

// client reads "SOURCE[ port N][...]".
func (a *AuthLog) client(b []byte) bool {
	source, rest, _ := bytes.Cut(b, []byte(" "))
	text, addr, ok := readClient(source)
	if !ok || len(text) == 0 {
		return false
	}
	a.Source, a.Addr = pii.Of(text), addr
	if cut(&rest, "port ") {
		end := 0
		for end < len(rest) && rest[end]-'0' <= 9 {
			end++
		}
		a.Port, _ = smallNumber(rest[:end])
	}
	return true
}
