package kinesisio

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"millrace/io/driver"
)

// Begin asks for the stream and its shards, deals the shards out among readers
// and gives the cursor of each. A reader can be left without shards when there
// are more readers than shards; its share is done at once.
func (s *Stream) Begin(ctx context.Context, readers int) ([]driver.Cursor, error) {
	var at *positions
	if s.start.rule == startPositions {
		var err error
		if at, err = readPositions(s.start.file); err != nil {
			return nil, err
		}
	}
	return s.beginWith(ctx, at, readers)
}

// BeginAt is Begin at what Positions gave, wherever the URL would begin.
func (s *Stream) BeginAt(ctx context.Context, places []byte, readers int) ([]driver.Cursor, error) {
	at, err := decodePositions(places)
	if err != nil {
		return nil, &driver.Error{
			Doing: "begin", Object: s.place.String(), Class: driver.ErrInvalid, Cause: err, Cure: "give the positions as they were written",
		}
	}
	return s.beginWith(ctx, at, readers)
}

// beginWith begins at positions, and where the URL says without.
func (s *Stream) beginWith(ctx context.Context, at *positions, readers int) ([]driver.Cursor, error) {
	if readers < 1 {
		return nil, &driver.Error{
			Doing: "begin", Object: s.place.String(), Class: driver.ErrInvalid,
			Cause: fmt.Errorf("%d readers", readers), Cure: "use one reader or more",
		}
	}
	sum, err := s.describe(ctx)
	if err != nil {
		return nil, err
	}
	listed, err := s.listShards(ctx)
	if err != nil {
		return nil, err
	}
	began := s.serviceNow()
	if s.start.rule == startTime && s.start.at > began {
		return nil, badPlace(s.place.String(), "start lies in the future", "start at a time that has passed, or at latest")
	}
	l := newLineage(listed)
	var states map[string]*shardState
	if at != nil {
		states, err = s.beginAt(l, at, sum)
	} else {
		states = s.begin(l, began)
	}
	if err != nil {
		return nil, err
	}
	newest := ""
	if n := len(l.ids); n > 0 {
		newest = l.ids[n-1]
	}
	cursors := make([]*cursor, readers)
	for i := range cursors {
		cursors[i] = &cursor{
			Version: cursorVersion, Stream: sum.arn, Created: sum.created, Reader: i, Readers: readers, Began: began, Newest: newest, Shards: []*shardState{},
		}
	}
	owner := l.deal(readers)
	for _, id := range l.ids {
		if state, read := states[id]; read {
			c := cursors[owner[id]]
			c.Shards = append(c.Shards, state)
		}
	}
	encoded := make([]driver.Cursor, readers)
	for i, c := range cursors {
		if encoded[i], err = c.encode(); err != nil {
			return nil, err
		}
	}
	return encoded, nil
}

// begin says which of the listed shards are read, and from where.
func (s *Stream) begin(l *lineage, began int64) map[string]*shardState {
	states := map[string]*shardState{}
	for _, id := range l.ids {
		state := *l.shards[id]
		switch s.start.rule {
		case startLatest:
			if !l.open[id] {
				continue
			}
			// A time, and not where the tip is when someone asks: until the first
			// record comes, a reader that starts anew must begin at the same place.
			state.From = &began
		case startTime:
			state.From = &s.start.at
		case startHorizon, startPositions:
		}
		states[id] = &state
	}
	return states
}

// beginAt takes positions.
func (s *Stream) beginAt(l *lineage, at *positions, sum *summary) (map[string]*shardState, error) {
	fail := func(class, cause error, cure string) error {
		return &driver.Error{Doing: "begin", Object: s.place.String(), Class: class, Cause: cause, Cure: cure}
	}
	if at.Stream != "" && at.Stream != sum.arn {
		return nil, fail(driver.ErrInvalid, fmt.Errorf("the positions are of the stream %s, and this is %s", at.Stream, sum.arn), "give those of this stream")
	}
	if at.Created != sum.created && at.Created != 0 && sum.created != 0 {
		return nil, fail(driver.ErrChanged, errors.New("the stream was deleted and created again since the positions were written"), "start anew")
	}
	states := map[string]*shardState{}
	for _, id := range l.ids {
		state := *l.shards[id]
		place, known := at.Shards[id]
		switch {
		case known:
			if err := state.setShardPosition(place); err != nil {
				return nil, fail(driver.ErrInvalid, fmt.Errorf("position of %s: %w", id, err), "give the positions as they were written")
			}
		case at.passesOver(l, id):
			continue
		default:
			state.inherit(at)
		}
		states[id] = &state
	}
	// A shard that is gone leaves its hash keys to others, which are listed and
	// begin at their oldest record: what it still had is lost, and told of there.
	for id, place := range at.Shards {
		if _, listed := l.shards[id]; listed || place.At == positionEnd {
			continue
		}
		for _, state := range states {
			if _, has := at.Shards[state.ID]; !has && !l.hasParent(state) {
				state.Lost = true
			}
		}
	}
	return states, nil
}

// passesOver tells of a listed shard without a position whether it is not to be
// read. Any other is new, and read from its beginning.
func (p *positions) passesOver(l *lineage, id string) bool {
	if p.Newest != "" {
		return compareShards(id, p.Newest) <= 0
	}
	return l.isAncestor(id, p.Shards)
}

// inherit gives a new shard the clock that its parent has left, if that one was
// read to its end.
func (s *shardState) inherit(p *positions) {
	for _, id := range s.Parents {
		parent, known := p.Shards[id]
		if !known || parent.At != positionEnd || parent.Clock == nil {
			continue
		}
		if whole := (&shardState{First: parent.First, Last: parent.Last}); parent.First == "" || whole.covers(s) {
			s.Clock, s.Heir = parent.Clock.child(), true
			return
		}
	}
}

func (l *lineage) hasParent(s *shardState) bool {
	for _, id := range s.Parents {
		if l.shards[id] != nil {
			return true
		}
	}
	return false
}

// Positions beside sequence numbers, of which one can have +N behind it: so many
// lines of the record behind it were given, too.
const (
	positionHorizon = "TRIM_HORIZON" // nothing was given
	positionEnd     = "SHARD_END"    // everything was, and the shard is closed
)

func (s *shardState) position() string {
	switch {
	case s.Done && s.Ended:
		return positionEnd
	case s.Inside != "":
		return decimalOrHorizon(s.After) + "+" + strconv.Itoa(s.Given) + "@" + decimal(s.Inside)
	case s.After != "":
		return decimal(s.After)
	case s.From != nil:
		return time.UnixMilli(*s.From).UTC().Format(time.RFC3339Nano)
	}
	return positionHorizon
}

func decimalOrHorizon(sequence string) string {
	if sequence == "" {
		return positionHorizon
	}
	return decimal(sequence)
}

func (s *shardState) setPosition(text string) error {
	if text == positionEnd {
		s.Done, s.Ended = true, true
		return nil
	}
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		ms := at.UnixMilli()
		s.From = &ms
		return nil
	}
	after, inside, found := strings.Cut(text, "+")
	if found {
		given, sequence, _ := strings.Cut(inside, "@")
		n, err := strconv.Atoi(given)
		if err != nil || n < 1 || !isDecimal(sequence) {
			return fmt.Errorf("%q has something else than N@SEQUENCE behind the plus", text)
		}
		s.Given, s.Inside = n, sequenceText(sequence)
	}
	switch {
	case after == positionHorizon:
	case isDecimal(after):
		s.After = sequenceText(after)
	default:
		return errors.New("it is not " + positionHorizon + ", " + positionEnd + ", a time or a sequence number")
	}
	return nil
}
