package endpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"millrace/internal/failure"
	"millrace/io/lakeio"
	"millrace/schemas/table"
)

func init() {
	beam.RegisterType(reflect.TypeFor[spillFn]())
	beam.RegisterType(reflect.TypeFor[mergeFn]())
	register.Emitter2[string, []byte]()
	register.Iter1[[]byte]()
	beam.RegisterCoder(reflect.TypeFor[table.Rows](), table.EncodeRows, table.DecodeRows)
}

// Write puts the rows of one output, PCollection<table.Rows>, into the lake's
// staging area: sorted by day and shard, as finished Parquet files. They appear
// in the lake when the run commits them, all together.
//
// Rows are sorted outside memory: each bundle spills sorted runs beside the
// staged files, and only the names of the runs cross the shuffle.
//
// The result, KV<string, []byte>, says how many rows were written; Close sums it.
// (It must be consumed after a shuffle: Prism waits in a busy loop for a stage
// without outputs.)
func Write(s beam.Scope, w lakeio.Writing, rows beam.PCollection) beam.PCollection {
	s = s.Scope("endpoint.Write/" + w.Output)
	runs := beam.ParDo(s, &spillFn{Writing: w}, rows)
	return beam.ParDo(s, &mergeFn{Writing: w}, beam.GroupByKey(s, runs))
}

type spillFn struct {
	Writing lakeio.Writing

	out     *lakeio.OutputWriter
	spiller *lakeio.Spiller
}

func (fn *spillFn) Setup(ctx context.Context) (err error) {
	fn.out, err = fn.Writing.Open(ctx)
	return failure.Note(fn.Writing.Run, err)
}

func (fn *spillFn) StartBundle(ctx context.Context, _ func(string, []byte)) error {
	fn.spiller = fn.out.Spiller(ctx)
	return nil
}

func (fn *spillFn) ProcessElement(_ context.Context, rows table.Rows, _ func(string, []byte)) error {
	progressOf(fn.Writing.Run).spilled.Add(int64(rows.Batch.Len()))
	return failure.Note(fn.Writing.Run, fn.spiller.Add(rows.Batch))
}

func (fn *spillFn) FinishBundle(_ context.Context, emit func(string, []byte)) error {
	runs, err := fn.spiller.Finish()
	if err != nil {
		return failure.Note(fn.Writing.Run, err)
	}
	for _, r := range runs {
		b, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("naming a run of %s: %w", r.Part.Output, err)
		}
		emit(r.Part.String(), b)
	}
	return nil
}

type mergeFn struct {
	Writing lakeio.Writing

	out *lakeio.OutputWriter
}

func (fn *mergeFn) Setup(ctx context.Context) (err error) {
	fn.out, err = fn.Writing.Open(ctx)
	return failure.Note(fn.Writing.Run, err)
}

func (fn *mergeFn) ProcessElement(ctx context.Context, _ string, next func(*[]byte) bool, emit func(string, []byte)) error {
	var runs []lakeio.Run
	var rows int64
	for b := []byte(nil); next(&b); b = nil {
		var r lakeio.Run
		if err := json.Unmarshal(b, &r); err != nil {
			return failure.Note(fn.Writing.Run, fmt.Errorf("reading the name of a run: %w", err))
		}
		runs = append(runs, r)
		rows += int64(r.Rows)
	}
	merged := &progressOf(fn.Writing.Run).merged
	if err := fn.out.Merge(ctx, runs, func(rows int) { merged.Add(int64(rows)) }); err != nil {
		return failure.Note(fn.Writing.Run, err)
	}
	b, err := json.Marshal(Closing{Written: map[string]int64{fn.Writing.Output: rows}})
	if err != nil {
		return failure.Note(fn.Writing.Run, err)
	}
	emit(closingKey, b)
	return nil
}
