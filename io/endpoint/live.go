package endpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/timers"

	"millrace/internal/failure"
	"millrace/io/lakeio"
	"millrace/schemas/ledger"
	"millrace/schemas/table"
)

func init() {
	beam.RegisterType(reflect.TypeFor[stageFn]())
	beam.RegisterType(reflect.TypeFor[partFn]())
	beam.RegisterType(reflect.TypeFor[rollFn]())
	beam.RegisterType(reflect.TypeFor[bucketFn]())
	beam.RegisterType(reflect.TypeFor[sealFn]())
}

// LiveLake says how a live run writes its lake.
type LiveLake struct {
	Writing lakeio.LiveWriting
	// Rolled outputs hold a row for each record, and become files by the roll of
	// their records. The others' rows become files by the bucket of event time in
	// which they were sealed.
	Rolled []string
	// Appended outputs have rows that depend on more than the records: they become
	// files by the bucket of their own time, at once when it is over, and more of
	// them can follow.
	Appended []string
	// Raw tells that every record is kept in the raw archive.
	Raw bool
	// SealAfter is how far the watermark has to be past a bucket for all its rows
	// to be there.
	SealAfter time.Duration
}

// WriteLive writes outputs, PCollection<table.Rows>, and the accounts of rolls,
// PCollection<[]byte> of ledger.Part in JSON, into a lake. Files appear with the
// account of the records they hold, once all of these have come; a restart writes
// the same files again.
//
// The result, KV<string, []byte>, says of each file group that it was written.
func WriteLive(s beam.Scope, l LiveLake, outputs map[string]beam.PCollection, parts beam.PCollection) beam.PCollection {
	s = s.Scope("endpoint.WriteLive")
	rolled := []beam.PCollection{beam.ParDo(s.Scope("ledger"), &partFn{Run: l.Writing.Run}, parts)}
	var sealed []beam.PCollection
	for _, output := range slices.Sorted(maps.Keys(outputs)) {
		if slices.Contains(l.Rolled, output) {
			rolled = append(rolled, beam.ParDo(s.Scope(output), &stageFn{Writing: l.Writing, Output: output}, outputs[output]))
		} else {
			sealed = append(sealed, beam.ParDo(s.Scope(output), &bucketFn{Run: l.Writing.Run, Output: output}, outputs[output]))
		}
	}
	written := []beam.PCollection{beam.ParDo(s.Scope("rolls"), newRollFn(l), beam.Flatten(s.Scope("rolls"), rolled...))}
	if len(sealed) > 0 {
		written = append(written, beam.ParDo(s.Scope("buckets"), newSealFn(l), beam.Flatten(s.Scope("buckets"), sealed...)))
	}
	return beam.Flatten(s, written...)
}

// message is what comes to a roll: a segment of rows, or a part of its account.
type message struct {
	Segment *lakeio.Segment `json:"segment,omitempty"`
	Part    *ledger.Part    `json:"part,omitempty"`
}

// readMessage refuses what this program does not know: passed over, it would be
// missing from the roll for good.
func readMessage(b []byte) (m message, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err = d.Decode(&m); err == nil && m.Segment == nil && m.Part == nil {
		err = errors.New("it says nothing")
	}
	if err != nil {
		return m, fmt.Errorf("a message of %d bytes is not of the form this program reads: %w; resume with the version of the program that wrote it", len(b), err)
	}
	return m, nil
}

// stageFn writes the rows of each bundle beside the lake; only the places where
// they lie travel on.
type stageFn struct {
	Writing lakeio.LiveWriting
	Output  string

	lake  *lakeio.Live
	calls *calls
	rows  map[string][]*table.Batch // by roll
}

func (fn *stageFn) Setup(ctx context.Context) (err error) {
	fn.calls = newLakeCalls(fn.Writing.Run, fn.Output)
	fn.lake, err = fn.Writing.Open(ctx)
	return failure.Note(fn.Writing.Run, fn.calls.over(ctx, err))
}

func (fn *stageFn) StartBundle(context.Context, func(string, []byte)) error {
	fn.rows = map[string][]*table.Batch{}
	return nil
}

func (fn *stageFn) ProcessElement(_ context.Context, rows table.Rows, _ func(string, []byte)) error {
	fn.rows[rows.Group] = append(fn.rows[rows.Group], rows.Batch)
	return nil
}

func (fn *stageFn) FinishBundle(ctx context.Context, emit func(string, []byte)) error {
	if len(fn.rows) == 0 {
		return nil
	}
	segments, err := fn.lake.Stage(fn.calls.watch(ctx), fn.Output, fn.rows)
	fn.rows = nil
	if err := fn.calls.over(ctx, err); err != nil {
		return failure.Note(fn.Writing.Run, err)
	}
	for i := range segments {
		b, err := json.Marshal(message{Segment: &segments[i]})
		if err != nil {
			return failure.Note(fn.Writing.Run, err)
		}
		emit(segments[i].Roll, b)
	}
	return nil
}

