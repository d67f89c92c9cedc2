package lakeio

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"millrace/io/driver"
	"millrace/schemas/ledger"
	"millrace/schemas/table"
)

// Committed is what CloseRoll and Seal have done.
type Committed struct {
	Key   string           // place of the commit record
	Rows  map[string]int64 // by output
	Files int
	Again bool // an earlier attempt had committed the same
}

// CloseRoll turns the segments of a whole roll into files of the lake, and commits
// these with the roll's account. It can be repeated and interrupted anywhere, and
// called by several workers for the same roll: the rows count once. An account that
// does not add up, segments that are gone without a commit, and a commit of other
// rows under the same name are errors.
func (l *Live) CloseRoll(ctx context.Context, roll ledger.Part, segments []Segment) (Committed, error) {
	r, err := l.rollRecord(roll, segments)
	if err != nil {
		return Committed{}, l.rollError(roll.Roll, err)
	}
	done, err := l.commit(ctx, r, func(f *liveFiles) error { return l.mergeSegments(ctx, f, r, segments) })
	var gone *goneError
	if errors.As(err, &gone) {
		err = l.lost(r, segments, gone)
	}
	if err != nil {
		return Committed{}, l.rollError(roll.Roll, err)
	}
	return done, l.dropSegments(ctx, roll.Roll, segments)
}

func (l *Live) rollError(roll string, err error) error {
	return fmt.Errorf("closing the roll %s: %w", roll, err)
}

// rollRecord is what the record of a roll has to say, but for its files.
func (l *Live) rollRecord(roll ledger.Part, segments []Segment) (*liveRecord, error) {
	if roll.Close == nil {
		return nil, &driver.Error{Doing: "write to", Object: l.store.Name(""), Class: driver.ErrInvalid, Cause: errors.New("the end of the roll is not known yet")}
	}
	if err := roll.Check(); err != nil {
		return nil, err
	}
	key, shard, err := rollKey(roll)
	if err != nil {
		return nil, err
	}
	r := &liveRecord{Key: key, Run: l.run, Source: shard, Roll: &roll, Parts: []livePart{}}
	for _, s := range segments {
		if s.Roll != roll.Roll {
			return nil, fmt.Errorf("a segment is of the roll %s", s.Roll)
		}
		schema, err := l.schema(s.Output)
		if err != nil {
			return nil, err
		}
		for _, p := range s.Parts {
			r.expect(s.Output, schema.ID(), p.Day, p.Rows, p.Digest)
		}
	}
	rows := r.rows()
	for output, counted := range map[string]int64{l.events: roll.Ledger.Events, "bad_rows": roll.Ledger.Bad, "late": roll.Ledger.Late} {
		if _, written := l.schemas[output]; written && rows[output] != counted {
			return nil, fmt.Errorf("%s counts %d in the ledger, and %d rows were staged", output, counted, rows[output])
		}
	}
	return r, nil
}

// lost tells of segments that are gone although nobody has committed them.
func (l *Live) lost(r *liveRecord, segments []Segment, gone *goneError) error {
	rows := 0
	for _, s := range segments {
		if slices.Contains(gone.keys, s.Key) {
			rows += s.Rows()
		}
	}
	return &driver.Error{
		Doing: "read", Object: l.store.Name(gone.keys[0]), Class: driver.ErrNotFound,
		Cause: fmt.Errorf("%d segments with %d rows of the roll are gone (%s), and there is no commit record %s: the rows are lost",
			len(gone.keys), rows, strings.Join(baseNames(gone.keys), ", "), r.Key),
		Cure: "restore what was removed from the staging area, or read the shard again from the roll's first sequence number on",
	}
}

func baseNames(keys []string) []string {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = path.Base(key)
	}
	return names
}

