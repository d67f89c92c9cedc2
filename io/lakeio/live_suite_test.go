package lakeio

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"millrace/io/driver"
	"millrace/io/iotest"
	"millrace/schemas/ledger"
	"millrace/schemas/record"
	"millrace/schemas/table"
)

// In the suite a run is a roll. Its rows appear together with its record; several
// rolls may be written at once and none replaces another.
var liveCan = iotest.SinkCan{Pinned: true, Whole: true}

func TestLiveWritingIntoAFolderKeepsWhatSinksPromise(t *testing.T) {
	iotest.RunSinkTests(t, iotest.SinkHarness{Can: liveCan, Refuse: refuseElement, Child: "TestHelperWritesLive", New: func(t *testing.T) iotest.SinkPlace {
		return attachLive(t, t.TempDir())
	}})
}

func TestLiveWritingToS3KeepsWhatSinksPromise(t *testing.T) {
	lakes := newLakesOnS3(t)
	iotest.RunSinkTests(t, iotest.SinkHarness{Can: liveCan, Refuse: refuseElement, Child: "TestHelperWritesLive", New: func(t *testing.T) iotest.SinkPlace {
		lake := lakes.next()
		return lakes.place(t, lake, lake, attachLive)
	}})
}

func TestHelperWritesLive(t *testing.T) { iotest.SinkChild(t, attachLive) }

func attachLive(t *testing.T, address string) iotest.SinkPlace {
	s := openStore(t, address)
	lake := &sinkLake{store: s}
	return iotest.SinkPlace{
		Address: address,
		Open: func(ctx context.Context, run string) (iotest.SinkWriter, error) {
			watcher := watch(s, func(string) error {
				if lake.step == nil {
					return nil
				}
				return lake.step()
			}, quiet)
			l, err := LiveWriting{Run: "live", Schemas: map[string]string{"rows": iotest.SinkRows.ID()}}.open(watcher)
			roll := record.RollOf(record.ShardIdentity("suite", run), record.Sequence("1"))
			return &liveSinkWriter{live: l, roll: roll}, err
		},
		Read: func(t *testing.T) (rows []iotest.SinkRow) {
			c, err := LoadCurrent(t.Context(), s, "rows")
			if err != nil {
				t.Fatal(err)
			}
			for _, day := range slices.Sorted(maps.Keys(c.Days)) {
				for _, f := range c.Days[day].Files {
					rows = append(rows, decodeFile[iotest.SinkRow](t, []byte(content(t, s, f.Key)))...)
				}
			}
			return rows
		},
		Stored: lake.data,
		Watch:  func(step func() error) { lake.step = step },
	}
}

// liveSinkWriter writes one roll, a segment for each batch.
type liveSinkWriter struct {
	live     *Live
	roll     string
	rows     int64
	segments []Segment
}

func (w *liveSinkWriter) Write(ctx context.Context, b *table.Batch) error {
	staged, err := w.live.Stage(ctx, "rows", map[string][]*table.Batch{w.roll: {b}})
	w.segments = append(w.segments, staged...)
	w.rows += int64(b.Len())
	return err
}

func (w *liveSinkWriter) Finish(ctx context.Context) error {
	if w.rows == 0 {
		return nil // a roll has records
	}
	_, err := w.live.CloseRoll(ctx, ledger.Part{
		Roll: w.roll, Ledger: ledger.Ledger{In: w.rows, Events: w.rows},
		Close: &record.Close{Records: w.rows, First: record.Sequence("1"), Last: record.Sequence(fmt.Sprint(w.rows + 1)), FirstArrival: arrived, LastArrival: arrived},
	}, w.segments)
	return err
}

func (w *liveSinkWriter) Abort() {}

// A live job refuses a record it cannot put for a reason that the store gives: its
// class reaches the caller, and repeating helps once the cause is gone.
func TestAFullLakeIsNamedAndLeavesNothingHalf(t *testing.T) {
	s := openStore(t, t.TempDir())
	roll := newRoll(1, 0, 60, 1, 2)
	full := func(part string) func(string) error {
		return func(step string) error {
			if strings.Contains(step, part) {
				return &driver.Error{Doing: "write", Object: s.Name(""), Class: driver.ErrFull, Cure: "free some space there"}
			}
			return nil
		}
	}
	if _, err := openLive(t, watch(s, full(segmentsName), quiet)).Stage(t.Context(), "events", map[string][]*table.Batch{roll.part.Roll: {batchOf(numbers, roll.events)}}); !errors.Is(err, driver.ErrFull) {
		t.Errorf("staging: %v", err)
	}
	if left := inStaging(t, s); len(left) > 0 {
		t.Errorf("staged stays %q", left)
	}
	segments := stage(t, openLive(t, s), seeded(1), roll)[roll.part.Roll]
	for _, part := range []string{".parquet", ledgerDir} {
		_, err := openLive(t, watch(s, full(part), quiet)).CloseRoll(t.Context(), roll.part, segments)
		if !errors.Is(err, driver.ErrFull) || !strings.Contains(err.Error(), "free some space") || !strings.Contains(err.Error(), roll.part.Roll) {
			t.Errorf("%s: %v", part, err)
		}
		if rows := liveRows(t, s); len(rows) > 0 {
			t.Errorf("%s: %d rows count", part, len(rows))
		}
	}
	closeRoll(t, openLive(t, s), roll, segments)
	if got := len(liveRows(t, s)); got != len(roll.events) {
		t.Errorf("with space again %d rows count", got)
	}
}
