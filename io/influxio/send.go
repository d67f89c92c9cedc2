package influxio

import (
	"context"
	"errors"
	"net/http"

	"millrace/io/calls"
	"millrace/io/driver"
)

// deliver sends a batch until each of its rows is stored, known to be there or refused.
func (s *Sink) deliver(ctx context.Context, b *batch) error {
	if s.config.shape.Version >= 0 || len(s.config.folded) > 0 {
		stale, err := b.newest(s.clash)
		if err != nil {
			return err
		}
		if s.config.check {
			n, err := s.compare(ctx, b)
			if err != nil {
				return err
			}
			stale += n
		}
		s.sender.Count(func(st *calls.Stats) { st.Stale += stale })
		b.compact()
	}
	if len(b.items) == 0 {
		return nil
	}
	return s.send(ctx, b, b.items)
}

// send sends items that follow each other. Where some are refused, InfluxDB stores the
// others and says how many it did not, not which: the call is made again in halves,
// which overwrites what is stored, until it is known.
func (s *Sink) send(ctx context.Context, b *batch, items []item) error {
	var status int
	err := s.sender.Insist(ctx, func() error {
		var err error
		if status, err = s.post(ctx, b, items); err != nil {
			return err
		}
		if status != http.StatusNoContent && !refuses(status) {
			return s.config.answerError(status, message(b.answer.Bytes()))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if status == http.StatusNoContent {
		s.sender.Count(func(st *calls.Stats) { st.Stored += int64(len(items)) })
		return nil
	}
	told := message(b.answer.Bytes())
	if len(items) == 1 || dropped(told) == len(items) {
		return s.refuse(items, status, told)
	}
	half := len(items) / 2
	if err := s.send(ctx, b, items[:half]); err != nil {
		return err
	}
	return s.send(ctx, b, items[half:])
}

func (s *Sink) post(ctx context.Context, b *batch, items []item) (status int, err error) {
	s.sender.Count(func(st *calls.Stats) { st.Calls++ })
	for i := range items {
		items[i].Attempts++
	}
	status, err = s.call(ctx, s.config.write, "text/plain; charset=utf-8", b.lines(items, s.config.gzip), s.config.gzip, answerLimit, &b.answer)
	if errors.Is(err, errAnswerLong) { // its beginning says what there is to know
		return status, nil
	}
	return status, err
}

// refuse refuses all rows of a call.
func (s *Sink) refuse(items []item, status int, told string) error {
	reason, err := driver.RefusedInvalid, s.config.answerError(status, told)
	if status == http.StatusRequestEntityTooLarge {
		reason = driver.RefusedTooLarge
	}
	for i := range items {
		if err := s.sender.Refuse(items[i].Refused(reason, code(status, told), err)); err != nil {
			return err
		}
	}
	return nil
}
