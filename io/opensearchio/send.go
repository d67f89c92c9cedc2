package opensearchio

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"millrace/io/driver"
)

const (
	firstBackoff = 50 * time.Millisecond
	maxBackoff   = 10 * time.Second
)

// backoff is how long to wait before what failed so many times is tried again:
// anything up to a bound that doubles, so that those who failed together do not
// come back together.
func backoff(tries int) time.Duration {
	bound := maxBackoff
	if tries < 8 {
		bound = min(maxBackoff, firstBackoff<<tries)
	}
	return rand.N(bound + 1)
}

// wait rests before another try.
func wait(ctx context.Context, tries int) error {
	timer := time.NewTimer(backoff(tries))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// insist makes a call until it goes well or fails for good.
func (s *Sink) insist(ctx context.Context, call func() error) error {
	for tries := 0; ; tries++ {
		err := call()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil || !passes(err) {
			return err
		}
		s.noteFault(ctx, err)
		if err := wait(ctx, tries); err != nil {
			return err
		}
	}
}

// deliver sends a bulk until each of its rows is stored or refused, or the sink
// ends.
func (s *Sink) deliver(ctx context.Context, b *bulk) error {
	pending := b.items
	most := len(pending) // of a call
	for tries := 0; len(pending) > 0; {
		n := min(most, len(pending))
		status, err := s.post(ctx, b, pending[:n])
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == nil && status < 300:
			kept, err := s.settle(b, pending[:n])
			if err != nil {
				return err
			}
			pending = pending[n-kept:]
			most = min(2*most, len(b.items))
			if tries++; kept == 0 {
				tries = 0
			} else if err := wait(ctx, tries); err != nil {
				return err
			}
			continue
		case errors.Is(err, errAnswerLong), status == http.StatusRequestEntityTooLarge, status == http.StatusBadRequest:
			// Of many rows one may be at fault; of one it is clear.
			if n > 1 {
				most = n / 2
				continue
			}
			if err != nil {
				return s.config.corrupt(err)
			}
			if err := s.refuseCall(b, &pending[0], status); err != nil {
				return err
			}
			pending = pending[1:]
			continue
		case err == nil:
			kind, reason := decodeError(b.answer.Bytes())
			err = s.config.answerError(status, kind, reason)
		}
		if !passes(err) {
			return err
		}
		s.noteFault(ctx, err)
		if err := wait(ctx, tries); err != nil {
			return err
		}
		tries++
	}
	return nil
}

func (s *Sink) post(ctx context.Context, b *bulk, items []item) (status int, err error) {
	s.count(func(st *Stats) { st.Calls++ })
	for i := range items {
		items[i].attempts++
	}
	return s.client.call(ctx, http.MethodPost, s.path, "application/x-ndjson", b.head(items, s.config.gzip), s.config.gzip, answerLimit(len(items)), &b.answer)
}

// refuseCall refuses the only row of a call that was refused as a whole.
func (s *Sink) refuseCall(b *bulk, it *item, status int) error {
	kind, reason := decodeError(b.answer.Bytes())
	why := driver.RefusedInvalid
	if status == http.StatusRequestEntityTooLarge {
		why = driver.RefusedTooLarge
	}
	return s.refuse(it.refused(why, code(status, kind), s.config.answerError(status, kind, reason)))
}

func code(status int, kind string) string {
	if kind == "" {
		return fmt.Sprint("HTTP ", status)
	}
	return kind
}

// settle goes through the answer to a call. The items that are to be sent again,
// so many, are moved to the end of the call's.
func (s *Sink) settle(b *bulk, items []item) (kept int, err error) {
	b.outcomes, err = decodeBulk(b.outcomes[:0], b.answer.Bytes(), len(items))
	if err != nil {
		return 0, s.config.corrupt(err)
	}
	again := make([]bool, len(items))
	var stored, stale, retried int64
	for i, o := range b.outcomes {
		kind, reason := o.Error.Type, short(o.Error.Reason)
		switch {
		case o.Status < 300:
			stored++
		case o.Status == http.StatusConflict:
			// What is there has this version or a later one, or is this very row.
			stale++
		case o.Status == http.StatusTooManyRequests || o.Status >= 500:
			err := s.config.answerError(o.Status, kind, reason)
			if int(items[i].attempts) >= s.config.attempts {
				if err := s.refuse(items[i].refused(driver.RefusedOverload, code(o.Status, kind), err)); err != nil {
					return 0, err
				}
				continue
			}
			if again[i] = true; retried == 0 {
				s.noteFault(s.ctx, err)
			}
			retried++
		case o.Status == http.StatusUnauthorized, o.Status == http.StatusForbidden, kind == "index_not_found_exception":
			return 0, s.config.answerError(o.Status, kind, reason)
		default:
			if err := s.refuse(items[i].refused(driver.RefusedInvalid, code(o.Status, kind), s.config.answerError(o.Status, kind, reason))); err != nil {
				return 0, err
			}
		}
	}
	s.count(func(st *Stats) { st.Stored += stored; st.Stale += stale; st.Retried += retried })
	if retried == 0 {
		s.noFault()
		return 0, nil
	}
	return b.keep(items, again), nil
}
