package transforms

import (
	"encoding/binary"
	"errors"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/internal/failure"
	"millrace/schemas/table"
)

// A live event is judged when the watermark is past it, which is how a stream and a batch
// come to the same rows. Who looks at a counter need not wait so long: of the outputs that a
// sink takes, events are counted when they come, too, and that is early.
//
// So such a table has two sums of an event: an early one, and the settled one of what
// was judged. Both are by the minute of event time. When the watermark has passed a minute,
// its settled sums count in place of its early ones (liveTablesFn), and nothing is ever
// counted twice. Early sums leave out what is known to be a duplicate, so that they never
// come to more than what settles; rows at the end of their window are settled alone.

func init() {
	beam.RegisterType(reflect.TypeFor[earlyUseFn]())
}

// timedPart is a partial aggregate of events of a minute.
type timedPart struct {
	early  bool
	until  int64 // its end, Unix milliseconds
	packed []byte
}

// What a timed part begins with. A packed blob begins with neither.
const (
	earlyPart   = 'e'
	settledPart = 's'
)

func (p timedPart) encode() []byte {
	b := []byte{settledPart}
	if p.early {
		b[0] = earlyPart
	}
	return append(binary.AppendVarint(b, p.until), p.packed...)
}

// timedPartOf reads a part; timed is false for one that is not timed.
func timedPartOf(b []byte) (p timedPart, timed bool, err error) {
	if len(b) == 0 || b[0] != earlyPart && b[0] != settledPart {
		return p, false, nil
	}
	until, n := binary.Varint(b[1:])
	if n <= 0 {
		return p, true, errors.New("a partial aggregate without its time: resume with the version of the program that wrote it")
	}
	return timedPart{b[0] == earlyPart, until, b[1+n:]}, true, nil
}

// longFlush is how many minutes of event time one flush has of a backlog. Nobody waits for early sums
// of that.
const longFlush = 64

// earlyUseFn counts rows of events as they come for the tables that sinks take.
type earlyUseFn struct {
	Config ClickUseConfig

	use *clickUse
}

func (fn *earlyUseFn) Setup() error {
	fn.use = newEarlyClickUse(fn.Config)
	return nil
}

func (fn *earlyUseFn) Teardown() {
	if fn.use != nil {
		fn.use.packer.close()
	}
}

func (fn *earlyUseFn) ProcessElement(rows table.Rows, partials func(string, []byte)) error {
	var out output
	if out.err = fn.use.addEarly(rows.Batch); out.err == nil && fn.use.rows >= useRows {
		out.err = fn.use.flush(&out)
	}
	return failure.Note(fn.Config.Common.Run, (&emitters{partials: partials}).emit(out))
}

func (fn *earlyUseFn) FinishBundle(partials func(string, []byte)) error {
	var out output
	out.err = fn.use.flush(&out)
	return failure.Note(fn.Config.Common.Run, (&emitters{partials: partials}).emit(out))
}
