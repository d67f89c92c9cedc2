package kinesisio

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"millrace/io/driver"
)

// check tells why the service would never accept a record.
func (p *Producer) check(r *Record) error {
	var cause, cure string
	tooLarge := false
	switch n := utf8.RuneCountInString(r.Key); {
	case r.Key == "":
		cause, cure = "its partition key is empty", "give it one"
	case n > maxKeyLength:
		cause, cure = fmt.Sprintf("its partition key has %d characters", n), fmt.Sprintf("keys have at most %d", maxKeyLength)
	case !utf8.ValidString(r.Key):
		cause, cure = "its partition key is not UTF-8", ""
	case r.size() > p.limit:
		tooLarge = true
		cause = fmt.Sprintf("with its key it has %d bytes, and the stream takes at most %s", r.size(), driver.FormatBytes(int64(p.limit)))
		cure = "split it, or raise the stream's maximum record size (up to 10MiB)"
	}
	if r.ExplicitHashKey != "" && cause == "" {
		if _, ok := parseHashKey(r.ExplicitHashKey); !ok {
			cause, cure = fmt.Sprintf("its explicit hash key %q is no decimal number below 2^128", r.ExplicitHashKey), ""
		}
	}
	if cause == "" {
		return nil
	}
	if tooLarge {
		return p.refusal(r, sizeError(cause), cure)
	}
	return p.refusal(r, errors.New(cause), cure)
}

// sizeError says that a record is too large.
type sizeError string

func (e sizeError) Error() string { return string(e) }

func (p *Producer) refusal(r *Record, cause error, cure string) error {
	return &driver.Error{Doing: fmt.Sprintf("put a record of %d bytes into", len(r.Data)), Object: p.place.String(), Class: driver.ErrInvalid, Cause: cause, Cure: cure}
}

// refuseNew refuses a record that was not accepted yet.
func (p *Producer) refuseNew(q *queued, cause error) error {
	p.mu.Lock()
	err := p.ended()
	if err == nil {
		p.stats.Accepted++
		p.stats.Refused++
		if p.opt.refused == nil {
			p.fail(cause)
			err = cause
		}
	}
	p.mu.Unlock()
	if err == nil {
		p.tell(q, cause)
	}
	return err
}

func (p *Producer) tell(q *queued, cause error) {
	p.telling.Lock()
	defer p.telling.Unlock()
	p.opt.refused(q, cause)
}
