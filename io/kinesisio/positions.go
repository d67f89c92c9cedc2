package kinesisio

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"millrace/io/driver"
	"millrace/schemas/record"
)

// Positions gives where the readers of a run stand, all of its cursors together,
// as a JSON object of shard ids and positions. A file of it starts a reading with
// start=positions&positions=FILE, by any number of readers, that gives each
// record that these have not given. What a roll that is still open had is given
// already: whoever keeps records only when their roll is closed reads on from
// ClosedPositions.
func Positions(cursors ...driver.Cursor) ([]byte, error) {
	return positions(cursors, (*shardState).position)
}

// ClosedPositions is Positions at the end of the last closed roll of each shard.
func ClosedPositions(cursors ...driver.Cursor) ([]byte, error) {
	return positions(cursors, func(s *shardState) string {
		if s.Roll == nil {
			return s.position()
		}
		return (&shardState{After: s.Roll.After, From: s.From}).position()
	})
}

func positions(cursors []driver.Cursor, position func(*shardState) string) ([]byte, error) {
	all := map[string]string{}
	for i, text := range cursors {
		c, err := decodeCursor(text)
		if err != nil {
			return nil, fmt.Errorf("cursor %d of %d: %w", i+1, len(cursors), err)
		}
		for _, s := range c.Shards {
			all[s.ID] = position(s)
		}
	}
	return json.MarshalIndent(all, "", "  ")
}

const maxPositions = 64 << 20 // bytes of a file of positions

// readPositions reads a file that holds what Positions gave.
func readPositions(path string) (map[string]string, error) {
	path = strings.TrimPrefix(path, "file://")
	fail := func(err error) error {
		return &driver.Error{
			Doing: "read positions from", Object: path, Class: driver.ErrInvalid, Cause: err,
			Cure: `name a file like {"shardId-000000000000": "SEQUENCE", ...}`,
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fail(err)
	}
	if info.Size() > maxPositions {
		return nil, fail(fmt.Errorf("it has %d bytes", info.Size()))
	}
	text, err := os.ReadFile(path) //nolint:gosec // the user names it
	if err != nil {
		return nil, fail(err)
	}
	var all map[string]string
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fail(err)
	}
	for id, position := range all {
		if err := new(shardState).setPosition(position); err != nil {
			return nil, fail(fmt.Errorf("%s: %w", id, err))
		}
	}
	return all, nil
}

// isDecimal tells a sequence number as the service writes it.
func isDecimal(s string) bool {
	return 1 <= len(s) && len(s) <= 255 && strings.Trim(s, "0123456789") == ""
}

func sequenceText(decimal string) string { return record.Sequence(decimal) }