// partFn adds up the accounts of a bundle.
type partFn struct {
	Run string

	parts map[string]*ledger.Part
}

func (fn *partFn) StartBundle(context.Context, func(string, []byte)) error {
	fn.parts = map[string]*ledger.Part{}
	return nil
}

func (fn *partFn) ProcessElement(ctx context.Context, b []byte, _ func(string, []byte)) error {
	var part ledger.Part
	if err := json.Unmarshal(b, &part); err != nil {
		return failure.Note(fn.Run, fmt.Errorf("reading the account of a roll: %w", err))
	}
	count(ctx, part.Ledger)
	sum := fn.parts[part.Roll]
	if sum == nil {
		fn.parts[part.Roll] = &part
		return nil
	}
	return failure.Note(fn.Run, sum.Add(part))
}

func (fn *partFn) FinishBundle(_ context.Context, emit func(string, []byte)) error {
	for _, roll := range slices.Sorted(maps.Keys(fn.parts)) {
		b, err := json.Marshal(message{Part: fn.parts[roll]})
		if err != nil {
			return failure.Note(fn.Run, err)
		}
		emit(roll, b)
	}
	fn.parts = nil
	return nil
}

// rollFn waits until it has everything of a roll, and makes its files appear.
type rollFn struct {
	Lake LiveLake

	Messages state.Bag[[]byte]
	Closed   state.Value[bool] // the end of the roll has come

	lake  *lakeio.Live
	calls *calls
}

func newRollFn(l LiveLake) *rollFn {
	return &rollFn{Lake: l, Messages: state.MakeBagState[[]byte]("messages"), Closed: state.MakeValueState[bool]("closed")}
}

func (fn *rollFn) Setup(ctx context.Context) (err error) {
	fn.calls = newLakeCalls(fn.Lake.Writing.Run, "rolls")
	fn.lake, err = fn.Lake.Writing.Open(ctx)
	return failure.Note(fn.Lake.Writing.Run, fn.calls.over(ctx, err))
}

func (fn *rollFn) ProcessElement(ctx context.Context, sp state.Provider, roll string, b []byte, emit func(string, []byte)) error {
	if err := fn.take(ctx, sp, roll, b, emit); err != nil {
		return failure.Note(fn.Lake.Writing.Run, fmt.Errorf("writing roll %s: %w", roll, err))
	}
	return nil
}

func (fn *rollFn) take(ctx context.Context, sp state.Provider, roll string, b []byte, emit func(string, []byte)) error {
	m, err := readMessage(b)
	if err != nil {
		return err
	}
	if err := fn.Messages.Add(sp, b); err != nil {
		return err
	}
	closed, _, err := fn.Closed.Read(sp)
	if err != nil {
		return err
	}
	if !closed {
		if m.Part == nil || m.Part.Close == nil {
			return nil
		}
		if err := fn.Closed.Write(sp, true); err != nil {
			return err
		}
	}
	all, _, err := fn.Messages.Read(sp)
	if err != nil {
		return err
	}
	part, segments, err := gather(roll, all)
	if err != nil || !fn.whole(part, segments) {
		return err
	}
	if err := part.Check(); err != nil {
		return err
	}
	done, err := fn.lake.CloseRoll(fn.calls.watch(ctx), part, segments)
	if err := fn.calls.over(ctx, err); err != nil {
		return err
	}
	rollsClosed.Inc(ctx, 1)
	wrote(ctx, done)
	if err := fn.Messages.Clear(sp); err != nil {
		return err
	}
	if err := fn.Closed.Clear(sp); err != nil {
		return err
	}
	return tell(done, emit)
}

func gather(roll string, all [][]byte) (part ledger.Part, segments []lakeio.Segment, err error) {
	part.Roll = roll
	for _, b := range all {
		m, err := readMessage(b)
		if err != nil {
			return part, nil, err
		}
		if m.Segment != nil {
			segments = append(segments, *m.Segment)
		}
		if m.Part != nil {
			if err := part.Add(*m.Part); err != nil {
				return part, nil, err
			}
		}
	}
	return part, segments, nil
}

// whole tells whether the account is complete and all rows it tells of are there. Events
// that are duplicates by their producer's id are in the archive, too.
func (fn *rollFn) whole(part ledger.Part, segments []lakeio.Segment) bool {
	if !part.Whole() || part.Read < part.Close.Records {
		return false
	}
	rows := map[string]int64{}
	for _, s := range segments {
		rows[s.Output] += int64(s.Rows())
	}
	l := part.Ledger
	return rows["vault"] == part.Vault && rows[fn.Lake.Writing.EventsOutput()] == l.Events && rows["bad_rows"] == l.Bad && rows["late"] == l.Late && (!fn.Lake.Raw || rows["raw"] == l.Events+l.Bad+l.Duplicate)
}

