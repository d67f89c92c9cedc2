package lakeio

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"millrace/io/driver"
	"millrace/schemas/table"
)

// A live job writes to a lake without an end, from several workers at once, and
// after a crash works on from its last checkpoint: what it had done since is done
// again, perhaps cut differently. So everything here can be repeated, and what a
// file is called and holds depends on the rows alone.
//
// Rows of a roll are staged in segments, of which only the references travel on.
// When a roll is whole, CloseRoll merges its segments into files, puts these into
// the lake and then one commit record, which is what makes them count: readers go
// by the records below _ledger. Rows of windows need no staging; Seal writes them
// when the window is over. Both take the days' revisions from _current, where a
// backfill names the days it has replaced.

// LiveWriting says how a live job writes its outputs into a lake. It travels with
// the pipeline as JSON.
type LiveWriting struct {
	Run     string
	Lake    string            // location of the lake
	Schemas map[string]string // table.Schema.ID by output
	// Events is the output that has a row for each event of the ledger; "events" if
	// empty.
	Events string `json:",omitempty"`
	// Before are runs that this one goes on behind. Windows that they have sealed
	// stay as they are: this run has a part of their records only.
	Before []string
}

// EventsOutput is the output that has a row for each event of the ledger.
func (w *LiveWriting) EventsOutput() string {
	if w.Events == "" {
		return "events"
	}
	return w.Events
}

// Live writes for one worker. It is safe for concurrent use and holds nothing that
// must be closed.
type Live struct {
	run     string
	before  []string
	store   Store
	schemas map[string]*table.Schema
	events  string // output with a row for each event
	cut     cut
	frame   int // rows of a frame

	mu      sync.Mutex
	current map[string]seenCurrent // by output
}

// Open opens the lake on a worker. It touches nothing.
func (w LiveWriting) Open(ctx context.Context) (*Live, error) {
	s, err := OpenStore(ctx, w.Lake)
	if err != nil {
		return nil, err
	}
	return w.open(s)
}

func (w LiveWriting) open(s Store) (*Live, error) {
	l := &Live{run: w.Run, before: w.Before, events: w.EventsOutput(), store: s, schemas: map[string]*table.Schema{}, cut: lakeCut, frame: frameRows, current: map[string]seenCurrent{}}
	invalid := func(what string) error {
		return &driver.Error{Doing: "write to", Object: s.Name(""), Class: driver.ErrInvalid, Cause: errors.New(what)}
	}
	if !isName(w.Run) {
		return nil, invalid(fmt.Sprintf("the run %q does not name a folder", w.Run))
	}
	for _, output := range slices.Sorted(maps.Keys(w.Schemas)) {
		schema, ok := table.Lookup(w.Schemas[output])
		if !ok {
			return nil, invalid("output " + output + " is of the unknown schema " + w.Schemas[output])
		}
		if !isName(output) {
			return nil, invalid(fmt.Sprintf("the output %q does not name a folder", output))
		}
		l.schemas[output] = schema
	}
	return l, nil
}

// isName tells whether a text can be one step of a key, and not one of the lake's
// own.
func isName(s string) bool {
	return s != "" && s == path.Base(s) && !strings.HasPrefix(s, ".") && !strings.HasPrefix(s, "_") && !strings.ContainsRune(s, 0)
}

func (l *Live) schema(output string) (*table.Schema, error) {
	s, ok := l.schemas[output]
	if !ok {
		return nil, &driver.Error{
			Doing: "write to", Object: l.store.Name(output), Class: driver.ErrInvalid, Cause: errors.New("the job declares no such output"),
		}
	}
	return s, nil
}

// seenCurrent is a state of an output with the version it was read at.
type seenCurrent struct {
	version string
	state   Current
}

// standing is what _current says of an output, as of now. It is read again only
// when it changed.
func (l *Live) standing(ctx context.Context, output string) (Current, error) {
	none := Current{Output: output}
	info, err := l.store.Stat(ctx, currentKey(output))
	if errors.Is(err, driver.ErrNotFound) {
		return none, nil
	}
	if err != nil {
		return none, err
	}
	l.mu.Lock()
	seen, ok := l.current[output]
	l.mu.Unlock()
	if ok && seen.version == info.Version {
		return seen.state, nil
	}
	var c Current
	version, err := readVersion(ctx, l.store, currentKey(output), &c)
	if errors.Is(err, driver.ErrNotFound) {
		return none, nil
	}
	if err != nil {
		return none, err
	}
	if schema := l.schemas[output]; len(c.Days) > 0 && schema != nil && c.Schema != schema.ID() {
		return none, otherSchema(l.store, output, c.Schema, schema.ID())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.current[output] = seenCurrent{version, c}
	return c, nil
}
