package influxio

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"millrace/io/driver"
	"millrace/io/timeseries"
)

// maxRanges is how many ranges of time one query asks for.
const maxRanges = 16

// compare asks for the points of a batch that can be there, and marks as dead those items
// that are not newer, and those whose point another row has, which are refused.
func (s *Sink) compare(ctx context.Context, b *batch) (stale int64, err error) {
	last := int64(math.MinInt64)
	for i := range b.items {
		last = max(last, b.items[i].time)
	}
	reached, err := s.frontier.pass(b.lane, last, func(after int64) (int64, error) { return s.latest(ctx, b, after) })
	if err != nil {
		return 0, err
	}
	times := make([]int64, 0, len(b.items))
	for i := range b.items {
		if !b.items[i].dead && b.items[i].time <= reached {
			times = append(times, b.items[i].time)
		}
	}
	slices.Sort(times)
	for todo := [][]int64{slices.Compact(times)}; len(todo) > 0; {
		times = todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if len(times) == 0 {
			continue
		}
		n, err := s.compareTimes(ctx, b, times)
		switch {
		case errors.Is(err, errAnswerLong) && len(times) > 1:
			todo = append(todo, times[len(times)/2:], times[:len(times)/2])
		case errors.Is(err, errAnswerLong):
			return stale, &driver.Error{
				Doing: "ask for versions in", Object: s.config.place, Class: driver.ErrInvalid, Cause: err,
				Cure: "too many series have a point of one time: raise rows=, or write check=false",
			}
		case err != nil:
			return stale, err
		}
		stale += n
	}
	return stale, nil
}

// compareTimes does so for items of some times, in order. It changes nothing before the
// answer is known to be whole.
func (s *Sink) compareTimes(ctx context.Context, b *batch, times []int64) (stale int64, err error) {
	answer, err := s.askVersions(ctx, b, s.config.versionQuery(times))
	if err != nil {
		return 0, err
	}
	var series []byte
	for _, found := range answer.series() {
		series = s.config.seriesOf(series[:0], found.Tags)
		if series == nil || found.Name != s.config.measurement {
			continue
		}
		hash := xxhash.Sum64(series)
		for _, p := range found.Values {
			_, it := b.find(series, hash, p.time/s.config.unit())
			if it == nil || it.dead || p.time%s.config.unit() != 0 {
				continue
			}
			switch other, err := s.isOther(it, p); {
			case err != nil:
				return stale, err
			case other:
				it.dead = true
				if err := s.refuseClash(it); err != nil {
					return stale, err
				}
			case p.rank >= it.rank:
				it.dead = true
				stale++
			}
		}
	}
	return stale, nil
}

// askVersions asks for versions until there is an answer.
func (s *Sink) askVersions(ctx context.Context, b *batch, query string) (answer versions, err error) {
	body := url.Values{"q": {query}}.Encode()
	err = s.sender.Insist(ctx, func() error {
		status, err := s.call(ctx, s.config.query, "application/x-www-form-urlencoded", []byte(body), false, s.config.checkLimit(), &b.answer)
		switch {
		case status != http.StatusOK && (err == nil || errors.Is(err, errAnswerLong)):
			return s.config.answerError(status, message(b.answer.Bytes()))
		case err != nil:
			return err
		}
		if answer, err = decodeVersions(b.answer.Bytes(), s.config); err != nil {
			return s.config.corrupt(err)
		}
		return answer.fault(s.config)
	})
	return answer, err
}

// unit is how many nanoseconds the time of an item counts.
func (c *config) unit() int64 {
	if len(c.folded) > 0 {
		return 1
	}
	return 1_000_000
}

// versionQuery asks for what is there from the first to the last of some times, which
// are in order, leaving out the widest gaps between them.
func (c *config) versionQuery(times []int64) string {
	type gap struct {
		after int
		width uint64
	}
	var gaps []gap
	for i := range len(times) - 1 {
		gaps = append(gaps, gap{i, uint64(times[i+1] - times[i])}) //nolint:gosec // the later is the greater; what is beyond 63 bits fits 64
	}
	slices.SortStableFunc(gaps, func(a, b gap) int { return cmp.Compare(b.width, a.width) })
	gaps = gaps[:min(len(gaps), maxRanges-1)]
	slices.SortFunc(gaps, func(a, b gap) int { return a.after - b.after })
	var q []byte
	from := 0
	for _, g := range append(gaps, gap{after: len(times) - 1}) {
		q = c.appendQuery(q, times[from], times[g.after])
		from = g.after + 1
	}
	return string(q)
}

func (c *config) appendQuery(q []byte, from, to int64) []byte {
	q = append(append(append(c.appendSelected(q), ` FROM `...), c.from...), ` WHERE time >= `...)
	q = append(strconv.AppendInt(q, from*c.unit(), 10), ` AND time <= `...)
	return append(strconv.AppendInt(q, to*c.unit(), 10), " GROUP BY *;"...)
}

// appendSelected selects what a point is made of, see point.
func (c *config) appendSelected(q []byte) []byte {
	q = append(q, `SELECT "version","sealed"`...)
	for _, col := range c.folded {
		q = append(append(append(q, `,"`...), c.shape.Schema.Columns[col].Name...), '"')
	}
	return q
}

// seriesOf writes measurement and tags as the encoder does; nil when the tags are those
// of no series of ours.
func (c *config) seriesOf(dst []byte, tags map[string]string) []byte {
	dst = append(dst, c.measurement...)
	used := 0
	add := func(name string) {
		if value := tags[name]; value != "" {
			dst = append(append(append(dst, ','), appendKey(nil, []byte(name))...), '=')
			dst = appendKey(dst, []byte(value))
			used++
		}
	}
	for _, col := range c.tags {
		add(c.shape.Schema.Columns[col].Name)
	}
	if len(c.folded) > 0 {
		add(part)
	}
	for _, value := range tags {
		if value != "" {
			used--
		}
	}
	if used != 0 {
		return nil
	}
	return dst
}

// clash tells whether two items that have one point are of different rows, and refuses
// the first of them.
func (s *Sink) clash(it, other *item) (bool, error) {
	for _, col := range s.config.folded {
		if !bytes.Equal(plain(it, col), plain(other, col)) {
			return true, s.refuseClash(it)
		}
	}
	return false, nil
}

// isOther tells whether a stored point is that of another row than an item's.
func (s *Sink) isOther(it *item, p point) (bool, error) {
	for i, col := range s.config.folded {
		stored, err := p.id(i, s.config.shape.Schema.Columns[col].Kind)
		if err != nil {
			return false, s.config.corrupt(err)
		}
		if !bytes.Equal(stored, plain(it, col)) {
			return true, nil
		}
	}
	return false, nil
}

// plain is the value of an item's column as text; nil for null.
func plain(it *item, col int) []byte {
	if it.Rows.Batch.Null(col, int(it.Row.Row)) {
		return nil
	}
	return timeseries.AppendPlain([]byte{}, it.Rows.Batch, col, int(it.Row.Row))
}

func (s *Sink) refuseClash(it *item) error {
	why := fmt.Sprintf("another row has its point: of %d there are for a millisecond both took the same", slots*parts)
	return s.sender.Refuse(it.Refused(driver.RefusedInvalid, "point taken", s.config.fault(why, "write ids=tag, into another measurement")))
}
