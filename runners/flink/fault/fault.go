// Package fault gives the errors of runners/flink one form: doing what to which
// object, of which class, why, and what to do about it. Package driver does the
// same for endpoints; runners know no endpoints.
package fault

import (
	"errors"
	"strings"
)

// Classes: what the caller can do differs by class. Test with errors.Is.
var (
	ErrNotFound    = errors.New("not found")     // no such job, savepoint, cluster, distribution
	ErrUnavailable = errors.New("unavailable")   // nothing answers there
	ErrInvalid     = errors.New("invalid")       // the caller's mistake
	ErrBusy        = errors.New("in use")        // somebody else's cluster is there
	ErrRefused     = errors.New("refused")       // Flink understood and would not
	ErrEnded       = errors.New("ended at once") // a process that was to stay
)

// Error is an error of a Flink cluster or of the way to it.
type Error struct {
	Doing  string // "start", "stop with savepoint"; a verb that takes the object
	Object string // a job, a process, an address
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
	case e.Cause != nil:
		b.WriteString(e.Cause.Error())
	case e.Class != nil:
		b.WriteString(e.Class.Error())
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