// mergeSegments makes the files of a roll.
func (l *Live) mergeSegments(ctx context.Context, f *liveFiles, r *liveRecord, segments []Segment) error {
	byOutput := map[string][]Segment{}
	for _, s := range segments {
		byOutput[s.Output] = append(byOutput[s.Output], s)
	}
	for from := 0; from < len(r.Parts); {
		output := r.Parts[from].Output
		to := from
		for to < len(r.Parts) && r.Parts[to].Output == output {
			to++
		}
		if err := l.mergeOutput(ctx, f, r.Parts[from:to], r.Roll.Roll, byOutput[output]); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// mergeOutput makes the files of one output, day by day.
func (l *Live) mergeOutput(ctx context.Context, f *liveFiles, parts []livePart, roll string, segments []Segment) error {
	copied, err := newScratch()
	if err != nil {
		return err
	}
	defer copied.Close()
	runs, err := copied.fetch(ctx, l.store, segments)
	if err != nil {
		return err
	}
	for i := range parts {
		p := &parts[i]
		day, err := ParseDay(p.Day)
		if err != nil {
			return err
		}
		schema := l.schemas[p.Output]
		err = f.write(p, roll, schema, func(add func(piece) error) error { return mergeSources(ctx, schema, runs[day], add) })
		if err != nil {
			return err
		}
	}
	return nil
}

// Seal writes the rows of one output that belong to a window, or bucket of
// windows, which is over. The group is its end in Unix milliseconds. It gives the
// same guarantees as CloseRoll. Batches are only read.
func (l *Live) Seal(ctx context.Context, output, group string, batches []*table.Batch) (Committed, error) {
	schema, err := l.schema(output)
	if err != nil {
		return Committed{}, err
	}
	key, err := sealKey(output, group)
	if err != nil {
		return Committed{}, fmt.Errorf("sealing rows of %s: %w", output, err)
	}
	r := &liveRecord{Key: key, Run: l.run, Output: output, Group: group, Parts: []livePart{}}
	for _, b := range batches {
		if b.Schema() != schema {
			return Committed{}, fmt.Errorf("sealing rows of %s: they are of %s, not of %s", output, b.Schema().ID(), schema.ID())
		}
	}
	all := concat(schema, batches)
	days, rows := perDay(all)
	for _, day := range days {
		r.expect(output, schema.ID(), day, len(rows[day]), digest(all, rows[day]))
	}
	if len(r.Parts) == 0 { // nothing needs no record, but it must not take back rows
		there, err := findRecord(ctx, l.store, key)
		if err == nil && there != nil {
			_, err = l.again(ctx, r, there, nil)
		}
		return Committed{Key: key, Rows: map[string]int64{}}, err
	}
	done, err := l.commit(ctx, r, func(f *liveFiles) error {
		for i := range r.Parts {
			p := &r.Parts[i]
			day, err := ParseDay(p.Day)
			if err != nil {
				return err
			}
			sorted := table.NewBatch(schema)
			sorted.Gather(all, rows[day])
			if err := f.write(p, sealName(output, group), schema, func(add func(piece) error) error { return add(piece{sorted, 0, sorted.Len()}) }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Committed{}, fmt.Errorf("sealing rows of %s until %s: %w", output, group, err)
	}
	return done, nil
}

// sealName stands for a window where a roll's name stands for a roll.
func sealName(output, group string) string { return "sealed/" + output + "-" + group }

// name is what the record's files are named by.
func (r *liveRecord) name() string {
	if r.Roll != nil {
		return r.Roll.Roll
	}
	return sealName(r.Output, r.Group)
}

// commit writes the files of a record and puts it, unless it is there.
func (l *Live) commit(ctx context.Context, r *liveRecord, write func(*liveFiles) error) (Committed, error) {
	if there, err := findRecord(ctx, l.store, r.Key); err != nil {
		return Committed{}, err
	} else if there != nil {
		return l.again(ctx, r, there, nil)
	}
	for i := range r.Parts {
		p := &r.Parts[i]
		c, err := l.standing(ctx, p.Output)
		if err != nil {
			return Committed{}, err
		}
		p.Revision = c.Days[p.Day].Revision
	}
	f := &liveFiles{ctx: ctx, live: l}
	defer f.abort()
	err := write(f)
	if err == nil {
		err = l.appear(ctx, r, f)
	}
	var gone *goneError
	if err == nil {
		return l.settle(ctx, r, Committed{Key: r.Key, Rows: r.rows(), Files: len(r.names())})
	}
	if errors.Is(err, driver.ErrConflict) || errors.As(err, &gone) {
		// Somebody else did the same at the same time.
		if there, found := findRecord(ctx, l.store, r.Key); found != nil {
			return Committed{}, found
		} else if there != nil {
			return l.again(ctx, r, there, f.placed)
		}
	}
	return Committed{}, err
}

// appear puts the files and then the record. Whether another was faster is asked
// once more before, as a file must not come back that a backfill has replaced.
func (l *Live) appear(ctx context.Context, r *liveRecord, f *liveFiles) error {
	if _, err := l.store.Stat(ctx, r.Key); err == nil {
		return conflict(l.store.Name(r.Key))
	} else if !errors.Is(err, driver.ErrNotFound) {
		return err
	}
	if err := f.publish(); err != nil {
		return err
	}
	return putRecord(ctx, l.store, r, PutOptions{IfNoneMatch: true})
}

// again meets a record that was there already; a window that a run before has
// sealed stays as it is. placed are files that we put meanwhile; those that it does
// not name are of no use.
func (l *Live) again(ctx context.Context, r, there *liveRecord, placed []string) (Committed, error) {
	if what := there.differs(r); what != "" && !(r.Output != "" && slices.Contains(l.before, there.Run)) {
		return Committed{}, &driver.Error{
			Doing: "commit", Object: l.store.Name(r.Key), Class: driver.ErrConflict,
			Cause: fmt.Errorf("it was committed with other rows before: %s", what),
			Cure:  "find out which of the two programs or runs is wrong; to have it written anew, remove this record and the files that it names",
		}
	}
	named := there.names()
	placed = slices.DeleteFunc(placed, func(key string) bool { return named[key] })
	if err := l.store.Delete(ctx, placed...); err != nil {
		return Committed{}, err
	}
	return l.settle(ctx, there, Committed{Key: there.Key, Rows: there.rows(), Files: len(named), Again: true})
}
