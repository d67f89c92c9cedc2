package endpoint

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/timers"

	"millrace/internal/failure"
	"millrace/io/driver"
	"millrace/io/lakeio"
)

func init() {
	beam.RegisterType(reflect.TypeFor[endFn]())
	beam.RegisterType(reflect.TypeFor[beginFn]())
}

// Ending is how the readers of a stream with an end learn that everything they
// read was sealed. Timers that a runner has not fired when its source ends may
// never fire (Flink), so the watermark goes to the end first and the source after
// the timers: a mark in the lake says that the last one has fired.
type Ending struct {
	Lake string
	Run  string
	// Attempt tells one submission of a run from the next.
	Attempt string
}

// endOfTime is where the watermark of a stream goes that has ended: after every
// timer, yet well before the end of the global window, where Flink's runner
// forgets a reader that has not finished and fails (docs/adr/0006).
var endOfTime = lastTimer.Add(24 * time.Hour)

// No timer of the data is so late.
var lastTimer = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

func (e Ending) key() string { return fmt.Sprintf("_live/%s/ended-%s", e.Run, e.Attempt) }

// Sealed tells whether the mark is there.
func (e Ending) Sealed(ctx context.Context) (bool, error) { return e.marked(ctx, e.key()) }

// Begun tells whether a reader has been called in this attempt: the job works.
func (e Ending) Begun(ctx context.Context) (bool, error) { return e.marked(ctx, e.begunKey()) }

func (e Ending) begunKey() string { return fmt.Sprintf("_live/%s/begun-%s", e.Run, e.Attempt) }

func (e Ending) marked(ctx context.Context, key string) (bool, error) {
	store, err := lakeio.OpenStore(ctx, e.Lake)
	if err != nil {
		return false, err
	}
	_, err = store.Stat(ctx, key)
	if errors.Is(err, driver.ErrNotFound) {
		return false, nil
	}
	return err == nil, forOthers("the lake", err)
}

func (e Ending) mark(ctx context.Context, key string) error {
	store, err := lakeio.OpenStore(ctx, e.Lake)
	if err == nil {
		_, err = store.Put(ctx, key, strings.NewReader(""), lakeio.PutOptions{})
	}
	return forOthers("the lake", err)
}

// Forget removes the marks.
func (e Ending) Forget(ctx context.Context) error {
	store, err := lakeio.OpenStore(ctx, e.Lake)
	if err != nil {
		return err
	}
	return store.Delete(ctx, e.key(), e.begunKey())
}

// End notes that the watermark has passed everything, behind what the writers
// say, KV<string, []byte>: theirs have passed it then, too.
func End(s beam.Scope, e Ending, written ...beam.PCollection) beam.PCollection {
	s = s.Scope("endpoint.End")
	begin := beam.ParDo(s, &beginFn{}, beam.Create(s, closingKey))
	return beam.ParDo(s, &endFn{Ending: e, Begun: state.MakeValueState[bool]("begun"), Last: timers.InEventTime("last")}, beam.Flatten(s, append(written, begin)...))
}

// beginFn brings the one element that is there when nothing is written.
type beginFn struct{}

func (fn *beginFn) ProcessElement(key string, emit func(string, []byte)) { emit(key, nil) }

type endFn struct {
	Ending Ending
	Begun  state.Value[bool]
	Last   timers.EventTime
}

func (fn *endFn) ProcessElement(_ context.Context, sp state.Provider, tp timers.Provider, _ string, _ []byte, _ func([]byte)) error {
	begun, _, err := fn.Begun.Read(sp)
	if err != nil || begun {
		return err
	}
	fn.Last.Set(tp, lastTimer)
	return fn.Begun.Write(sp, true)
}

// OnTimer leaves the mark.
func (fn *endFn) OnTimer(ctx context.Context, _ state.Provider, _ timers.Provider, _ string, _ timers.Context, emit func([]byte)) error {
	if err := fn.Ending.mark(ctx, fn.Ending.key()); err != nil {
		return failure.Note(fn.Ending.Run, err)
	}
	emit([]byte(fn.Ending.key()))
	return nil
}
