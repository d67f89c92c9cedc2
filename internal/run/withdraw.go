package run

import (
	"context"
	"fmt"

	"millrace/io/driver"
	"millrace/io/endpoint"
	"millrace/io/lakeio"
	"millrace/io/rowid"
	"millrace/schemas/table"
)

// withdraw takes rows back from sinks that the days to be replaced have in the lake and
// no longer have in what is to take their place: a session that begins elsewhere, a
// page that is not among the first any more. It is done before the commit. What the
// lake holds until then tells which rows these are, so a run that is repeated does it
// again.
//
// A withdrawal is of the revision that the day gets, and so wins over the row.
func (p *Plan) withdraw(ctx context.Context, files []lakeio.File, w Watcher) error {
	for _, to := range p.req.sinks() {
		version, ok := to.Output.Schema.Versioned()
		if !ok {
			continue
		}
		t := taking{plan: p, to: to, version: version}
		for _, day := range touched(files) {
			if err := t.day(ctx, day, files); err != nil {
				t.abandon()
				return fmt.Errorf("taking rows of %s back from %s: %w", lakeio.DayText(day), to.URL, err)
			}
		}
		if err := t.end(ctx); err != nil {
			return fmt.Errorf("taking rows back from %s: %w", to.URL, err)
		}
		if t.rows > 0 {
			w.Say("%d rows that are no more were taken back from %s", t.rows, to.URL)
		}
		if t.refused > 0 {
			w.Say("%s refuses %d of these; the last because of: %v", to.URL, t.refused, t.why)
		}
	}
	return nil
}

// taking takes rows back from one sink.
type taking struct {
	plan    *Plan
	to      sinkOf
	version int // column

	sink    driver.Sink
	rows    int
	refused int
	why     error
}

// day takes back those of one day.
func (t *taking) day(ctx context.Context, day int64, files []lakeio.File) error {
	schema, output := t.to.Output.Schema, t.to.Output.Name
	standing, there := t.plan.standing[output].Days[lakeio.DayText(day)]
	if !there {
		return nil
	}
	id, err := rowid.Columns("", schema)
	if err != nil {
		return err
	}
	stays := map[string]bool{}
	for _, f := range files {
		if f.Part.Output != output || f.Part.Day != day {
			continue
		}
		err := t.plan.staging.ReadFile(ctx, f, schema, func(b *table.Batch) error {
			for row := range b.Len() {
				stays[string(rowid.Append(nil, b, id, row))] = true
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, f := range standing.Files {
		file, err := lakeio.OpenObject(ctx, t.plan.store, f.Key)
		if err != nil {
			return err
		}
		err = lakeio.ReadRows(ctx, file, schema, func(b *table.Batch) error {
			var gone []uint32
			for row := range b.Len() {
				if !stays[string(rowid.Append(nil, b, id, row))] {
					gone = append(gone, uint32(row))
				}
			}
			return t.send(ctx, day, b, gone)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// send sends withdrawals of rows of a batch.
func (t *taking) send(ctx context.Context, day int64, b *table.Batch, gone []uint32) error {
	if len(gone) == 0 {
		return nil
	}
	taken := table.NewBatch(b.Schema())
	taken.Gather(b, gone)
	for row := range taken.Len() {
		events := taken.Int(t.version, row) & (1<<32 - 1)
		taken.SetInt(t.version, row, int64(t.plan.Revisions[day])<<32+events)
	}
	if t.sink == nil {
		var err error
		options := driver.SinkOptions{Refused: func(r driver.RefusedRow) { t.refused++; t.why = r.Err }}
		if t.sink, err = endpoint.OpenSink(ctx, t.to.URL, b.Schema(), options); err != nil {
			return err
		}
	}
	t.rows += taken.Len()
	return t.sink.Write(ctx, table.Rows{Batch: taken, Kind: table.Withdrawn})
}

func (t *taking) end(ctx context.Context) error {
	if t.sink == nil {
		return nil
	}
	if err := t.sink.Flush(ctx); err != nil {
		t.abandon()
		return err
	}
	return t.sink.Close(ctx)
}

// abandon ends what an error has left open.
func (t *taking) abandon() {
	if t.sink != nil {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = t.sink.Close(ended) // that it ends as cancelled is meant
	}
}
