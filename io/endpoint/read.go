package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/sdf"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/rtrackers/offsetrange"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"millrace/internal/failure"
	"millrace/io/driver"
	"millrace/schemas/record"
)

func init() {
	beam.RegisterType(reflect.TypeFor[readFn]())
	register.Emitter1[record.Block]()
	beam.RegisterCoder(reflect.TypeFor[record.Block](), record.Encode, record.Decode)
}

// Reading says what a run reads: a source and the splits that were planned.
type Reading struct {
	Run    string // names the run in Progress
	URL    string
	Splits []driver.Split
}

// Read gives the blocks of a bounded source, PCollection<record.Block> in the
// global window. Order holds inside a split only.
func Read(s beam.Scope, r Reading) (beam.PCollection, error) {
	s = s.Scope("endpoint.Read")
	splits := make([]any, len(r.Splits))
	for i, split := range r.Splits {
		split.Sources, split.Keys = nil, nil // they serve the plan
		b, err := json.Marshal(split)
		if err != nil {
			return beam.PCollection{}, fmt.Errorf("planning %s: %w", split.Name, err)
		}
		splits[i] = b
	}
	if len(splits) == 0 {
		splits = append(splits, []byte(nil)) // Create needs an element; the reader skips it
	}
	return beam.ParDo(s, &readFn{Run: r.Run, URL: r.URL}, beam.Create(s, splits...)), nil
}

// readFn reads one split an element. The restriction counts blocks, so that a
// position can be checkpointed between two of them.
type readFn struct {
	Run string
	URL string

	source driver.Source
}

func (fn *readFn) Setup() error {
	src, err := OpenSource(context.Background(), fn.URL, nil)
	fn.source = src
	return failure.Note(fn.Run, err)
}

func (fn *readFn) CreateInitialRestriction([]byte) offsetrange.Restriction {
	return offsetrange.Restriction{Start: 0, End: 1 << 40}
}

func (fn *readFn) SplitRestriction(_ []byte, r offsetrange.Restriction) []offsetrange.Restriction {
	return []offsetrange.Restriction{r}
}

func (fn *readFn) RestrictionSize(split []byte, _ offsetrange.Restriction) float64 {
	s, err := decodeSplit(split)
	if err != nil {
		return 1
	}
	return float64(s.Size)
}

func (fn *readFn) CreateTracker(r offsetrange.Restriction) *sdf.LockRTracker {
	return sdf.NewLockRTracker(wholeTracker{offsetrange.NewTracker(r)})
}

// wholeTracker keeps the runner from cutting a split in two: a compressed file
// cannot be entered in the middle, and the plan has cut the others already.
type wholeTracker struct{ *offsetrange.Tracker }

func (t wholeTracker) TrySplit(float64) (primary, residual any, err error) {
	return t.GetRestriction(), nil, nil
}

func decodeSplit(b []byte) (driver.Split, error) {
	var s driver.Split
	err := json.Unmarshal(b, &s)
	return s, err
}

func (fn *readFn) ProcessElement(ctx context.Context, rt *sdf.LockRTracker, element []byte, emit func(record.Block)) error {
	end := rt.GetRestriction().(offsetrange.Restriction).End
	if len(element) > 0 {
		split, err := decodeSplit(element)
		if err != nil {
			return fmt.Errorf("reading a split of %s: %w", fn.URL, err)
		}
		if err := fn.read(ctx, split, rt, emit); err != nil {
			return failure.Note(fn.Run, err)
		}
	}
	rt.TryClaim(end) // the split is done, whatever the number of its blocks
	return rt.GetError()
}

func (fn *readFn) read(ctx context.Context, split driver.Split, rt *sdf.LockRTracker, emit func(record.Block)) (err error) {
	r, err := fn.source.Open(ctx, split)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	seen := progressOf(fn.Run).reader(r, split)
	defer seen.done()
	for i := rt.GetRestriction().(offsetrange.Restriction).Start; ; i++ {
		block, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !rt.TryClaim(i) {
			return rt.GetError()
		}
		records := block.Records()
		emit(block)
		seen.note(records)
	}
}
