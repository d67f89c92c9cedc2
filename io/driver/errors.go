package driver

import (
	"errors"
	"strings"
)

// Classes of endpoint errors: what the caller can do differs by class, whatever
// the endpoint is. Test with errors.Is.
var (
	ErrNotFound    = errors.New("not found")
	ErrPermission  = errors.New("permission denied")
	ErrCorrupt     = errors.New("data is corrupt")
	ErrThrottled   = errors.New("throttled")          // after the retries gave up
	ErrUnavailable = errors.New("unavailable")        // likewise: network, 5xx
	ErrInvalid     = errors.New("invalid")            // the caller's mistake: a URL, a parameter, an input of the wrong kind
	ErrConflict    = errors.New("condition not met")  // a conditional write lost
	ErrChanged     = errors.New("changed while read") // no longer the bytes that were planned
	ErrFull        = errors.New("no space left")
	ErrReadOnly    = errors.New("read-only")
	ErrBusy        = errors.New("in use by another run")
	ErrLeaseLost   = errors.New("lease lost")
)

// Error is an endpoint error: doing what to which object, of which class, why,
// and what to do about it.
type Error struct {
	Doing  string // "read", "list", "write"; a verb that takes the object
	Object string // a path or URL, never with a credential
	Class  error  // one of the classes above
	Cause  error  // what the system said; may be nil
	Cure   string // what to do; may be empty
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Doing)
	b.WriteByte(' ')
	b.WriteString(e.Object)
	b.WriteString(": ")
	switch {
	case e.Cause == nil && e.Class != nil:
		b.WriteString(e.Class.Error())
	case e.Cause != nil:
		b.WriteString(e.Cause.Error())
	}
	if e.Cure != "" {
		b.WriteString("; ")
		b.WriteString(e.Cure)
	}
	return b.String()
}

// Unwrap exposes both class and cause to errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Class, e.Cause} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}
