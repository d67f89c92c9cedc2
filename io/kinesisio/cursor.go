package kinesisio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"millrace/io/driver"
)

// cursor is a reader's state: what Begin decided, and where its shards stand.
type cursor struct {
	Version int    `json:"version"`
	Stream  string `json:"stream"`  // ARN
	Created int64  `json:"created"` // when the stream was, Unix milliseconds; 0 when the service does not tell
	Reader  int    `json:"reader"`
	Readers int    `json:"readers"`
	Began   int64  `json:"began"` // Unix milliseconds by the service's clock
	// Newest is the last shard that was dealt out at Begin. Those up to it that are
	// not here belong to other readers, or to none.
	Newest string `json:"newest"`
	// Low is the reader's watermark; nil before it has one.
	Low    *int64      `json:"low,omitempty"`
	Shards shardStates `json:"shards"`
}

const (
	cursorVersion = 1
	maxCursor     = 256 << 20 // bytes; a shard takes less than 2 KiB
)

// shardStates are counted while they are read: three bytes of JSON can stand for
// a shard, which takes a hundred times as many.
type shardStates []*shardState

// UnmarshalJSON reads an array of at most maxShards.
func (s *shardStates) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	in := json.NewDecoder(bytes.NewReader(text))
	if open, err := in.Token(); err != nil || open != json.Delim('[') {
		return errors.New("the shards are no list")
	}
	*s = shardStates{}
	for in.More() {
		if len(*s) == maxShards {
			return fmt.Errorf("%w: more than %d", errTooManyShards, maxShards)
		}
		var state *shardState
		if err := in.Decode(&state); err != nil {
			return err
		}
		*s = append(*s, state)
	}
	return nil
}

// shardState is where the reading of a shard stands.
type shardState struct {
	ID      string   `json:"id"`
	First   string   `json:"first"` // hash keys that the shard has
	Last    string   `json:"last"`
	Parents []string `json:"parents,omitempty"`
	// Heir says that Clock is what the parent left.
	Heir bool `json:"heir,omitempty"`
	// From is where a shard without a position begins: an arrival time in Unix
	// milliseconds; nil is its oldest record.
	From *int64 `json:"from,omitempty"`
	// After is the last stream record given whole, as record.Sequence writes it;
	// of the one behind it, Inside, as many lines as Given says were given, too.
	After  string `json:"after,omitempty"`
	Inside string `json:"inside,omitempty"`
	Given  int    `json:"given,omitempty"`
	// Reached is the time by the service's clock up to which the shard was read.
	Reached int64      `json:"reached,omitempty"`
	Clock   eventClock `json:"clock"`
	Roll    *openRoll  `json:"roll,omitempty"`
	// Lost says that records were lost behind After and no roll has told so yet.
	Lost bool `json:"lost,omitempty"`
	// Done: everything was given that is to be given. Ended: because the shard was
	// closed, not because of until.
	Done  bool `json:"done,omitempty"`
	Ended bool `json:"ended,omitempty"`
}

func (s *shardState) hashes() hashRange {
	first, _ := parseHashKey(s.First)
	last, _ := parseHashKey(s.Last)
	return hashRange{first, last}
}

// covers tells whether this parent's range holds the first key of a shard: that
// parent hands the shard on.
func (s *shardState) covers(child *shardState) bool {
	return s.hashes().contains(child.hashes().first)
}

func (c *cursor) encode() (driver.Cursor, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("write a cursor of %s: %w", c.Stream, err)
	}
	return text, nil
}

// decodeCursor reads a cursor and refuses one that no reader wrote.
func decodeCursor(text driver.Cursor) (*cursor, error) {
	var c cursor
	if len(text) > maxCursor {
		return nil, badCursor(fmt.Sprintf("it has %d bytes", len(text)))
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, badCursor("it is not JSON of a cursor: " + err.Error())
	}
	if c.Version != cursorVersion {
		return nil, badCursor(fmt.Sprintf("its version is %d, this program reads version %d", c.Version, cursorVersion))
	}
	if c.Stream == "" || c.Reader < 0 || c.Reader >= c.Readers {
		return nil, badCursor(fmt.Sprintf("stream %q, reader %d of %d", c.Stream, c.Reader, c.Readers))
	}
	seen := map[string]bool{}
	for _, s := range c.Shards {
		if s == nil {
			return nil, badCursor("a shard is null")
		}
		if err := s.check(); err != nil {
			return nil, badCursor(fmt.Sprintf("shard %q: %v", s.ID, err))
		}
		if seen[s.ID] {
			return nil, badCursor(fmt.Sprintf("shard %q is in it twice", s.ID))
		}
		seen[s.ID] = true
	}
	return &c, nil
}

func (s *shardState) check() error {
	first, ok := parseHashKey(s.First)
	last, fine := parseHashKey(s.Last)
	switch {
	case s.ID == "":
		return errors.New("it has no id")
	case !ok || !fine || first.compare(last) > 0:
		return fmt.Errorf("its hash keys are %q to %q", s.First, s.Last)
	case s.Given < 0 || (s.Given > 0) != (s.Inside != ""):
		return fmt.Errorf("%d records are given of %q", s.Given, s.Inside)
	case s.Clock.Leap != nil && s.Clock.Latest == nil:
		return errors.New("its clock leaps from nowhere")
	case s.Roll != nil && (s.Roll.Records < 0 || s.Roll.Bytes < 0):
		return errors.New("its roll has less than nothing")
	}
	sequences := []string{s.After, s.Inside}
	if s.Roll != nil {
		if s.Roll.First == "" || s.Roll.Last == "" {
			return errors.New("its roll begins nowhere")
		}
		sequences = append(sequences, s.Roll.First, s.Roll.Last, s.Roll.After)
	}
	for _, text := range sequences {
		if text != "" && !isSequence(text) {
			return fmt.Errorf("%q is not a sequence number", text)
		}
	}
	return nil
}

// isSequence tells a sequence number as record.Sequence writes it.
func isSequence(s string) bool {
	return 56 <= len(s) && len(s) <= 255 && strings.Trim(s, "0123456789") == ""
}

// later tells whether sequence number a comes behind b; both as record.Sequence
// writes them, b perhaps empty.
func later(a, b string) bool {
	if len(a) != len(b) {
		return len(a) > len(b)
	}
	return a > b
}

// decimal is a sequence number as the API wants it.
func decimal(sequence string) string {
	if d := strings.TrimLeft(sequence, "0"); d != "" {
		return d
	}
	return "0"
}

// behind is the sequence number that follows a number; empty counts as none.
func behind(sequence string) string {
	digits := []byte(sequence)
	for i := len(digits) - 1; i >= 0; i-- {
		if digits[i]++; digits[i] <= '9' {
			return string(digits)
		}
		digits[i] = '0'
	}
	if len(digits) == 0 {
		return strings.Repeat("0", 56)
	}
	return "1" + string(digits)
}

func (c *cursor) shard(id string) *shardState {
	i := slices.IndexFunc(c.Shards, func(s *shardState) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	return c.Shards[i]
}

func badCursor(what string) error {
	return &driver.Error{
		Doing: "read on from", Object: "a cursor of kinesisio", Class: driver.ErrInvalid, Cause: errors.New(what),
		Cure: "start from positions, with start=positions, or anew",
	}
}
