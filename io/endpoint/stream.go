package endpoint

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/mtime"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/sdf"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"millrace/internal/failure"
	"millrace/io/driver"
	"millrace/schemas/record"
)

func init() {
	beam.RegisterType(reflect.TypeFor[streamFn]())
	register.Emitter2[beam.EventTime, record.Block]()
	beam.RegisterType(reflect.TypeFor[cursor]())
	beam.RegisterCoder(reflect.TypeFor[cursor](), encodeCursor, decodeCursor)
}

// Following says what a live run reads.
type Following struct {
	Run string
	URL string
	// Job names the function that reads event times, see KnowEventTime.
	Job     string
	Options driver.StreamOptions
	// Archive, when set, is what is read up to Until, before the stream.
	Archive string
	Until   time.Time
	// Readers are where they begin, one for each unit of parallelism: on Prism,
	// which loses data of several, exactly one.
	Readers []driver.Cursor
	// Prompt says that a sink waits for rows: calls are short then.
	Prompt bool
	// Ending tells, of a stream with an end, whether everything that was read has
	// been sealed, so that the readers may end; see Sealed.
	Ending Ending
}

// A call of a reader lasts callTime, then it asks for its next after exactly a
// second: the runner counts whole seconds, and with none the watermark does not
// move (docs/adr/0006). What a call may bring keeps the average below 20 MB/s, so
// that state and windows keep up when a backlog is read.
//
// The watermark moves at the end of a call. Where someone waits for rows they are
// short, at the price of more of them, each of which costs the runner some memory.
const (
	callTime    = time.Second
	promptCall  = 100 * time.Millisecond
	resumeAfter = time.Second
	callRate    = 20 << 20 // bytes a second
)

// callOf is how long a call lasts and how many bytes it may bring.
func callOf(prompt bool) (length time.Duration, bytes int) {
	length = callTime
	if prompt {
		length = promptCall
	}
	return length, int(callRate * (length + resumeAfter) / time.Second)
}

// Follow gives the blocks of a stream, PCollection<record.Block> in the global
// window, as long as the run lasts or the stream goes on.
func Follow(s beam.Scope, f Following) beam.PCollection {
	s = s.Scope("endpoint.Follow")
	readers := make([]any, len(f.Readers))
	for i, c := range f.Readers {
		readers[i] = []byte(c)
	}
	fn := &streamFn{
		Run: f.Run, URL: f.URL, Job: f.Job, Format: f.Options.Format, Archive: f.Archive, Until: f.Until, MaxDisorder: f.Options.MaxDisorder, AllowedLateness: f.Options.AllowedLateness,
		IdleAfter: f.Options.IdleAfter, RollBytes: f.Options.RollBytes, RollEvery: f.Options.RollEvery, Prompt: f.Prompt, Ending: f.Ending,
	}
	// No Reshuffle: the runner spreads readers by a hash of theirs in any case.
	return beam.ParDo(s, fn, beam.Create(s, readers...))
}

// streamFn reads with one reader an element, which is the cursor it begins at.
// The restriction is the cursor it has come to, so positions live in the
// runner's checkpoints and nowhere else.
type streamFn struct {
	Run, URL, Job, Format, Archive                     string
	Until                                              time.Time
	MaxDisorder, AllowedLateness, IdleAfter, RollEvery time.Duration
	RollBytes                                          int64
	Prompt                                             bool
	Ending                                             Ending

	stream driver.Stream
	begun  bool
}

func (fn *streamFn) Setup(ctx context.Context) error {
	eventTime, ok := eventTimes[fn.Job]
	if !ok {
		return failure.Note(fn.Run, fmt.Errorf("reading %s: this program does not know the job %s", fn.URL, fn.Job))
	}
	stream, err := OpenBootstrap(ctx, fn.Archive, fn.Until, fn.URL, driver.StreamOptions{
		Format: fn.Format, EventTime: eventTime, MaxDisorder: fn.MaxDisorder, AllowedLateness: fn.AllowedLateness,
		IdleAfter: fn.IdleAfter, RollBytes: fn.RollBytes, RollEvery: fn.RollEvery,
	})
	fn.stream = stream
	return failure.Note(fn.Run, err)
}

func (fn *streamFn) CreateInitialRestriction(element []byte) cursor { return cursor{At: element} }

func (fn *streamFn) SplitRestriction(_ []byte, c cursor) []cursor { return []cursor{c} }

func (fn *streamFn) RestrictionSize([]byte, cursor) float64 { return 1 }

func (fn *streamFn) CreateTracker(c cursor) *sdf.LockRTracker {
	return sdf.NewLockRTracker(&cursorTracker{at: c})
}

// The watermark is state of the estimator: a reader that is restored begins with
// the one it had.
func (fn *streamFn) InitialWatermarkEstimatorState(beam.EventTime, cursor, []byte) int64 {
	return mtime.MinTimestamp.Milliseconds()
}

func (fn *streamFn) CreateWatermarkEstimator(ms int64) *sdf.ManualWatermarkEstimator {
	e := &sdf.ManualWatermarkEstimator{}
	e.UpdateWatermark(mtime.FromMilliseconds(ms).ToTime())
	return e
}

func (fn *streamFn) WatermarkEstimatorState(e *sdf.ManualWatermarkEstimator) int64 {
	return mtime.FromTime(e.CurrentWatermark()).Milliseconds()
}

