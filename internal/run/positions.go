package run

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"millrace/internal/operate"
	"millrace/io/driver"
	"millrace/io/kinesisio"
	"millrace/io/lakeio"
	"millrace/runners/flink/rest"
	"millrace/schemas/ledger"
)

// PositionsOptions say of which lake positions are wanted.
type PositionsOptions struct {
	Lake   string
	Stream string // of several, by name or ARN
	Reread bool   // go on before holes
}

// PositionsFound are positions behind what a lake has of a stream.
type PositionsFound struct {
	kinesisio.Onward
	// From and To are the UTC days on which windows can have rows of the runs before
	// and after; zero when no record had a time.
	From, To time.Time
}

// FindPositions finds where another run reads on what runs have read into a lake.
func FindPositions(ctx context.Context, o PositionsOptions) (PositionsFound, error) {
	store, err := lakeio.OpenStore(ctx, o.Lake)
	if err != nil {
		return PositionsFound{}, &UsageError{err}
	}
	notes, err := allBegun(ctx, store)
	if err != nil {
		return PositionsFound{}, err
	}
	parts, err := lakeio.ReadLedger(ctx, store)
	if err != nil {
		return PositionsFound{}, err
	}
	a := kinesisio.Accounted{Lake: store.Name(""), Rolls: parts, Stream: o.Stream, Reread: o.Reread}
	for _, b := range notes {
		if err := archiveRead(store.Name(""), b, parts); err != nil {
			return PositionsFound{}, err
		}
		a.Begun = append(a.Begun, b.Positions)
	}
	found, err := a.Positions()
	if err != nil {
		return PositionsFound{}, usageOrNot(err)
	}
	r := PositionsFound{Onward: found}
	if found.High != 0 {
		// A window that was open can reach back by the disorder and the 24 h of a
		// session, one that was begun forward by a pause and what is ahead of its time.
		r.From = time.UnixMilli(found.Low).UTC().AddDate(0, 0, -2).Truncate(24 * time.Hour)
		r.To = time.UnixMilli(found.High).UTC().AddDate(0, 0, 1).Truncate(24 * time.Hour)
	}
	return r, nil
}

// archiveRead refuses a run that was ended within the archive it began with:
// positions are those of its stream.
func archiveRead(lake string, b begun, parts []ledger.Part) error {
	missing := 0
	for _, source := range b.Archive {
		if !slices.ContainsFunc(parts, func(p ledger.Part) bool { return strings.HasPrefix(p.Roll, source+"/") }) {
			missing++
		}
	}
	if missing == 0 {
		return nil
	}
	return &driver.Error{
		Doing: "find positions in", Object: lake, Class: driver.ErrInvalid,
		Cause: fmt.Errorf("run %s ended before it had read the archive it began with: %d of %d files are not in the ledger", b.Run, missing, len(b.Archive)),
		Cure:  "resume it from a savepoint, or begin a new lake with the same --archive",
	}
}

// Running names a job that still writes a lake, as far as the clusters tell that its
// runs were submitted to; empty when there is none.
func Running(ctx context.Context, lake string) (string, error) {
	records, _, err := allSubmissions(ctx, lake)
	if err != nil {
		return "", err
	}
	for _, s := range records {
		c, err := rest.New(s.Master)
		if err != nil {
			continue
		}
		if job, err := operate.Find(ctx, c, s.Name); err == nil && !job.State.Ended() {
			return job.Name, nil
		}
	}
	return "", nil
}
