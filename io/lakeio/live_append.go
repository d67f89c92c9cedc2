package lakeio

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"millrace/internal/columns"
	"millrace/io/driver"
	"millrace/schemas/table"
)

// Append writes rows that no window decides: which they are depends on what a
// service said, so after a crash there can be others, or more. The group is the end
// of a bucket of time in Unix milliseconds that follows from the rows; its first
// column is an id. Rows whose id an earlier call of the group has brought are left
// out; the others become files under the next free number. So every row is there
// once, whoever brings it again.
func (l *Live) Append(ctx context.Context, output, group string, batches []*table.Batch) (Committed, error) {
	schema, err := l.schema(output)
	if err != nil {
		return Committed{}, err
	}
	if schema.Columns[0].Kind != table.UUID {
		return Committed{}, fmt.Errorf("appending rows of %s: the first column of %s is no id", output, schema.ID())
	}
	end, err := strconv.ParseInt(group, 10, 64)
	if err != nil {
		return Committed{}, fmt.Errorf("appending rows of %s: the group %q is no time", output, group)
	}
	fresh := distinctByID(concat(schema, batches), map[table.ID]bool{})
	for ; fresh.Len() > 0; end++ {
		group := strconv.FormatInt(end, 10)
		key, err := sealKey(output, group)
		if err != nil {
			return Committed{}, err
		}
		there, err := findRecord(ctx, l.store, key)
		if err != nil {
			return Committed{}, err
		}
		if there == nil {
			done, err := l.Seal(ctx, output, group, []*table.Batch{fresh})
			if !errors.Is(err, driver.ErrConflict) {
				return done, err
			}
			var failed error
			if there, failed = findRecord(ctx, l.store, key); failed != nil {
				return Committed{}, failed
			}
			if there == nil { // who was in the way has written nothing either
				return Committed{}, err
			}
		}
		known, err := l.ids(ctx, schema, there)
		if err != nil {
			return Committed{}, err
		}
		fresh = distinctByID(fresh, known)
	}
	return Committed{Rows: map[string]int64{}}, nil
}

// distinctByID keeps the first row of each id that is not known; it adds to known.
func distinctByID(b *table.Batch, known map[table.ID]bool) *table.Batch {
	var rows []uint32
	for row := range b.Len() {
		if id := b.UUID(0, row); !known[id] {
			known[id] = true
			rows = append(rows, uint32(row))
		}
	}
	kept := table.NewBatch(b.Schema())
	kept.Gather(b, rows)
	return kept
}

// ids are the ids of the rows of a record. Files that a backfill has replaced since
// are gone with their rows.
func (l *Live) ids(ctx context.Context, schema *table.Schema, r *liveRecord) (map[table.ID]bool, error) {
	known := map[table.ID]bool{}
	for key := range r.names() {
		file, err := OpenObject(ctx, l.store, key)
		if errors.Is(err, driver.ErrNotFound) {
			continue
		}
		if err == nil {
			err = columns.Scan(ctx, file, []string{schema.Columns[0].Name}, func(b columns.Batch) error {
				for _, v := range b[0] {
					known[table.ID(v.ByteArray())] = true
				}
				return nil
			})
		}
		if err != nil {
			return nil, fmt.Errorf("reading the ids in %s: %w", l.store.Name(key), err)
		}
	}
	return known, nil
}