// ProcessElement is one call of a reader.
func (fn *streamFn) ProcessElement(ctx context.Context, we *sdf.ManualWatermarkEstimator, rt *sdf.LockRTracker, element []byte, emit func(beam.EventTime, record.Block)) (sdf.ProcessContinuation, error) {
	if !fn.begun {
		if err := fn.Ending.mark(ctx, fn.Ending.begunKey()); err != nil {
			return sdf.StopProcessing(), failure.Note(fn.Run, err)
		}
		fn.begun = true
	}
	r, err := readers.take(ctx, readerKey{fn.Run, string(element)}, fn.stream, rt.GetRestriction().(cursor).At)
	if err != nil {
		return sdf.StopProcessing(), failure.Note(fn.Run, err)
	}
	over, err := fn.call(ctx, r, we, rt, emit)
	if err != nil {
		readers.drop(r)
		return sdf.StopProcessing(), failure.Note(fn.Run, err)
	}
	over = over || rt.IsDone()
	r.shards.tell(ctx, r, time.Now(), over)
	if over {
		readers.drop(r)
		return sdf.StopProcessing(), rt.GetError()
	}
	readers.give(r)
	return sdf.ResumeProcessingIn(resumeAfter), nil
}

// call gives what comes in the time of a call. It is over when the stream has ended and
// everything that was read is sealed.
func (fn *streamFn) call(ctx context.Context, r *openReader, we *sdf.ManualWatermarkEstimator, rt *sdf.LockRTracker, emit func(beam.EventTime, record.Block)) (over bool, err error) {
	known := progressOf(fn.Run)
	length, most := callOf(fn.Prompt)
	until, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	low := we.CurrentWatermark()
	for bytes := 0; bytes < most; {
		block, err := r.Next(until)
		if err != nil {
			return false, err
		}
		if block == nil {
			break
		}
		if claimed, err := r.claim(rt); err != nil || !claimed {
			return true, err // the runner took the rest back, from before this block
		}
		emit(mtime.FromTime(low), *block)
		planted()
		bytes += len(block.Data)
		records := int64(block.Records())
		known.records.Add(records)
		known.bytes.Add(int64(len(block.Data)))
		streamRecords.Inc(ctx, records)
		streamBytes.Inc(ctx, int64(len(block.Data)))
	}
	if claimed, err := r.claim(rt); err != nil || !claimed { // the position moves without a block, too
		return true, err
	}
	if !r.Done() {
		at := r.Watermark()
		if at > math.MinInt64 {
			// Timers of transforms ring a millisecond before what they wait for.
			raise(we, time.UnixMilli(at-1))
		}
		watermarkGauge.Set(ctx, at)
		return false, nil
	}
	// The watermark goes to the end in this call or went in one before; the reader
	// ends when all windows and timers behind it have closed.
	raise(we, endOfTime)
	sealed, err := fn.Ending.Sealed(ctx)
	if err == nil && sealed {
		over = rt.TryClaim(cursor{Over: true})
	}
	return over, err
}

// raise moves a watermark, which must not fall.
func raise(we *sdf.ManualWatermarkEstimator, to time.Time) {
	if to.After(we.CurrentWatermark()) {
		we.UpdateWatermark(to)
	}
}

var (
	streamRecords  = beam.NewCounter("millrace", "records")
	streamBytes    = beam.NewCounter("millrace", "bytes")
	watermarkGauge = beam.NewGauge("millrace", "watermark")
)

// cursor is the restriction of a reader.
type cursor struct {
	At   driver.Cursor
	Over bool // nothing is left to read
}

const cursorForm = 1 // first byte of an encoded cursor; an upgrade reads older ones

func encodeCursor(c cursor) []byte {
	head := []byte{cursorForm, 0}
	if c.Over {
		head[1] = 1
	}
	return append(head, c.At...)
}

func decodeCursor(b []byte) (cursor, error) {
	if len(b) < 2 || b[0] != cursorForm {
		return cursor{}, fmt.Errorf("a reader's position of %d bytes is not of form %d: resume with the version of the program that wrote it", len(b), cursorForm)
	}
	return cursor{At: driver.Cursor(append([]byte(nil), b[2:]...)), Over: b[1] == 1}, nil
}

// cursorTracker follows a reader. What is claimed is the cursor after a block, and
// the only split there is cuts what was read from what was not.
type cursorTracker struct {
	at   cursor
	done bool
	err  error
}

// TryClaim moves to a cursor, unless the rest was split off.
func (t *cursorTracker) TryClaim(pos any) bool {
	c, ok := pos.(cursor)
	switch {
	case !ok:
		t.err = fmt.Errorf("claiming a %T", pos)
		return false
	case t.done:
		return false
	case c.Over:
		t.at, t.done = c, true
		return true
	}
	t.at = c
	return true
}

func (t *cursorTracker) GetError() error { return t.err }

// TrySplit gives everything that is left to a residual, whatever the fraction:
// a reader's shards stay together.
func (t *cursorTracker) TrySplit(fraction float64) (primary, residual any, err error) {
	if t.done || fraction > 0 {
		return t.at, nil, nil
	}
	rest := t.at
	t.done = true
	t.at = cursor{Over: true}
	return t.at, rest, nil
}

func (t *cursorTracker) GetProgress() (done, remaining float64) {
	if t.done {
		return 1, 0
	}
	return 0, 1
}

func (t *cursorTracker) IsDone() bool { return t.done }

func (t *cursorTracker) GetRestriction() any { return t.at }

func (t *cursorTracker) IsBounded() bool { return t.at.Over }
