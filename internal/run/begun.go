package run

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"path"
	"slices"
	"time"

	"millrace/io/driver"
	"millrace/io/lakeio"
)

// begun notes where a live run began to read, LAKE/_live/RUN/begun.json. It is
// written once, before the first row: together with the ledger it tells what has
// been read.
type begun struct {
	Run       string          `json:"run"`
	At        time.Time       `json:"at"`
	Positions json.RawMessage `json:"positions"`         // of the stream, see driver.Placer
	Archive   []string        `json:"archive,omitempty"` // identities of the files that come before it
}

const begunName = "begun.json"

func begunKey(run string) string { return "_live/" + run + "/" + begunName }

// begin says where the readers begin. A run that is resumed is given where it began
// at first: should a savepoint be so old that a reader has not been called yet.
func (p *livePlan) begin(ctx context.Context, stream driver.Stream) ([]driver.Cursor, error) {
	placer, places := stream.(driver.Placer)
	if p.req.Flink.Savepoint != "" && places {
		var b begun
		err := lakeio.ReadJSON(ctx, p.store, begunKey(p.Run), &b)
		if err == nil {
			return placer.BeginAt(ctx, b.Positions, p.readers())
		}
		if !errors.Is(err, driver.ErrNotFound) {
			return nil, err
		}
	}
	cursors, err := stream.Begin(ctx, p.readers())
	if err != nil || !places {
		return cursors, err
	}
	p.begun.Run = p.Run
	for _, s := range p.Splits {
		p.begun.Archive = append(p.begun.Archive, s.Source)
	}
	p.begun.Positions, err = placer.Positions(cursors)
	return cursors, err
}

// noteBegun writes the note, unless the run began before.
func (p *livePlan) noteBegun(ctx context.Context) error {
	if p.begun.Run == "" {
		return nil
	}
	p.begun.At = time.Now().UTC()
	b, err := json.MarshalIndent(p.begun, "", "  ")
	if err != nil {
		return err
	}
	_, err = p.store.Put(ctx, begunKey(p.Run), bytes.NewReader(b), lakeio.PutOptions{IfNoneMatch: true})
	if errors.Is(err, driver.ErrConflict) {
		return nil
	}
	return err
}

// allBegun reads the notes of a lake, the earliest first.
func allBegun(ctx context.Context, store lakeio.Store) (all []begun, err error) {
	infos, err := store.List(ctx, "_live/")
	if err != nil {
		return nil, err
	}
	for _, info := range infos {
		if path.Base(info.Key) != begunName {
			continue
		}
		var b begun
		if err := lakeio.ReadJSON(ctx, store, info.Key, &b); err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b begun) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Run, b.Run)) })
	return all, nil
}

// continued are the runs that this one goes on behind, if it begins at positions:
// all that began in this lake before. Windows that they have sealed stay as they
// are, for this run reads a part of their records only.
func (p *livePlan) continued(ctx context.Context) (runs []string, err error) {
	if !beginsAtPositions(p.Source) {
		return nil, nil
	}
	all, err := allBegun(ctx, p.store)
	if err != nil {
		return nil, err
	}
	for _, b := range all {
		if b.Run == p.Run {
			break
		}
		runs = append(runs, b.Run)
	}
	return runs, nil
}
