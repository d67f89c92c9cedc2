package opensearchio

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"millrace/io/calls"
	"millrace/io/driver"
)

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
			kept, err := s.settle(ctx, b, pending[:n])
			if err != nil {
				return err
			}
			pending = pending[n-kept:]
			most = min(2*most, len(b.items))
			if tries++; kept == 0 {
				tries = 0
			} else if err := calls.Rest(ctx, tries); err != nil {
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
		if !calls.Passes(err) {
			return err
		}
		s.sender.Faulty(ctx, err)
		if err := calls.Rest(ctx, tries); err != nil {
			return err
		}
		tries++
	}
	return nil
}

func (s *Sink) post(ctx context.Context, b *bulk, items []item) (status int, err error) {
	s.sender.Count(func(st *calls.Stats) { st.Calls++ })
	for i := range items {
		items[i].Attempts++
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
	return s.sender.Refuse(it.Refused(why, code(status, kind), s.config.answerError(status, kind, reason)))
}

func code(status int, kind string) string {
	if kind == "" {
		return fmt.Sprint("HTTP ", status)
	}
	return kind
}

// settle goes through the answer to a call. The items that are to be sent again,
// so many, are moved to the end of the call's.
func (s *Sink) settle(ctx context.Context, b *bulk, items []item) (kept int, err error) {
	b.outcomes, err = decodeBulk(b.outcomes[:0], b.answer.Bytes(), len(items))
	if err != nil {
		return 0, s.config.corrupt(err)
	}
	again := make([]bool, len(items))
	var stored, stale, retried int64
	for i, o := range b.outcomes {
		kind, reason := o.Error.Type, calls.Short([]byte(o.Error.Reason))
		switch {
		case o.Status < 300:
			stored++
		case o.Status == http.StatusConflict:
			// What is there has this version or a later one, or is this very row.
			stale++
		case o.Status == http.StatusTooManyRequests || o.Status >= 500:
			err := s.config.answerError(o.Status, kind, reason)
			if int(items[i].Attempts) >= s.config.attempts {
				if err := s.sender.Refuse(items[i].Refused(driver.RefusedOverload, code(o.Status, kind), err)); err != nil {
					return 0, err
				}
				continue
			}
			if again[i] = true; retried == 0 {
				s.sender.Faulty(ctx, err)
			}
			retried++
		case o.Status == http.StatusUnauthorized, o.Status == http.StatusForbidden, kind == "index_not_found_exception":
			return 0, s.config.answerError(o.Status, kind, reason)
		default:
			if err := s.sender.Refuse(items[i].Refused(driver.RefusedInvalid, code(o.Status, kind), s.config.answerError(o.Status, kind, reason))); err != nil {
				return 0, err
			}
		}
	}
	s.sender.Count(func(st *calls.Stats) { st.Stored += stored; st.Stale += stale })
	s.retried.Add(retried)
	if retried == 0 {
		s.sender.Well()
		return 0, nil
	}
	return b.keep(items, again), nil
}