// bucketFn sends rows to the bucket they become files with.
type bucketFn struct{ Run, Output string }

func (fn *bucketFn) ProcessElement(_ context.Context, rows table.Rows, emit func(string, []byte)) error {
	b, err := table.EncodeRows(rows)
	if err != nil {
		return failure.Note(fn.Run, err)
	}
	emit(rows.Group+"/"+fn.Output, b)
	return nil
}

// sealFn gathers the sealed rows of a bucket and writes them when the watermark has
// passed it. Rows that came behind it would not go unnoticed: the lake refuses to
// seal a bucket again with others.
type sealFn struct {
	Lake LiveLake

	Rows  state.Bag[[]byte]
	Close timers.EventTime

	lake  *lakeio.Live
	calls *calls
}

func newSealFn(l LiveLake) *sealFn {
	return &sealFn{Lake: l, Rows: state.MakeBagState[[]byte]("rows"), Close: timers.InEventTime("close")}
}

func (fn *sealFn) Setup(ctx context.Context) (err error) {
	fn.calls = newLakeCalls(fn.Lake.Writing.Run, "buckets")
	fn.lake, err = fn.Lake.Writing.Open(ctx)
	return failure.Note(fn.Lake.Writing.Run, fn.calls.over(ctx, err))
}

// ProcessElement keeps rows. The timer of a bucket is the same each time; it holds
// the watermark of what follows, see package transforms.
func (fn *sealFn) ProcessElement(_ context.Context, sp state.Provider, tp timers.Provider, key string, rows []byte, _ func(string, []byte)) error {
	end, _, err := parseBucket(key)
	if err == nil {
		at := time.UnixMilli(end).Add(fn.Lake.SealAfter)
		fn.Close.Set(tp, at, timers.WithOutputTimestamp(at.Add(-time.Millisecond)))
		err = fn.Rows.Add(sp, rows)
	}
	return failure.Note(fn.Lake.Writing.Run, err)
}

// OnTimer writes a bucket's rows.
func (fn *sealFn) OnTimer(ctx context.Context, sp state.Provider, _ timers.Provider, key string, _ timers.Context, emit func(string, []byte)) error {
	if err := fn.seal(ctx, sp, key, emit); err != nil {
		return failure.Note(fn.Lake.Writing.Run, fmt.Errorf("writing bucket %s: %w", key, err))
	}
	return nil
}

func (fn *sealFn) seal(ctx context.Context, sp state.Provider, key string, emit func(string, []byte)) error {
	encoded, _, err := fn.Rows.Read(sp)
	if err != nil || len(encoded) == 0 {
		return err
	}
	end, output, err := parseBucket(key)
	if err != nil {
		return err
	}
	var batches []*table.Batch
	for _, b := range encoded {
		rows, err := table.DecodeRows(b)
		if err != nil {
			return err
		}
		batches = append(batches, rows.Batch)
	}
	write := fn.lake.Seal
	if slices.Contains(fn.Lake.Appended, output) {
		write = fn.lake.Append
	}
	done, err := write(fn.calls.watch(ctx), output, strconv.FormatInt(end, 10), batches)
	if err := fn.calls.over(ctx, err); err != nil {
		return err
	}
	wrote(ctx, done)
	if err := fn.Rows.Clear(sp); err != nil {
		return err
	}
	return tell(done, emit)
}

func parseBucket(key string) (end int64, output string, err error) {
	n := 0
	for n < len(key) && key[n] != '/' {
		n++
	}
	if n == len(key) {
		return 0, "", fmt.Errorf("%q is no bucket", key)
	}
	end, err = strconv.ParseInt(key[:n], 10, 64)
	return end, key[n+1:], err
}

func tell(done lakeio.Committed, emit func(string, []byte)) error {
	b, err := json.Marshal(done)
	if err == nil {
		emit(closingKey, b)
	}
	return err
}

func count(ctx context.Context, l ledger.Ledger) {
	for counter, n := range map[beam.Counter]int64{ledgerIn: l.In, ledgerEvents: l.Events, ledgerBad: l.Bad, ledgerLate: l.Late, ledgerDuplicate: l.Duplicate, ledgerSkipped: l.Skipped} {
		if n > 0 {
			counter.Inc(ctx, n)
		}
	}
}

var (
	ledgerIn        = beam.NewCounter("ledger", "in")
	ledgerEvents    = beam.NewCounter("ledger", "events")
	ledgerBad       = beam.NewCounter("ledger", "bad")
	ledgerLate      = beam.NewCounter("ledger", "late")
	ledgerDuplicate = beam.NewCounter("ledger", "duplicate")
	ledgerSkipped   = beam.NewCounter("ledger", "skipped")
	rollsClosed     = beam.NewCounter("millrace", "rolls")
)
