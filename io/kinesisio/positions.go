package kinesisio

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"millrace/io/driver"
	"millrace/schemas/record"
)

// positions say where the reading of a stream goes on, by any number of readers:
//
//	{"version": 2, "stream": "arn:aws:kinesis:...", "newest": "shardId-000000000003",
//	 "shards": {"shardId-000000000000": {"at": "4962...", "clock": {"latest": 1795245475000}}, ...}}
//
// The form before was an object of shard ids and places alone, and is read, too.
type positions struct {
	Version int    `json:"version"`
	Stream  string `json:"stream,omitempty"`  // ARN
	Created int64  `json:"created,omitempty"` // when the stream was, Unix milliseconds; 0 when it is not known
	// Newest is the last shard that was known when the reading began. One up to it
	// that is not here is not to be read; a later one is, from its beginning. When it
	// is empty, those are not read that a shard descends from which is here.
	Newest string                    `json:"newest,omitempty"`
	Shards map[string]*shardPosition `json:"shards"`
}

const positionsVersion = 2

// shardPosition is where a shard stands.
type shardPosition struct {
	At string `json:"at"` // see shardState.setPosition
	// First and Last are its hash keys.
	First string `json:"first,omitempty"`
	Last  string `json:"last,omitempty"`
	// Clock is what the records before have shown of event time: whether the next
	// ones are late follows from it.
	Clock *eventClock `json:"clock,omitempty"`
}

// Positions gives where the readers of a run stand, all of its cursors together. A
// file of it starts a reading with start=positions&positions=FILE, by any number of
// readers, that gives each record that these have not given. What a roll that is
// still open had is given already: whoever keeps records only when their roll is
// closed reads on from Accounted.
func Positions(cursors ...driver.Cursor) ([]byte, error) {
	all := positions{Version: positionsVersion, Shards: map[string]*shardPosition{}}
	for i, text := range cursors {
		c, err := decodeCursor(text)
		if err != nil {
			return nil, fmt.Errorf("cursor %d of %d: %w", i+1, len(cursors), err)
		}
		all.Stream, all.Created, all.Newest = c.Stream, c.Created, c.Newest
		for _, s := range c.Shards {
			all.Shards[s.ID] = &shardPosition{At: s.position(), First: s.First, Last: s.Last, Clock: &s.Clock}
		}
	}
	return all.encode()
}

// Positions is the function of that name, see driver.Placer.
func (s *Stream) Positions(cursors []driver.Cursor) ([]byte, error) { return Positions(cursors...) }

func (p *positions) encode() ([]byte, error) {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write positions of %s: %w", p.Stream, err)
	}
	return append(text, '\n'), nil
}

const maxPositions = 64 << 20 // bytes of a file of positions

// readPositions reads a file that holds what Positions gave.
func readPositions(path string) (*positions, error) {
	path = strings.TrimPrefix(path, "file://")
	text, err := readAtMost(path, maxPositions)
	var p *positions
	if err == nil {
		p, err = decodePositions(text)
	}
	if err != nil {
		return nil, &driver.Error{
			Doing: "read positions from", Object: path, Class: driver.ErrInvalid, Cause: err,
			Cure: `name a file that millrace positions wrote, or one like {"shardId-000000000000": "SEQUENCE", ...}`,
		}
	}
	return p, nil
}

// readAtMost reads a file, and no more of it than it can have: its size is 0 where it
// is a device.
func readAtMost(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("it has more than %d MiB", most>>20)
	}
	return text, err
}

// decodePositions reads positions of either form.
func decodePositions(text []byte) (*positions, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, err
	}
	p := &positions{Shards: map[string]*shardPosition{}}
	if _, versioned := fields["version"]; versioned {
		if err := json.Unmarshal(text, p); err != nil {
			return nil, err
		}
		if p.Version != positionsVersion {
			return nil, fmt.Errorf("their version is %d, this program reads version %d and the form before it", p.Version, positionsVersion)
		}
	} else {
		for id, field := range fields {
			s := &shardPosition{}
			if err := json.Unmarshal(field, &s.At); err != nil {
				return nil, fmt.Errorf("%s: %w", id, err)
			}
			p.Shards[id] = s
		}
	}
	for id, s := range p.Shards {
		if s == nil {
			return nil, fmt.Errorf("%s: it is null", id)
		}
		if err := new(shardState).setShardPosition(s); err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
	}
	return p, nil
}

// setShardPosition takes over where a shard stands and its clock.
func (s *shardState) setShardPosition(p *shardPosition) error {
	if err := s.setPosition(p.At); err != nil {
		return err
	}
	if p.Clock == nil {
		return nil
	}
	if p.Clock.Leap != nil && p.Clock.Latest == nil {
		return errors.New("its clock leaps from nowhere")
	}
	s.Clock = *p.Clock
	return nil
}

// isDecimal tells a sequence number as the service writes it.
func isDecimal(s string) bool {
	return 1 <= len(s) && len(s) <= 255 && strings.Trim(s, "0123456789") == ""
}

func sequenceText(decimal string) string { return record.Sequence(decimal) }
