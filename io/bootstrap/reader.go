package bootstrap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"millrace/io/driver"
	"millrace/schemas/record"
)

// reader reads its share of the archive, file by file, then its share of the
// stream. Each file of the archive is a roll.
type reader struct {
	source *Stream
	at     cursor
	life   context.Context
	end    func()

	split   driver.Split
	archive driver.Reader       // of the first split; nil before it is opened
	live    driver.StreamReader // once the archive is read
	encoded driver.Cursor       // at, as long as it has not changed
}

func (r *reader) startLive() (err error) {
	r.live, err = r.source.Live.Read(r.life, r.at.Live)
	return err
}

// Next implements driver.StreamReader.
func (r *reader) Next(ctx context.Context) (*record.Block, error) {
	if r.live != nil {
		return r.live.Next(ctx)
	}
	if ctx.Err() != nil {
		return nil, nil //nolint:nilnil // the contract: nothing came in time
	}
	// One block of a file is quick, and a read that is given up half-way would be
	// for nothing: so this is under the reader's context.
	return r.nextArchived()
}

// nextArchived gives the next block of the archive.
func (r *reader) nextArchived() (*record.Block, error) {
	if r.archive == nil {
		if err := r.openSplit(); err != nil {
			return nil, err
		}
	}
	b, err := r.archive.Next(r.life)
	if errors.Is(err, io.EOF) {
		return r.closeSplit()
	}
	if err != nil {
		return nil, err
	}
	r.encoded = nil
	r.at.Blocks++
	r.before(&b)
	if b.Records() == 0 {
		return r.nextArchived() // nothing of it is wanted, and a roll begins with a record
	}
	b.Roll = r.roll()
	r.at.Records += int64(b.Records())
	return &b, nil
}

// openSplit opens the first split and passes over what was given of it.
func (r *reader) openSplit() (err error) {
	if err := json.Unmarshal(r.at.Splits[0], &r.split); err != nil {
		return fmt.Errorf("restoring a reader's position: %w", err)
	}
	if r.archive, err = r.source.Archive.Open(r.life, r.split); err != nil {
		return err
	}
	for range r.at.Blocks {
		if _, err := r.archive.Next(r.life); err != nil {
			return fmt.Errorf("passing over what was read of %s: %w", r.split.Name, err)
		}
	}
	return nil
}

// closeSplit gives the end of the roll that a file is, also of one of which nothing
// was wanted: so the ledger tells when the archive has been read.
func (r *reader) closeSplit() (*record.Block, error) {
	err := r.archive.Close()
	r.archive = nil
	if last := r.source.Until.UnixMilli() - 1; r.at.Records == 0 {
		r.at.First, r.at.Last = last, last
	}
	if err != nil {
		return nil, err
	}
	end := &record.Block{
		Source: r.split.Source, Name: r.split.Name, Roll: r.roll(),
		Close: &record.Close{Records: r.at.Records, First: record.Sequence("0"), Last: record.Sequence("0"), FirstArrival: r.at.First, LastArrival: r.at.Last},
	}
	r.encoded = nil
	r.at.Splits = r.at.Splits[1:]
	r.at.Blocks, r.at.Records, r.at.First, r.at.Last = 0, 0, 0, 0
	if len(r.at.Splits) == 0 {
		if err := r.startLive(); err != nil {
			return nil, err
		}
	}
	return end, nil
}

func (r *reader) roll() string { return r.split.Source + "/" + record.Sequence("0") }

// before keeps the records that arrived before the time, and those of which
// nobody knows when.
func (r *reader) before(b *record.Block) {
	until := r.source.Until.UnixMilli()
	if b.Arrivals == nil {
		if b.Arrival >= until {
			*b = record.Block{Source: b.Source, Name: b.Name, Format: b.Format}
			return
		}
		r.note(b.Arrival)
		return
	}
	kept := *b
	kept.Data, kept.Ends, kept.Positions, kept.Arrivals = nil, []int{}, nil, nil
	kept.Noted, kept.Sequences = nil, nil
	from := 0
	for i, end := range b.Ends {
		record := b.Data[from:end]
		from = end
		if b.Arrivals[i] >= until {
			continue
		}
		r.note(b.Arrivals[i])
		kept.Data = append(kept.Data, record...)
		kept.Ends = append(kept.Ends, len(kept.Data))
		kept.Positions = append(kept.Positions, b.Positions[i])
		kept.Arrivals = append(kept.Arrivals, b.Arrivals[i])
		if b.Noted != nil {
			kept.Noted = append(kept.Noted, b.Noted[i])
		}
		if b.Sequences != nil {
			kept.Sequences = append(kept.Sequences, b.Sequences[i])
		}
	}
	*b = kept
}

func (r *reader) note(arrival int64) {
	if r.at.First == 0 || arrival < r.at.First {
		r.at.First = arrival
	}
	r.at.Last = max(r.at.Last, arrival)
}

// Cursor implements driver.StreamReader.
func (r *reader) Cursor() (driver.Cursor, error) {
	if r.live != nil {
		live, err := r.live.Cursor()
		if err != nil {
			return nil, err
		}
		return json.Marshal(cursor{Form: form, Splits: []json.RawMessage{}, Live: live})
	}
	if r.encoded == nil {
		b, err := json.Marshal(r.at)
		if err != nil {
			return nil, err
		}
		r.encoded = b
	}
	return r.encoded, nil
}

// Watermark implements driver.StreamReader: anything may come while the archive
// is read.
func (r *reader) Watermark() int64 {
	if r.live == nil {
		return math.MinInt64
	}
	return r.live.Watermark()
}

// Done implements driver.StreamReader.
func (r *reader) Done() bool { return r.live != nil && r.live.Done() }

// Status implements driver.StreamReader.
func (r *reader) Status() []driver.ShardStatus {
	if r.live == nil {
		return nil
	}
	return r.live.Status()
}

// Close implements driver.StreamReader.
func (r *reader) Close() error {
	defer r.end()
	var err error
	if r.archive != nil {
		err = r.archive.Close()
	}
	if r.live != nil {
		err = errors.Join(err, r.live.Close())
	}
	return err
}
