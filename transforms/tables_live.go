package transforms

import (
	"context"
	"encoding/binary"
	"fmt"
	"reflect"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/timers"
	"github.com/cespare/xxhash/v2"

	"millrace/internal/failure"
	"millrace/schemas/table"
	"millrace/transforms/internal/wire"
	"millrace/transforms/rollup"
)

func init() {
	beam.RegisterType(reflect.TypeFor[liveTablesFn]())
}

// liveTablesFn is tablesFn for records that keep coming. The rows of a key are sealed
// together at the end of its span.
type liveTablesFn struct {
	Tables tablesFn

	Parts    state.Bag[[]byte]
	Close    timers.EventTime
	ClosesAt state.Value[bell]
}

func newLiveTablesFn(cfg TableConfig) *liveTablesFn {
	a := newAlarm()
	return &liveTablesFn{
		Tables: tablesFn{Config: cfg},
		Parts:  state.MakeBagState[[]byte]("parts"), Close: a.Timer, ClosesAt: a.At,
	}
}

func (fn *liveTablesFn) Setup() error {
	return failure.Note(fn.Tables.Config.Common.Run, fn.Tables.Setup())
}

func (fn *liveTablesFn) alarm() *alarm { return &alarm{Timer: fn.Close, At: fn.ClosesAt} }

// ProcessElement keeps a partial aggregate.
func (fn *liveTablesFn) ProcessElement(_ context.Context, sp state.Provider, tp timers.Provider, key string, packed []byte, _, provisional func(table.Rows)) error {
	if err := fn.take(sp, tp, key, packed, provisional); err != nil {
		return failure.Note(fn.Tables.Config.Common.Run, fmt.Errorf("partial aggregates of %s: %w", key, err))
	}
	return nil
}

// spanEnd is when the span of a key ends.
func spanEnd(key string) (int64, error) { return rollup.End(key[strings.LastIndexByte(key, '/')+1:]) }

func (fn *liveTablesFn) take(sp state.Provider, tp timers.Provider, key string, packed []byte, provisional func(table.Rows)) error {
	end, err := spanEnd(key)
	if err != nil {
		return err
	}
	if err := fn.alarm().notAfter(sp, tp, sealsAt(end)); err != nil {
		return err
	}
	if fn.wanted(key) {
		return fn.update(sp, key, packed, provisional)
	}
	if err := fn.Parts.Add(sp, packed); err != nil || !isFold(packed, mostParts) {
		return err
	}
	into, _, err := fn.merge(sp, key)
	if err != nil {
		return err
	}
	return fn.compact(sp, into)
}

// update keeps a partial aggregate with the others, and gives the rows that it changed.
func (fn *liveTablesFn) update(sp state.Provider, key string, packed []byte, provisional func(table.Rows)) error {
	into, before, err := fn.merge(sp, key)
	if err != nil {
		return err
	}
	if err := mergePacked(into, packed); err != nil {
		return err
	}
	rows, err := into.rows(key, fn.Tables.Config.Common.revision)
	if err != nil {
		return err
	}
	if news := changed(before, rows); news.Len() > 0 {
		provisional(table.Rows{Batch: news, Kind: table.Provisional})
	}
	if isFold(packed, mostParts) {
		return fn.compact(sp, into)
	}
	return fn.Parts.Add(sp, packed)
}

// changed are the rows of a batch that are not in another, whatever their versions.
func changed(before, now *table.Batch) *table.Batch {
	version, ok := now.Schema().Versioned()
	if !ok {
		version = -1
	}
	known := map[uint64]bool{}
	for row := range before.Len() {
		known[rowHash(before, row, version)] = true
	}
	var rows []uint32
	for row := range now.Len() {
		if !known[rowHash(now, row, version)] {
			rows = append(rows, uint32(row))
		}
	}
	news := table.NewBatch(now.Schema())
	news.Gather(now, rows)
	return news
}

// rowHash is of all columns but one.
func rowHash(b *table.Batch, row, without int) uint64 {
	h := xxhash.New()
	for col, c := range b.Schema().Columns {
		switch {
		case col == without:
		case b.Null(col, row):
			_, _ = h.Write([]byte{0})
		case c.Kind == table.UUID:
			_, _ = h.Write(b.UUIDBytes(col, row))
		case c.Kind == table.String || c.Kind == table.Bytes:
			_, _ = h.Write(wire.AppendText([]byte{1}, b.Text(col, row)))
		default:
			_, _ = h.Write(binary.BigEndian.AppendUint64([]byte{1}, uint64(b.Int(col, row))))
		}
	}
	return h.Sum64()
}

// wanted tells whether rows of the key's output are wanted while they can still change.
func (fn *liveTablesFn) wanted(key string) bool {
	return fn.Tables.Config.Common.Live.Provisional[outputOf(key)]
}

// outputOf is the output of a key's table: the name of the table up to a dot.
func outputOf(key string) string {
	name, _, _ := strings.Cut(tableOf(key), ".")
	return name
}

// merge puts a key's parts together.
func (fn *liveTablesFn) merge(sp state.Provider, key string) (mergedTable, *table.Batch, error) {
	parts, _, err := fn.Parts.Read(sp)
	if err != nil {
		return nil, nil, err
	}
	into, err := fn.Tables.begin(key)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range parts {
		if err := mergePacked(into, p); err != nil {
			return nil, nil, err
		}
	}
	rows, err := into.rows(key, fn.Tables.Config.Common.revision)
	return into, rows, err
}

// compact keeps what was merged in place of the parts.
func (fn *liveTablesFn) compact(sp state.Provider, merged mergedTable) error {
	if err := fn.Parts.Clear(sp); err != nil {
		return err
	}
	for _, p := range merged.Parts() {
		packed, err := (&packer{}).pack(p.Blob)
		if err != nil {
			return err
		}
		if err := fn.Parts.Add(sp, packed); err != nil {
			return err
		}
	}
	return nil
}

// OnTimer seals a key's rows.
func (fn *liveTablesFn) OnTimer(_ context.Context, sp state.Provider, tp timers.Provider, key string, _ timers.Context, sealed, provisional func(table.Rows)) error {
	if err := fn.seal(sp, tp, key, sealed, provisional); err != nil {
		return failure.Note(fn.Tables.Config.Common.Run, fmt.Errorf("sealing %s: %w", key, err))
	}
	return nil
}

func (fn *liveTablesFn) seal(sp state.Provider, tp timers.Provider, key string, sealed, provisional func(table.Rows)) error {
	if _, err := fn.alarm().rang(sp, tp); err != nil {
		return err
	}
	end, err := spanEnd(key)
	if err != nil {
		return err
	}
	_, rows, err := fn.merge(sp, key)
	if err != nil {
		return err
	}
	if rows.Len() > 0 {
		sealed(table.Rows{Batch: rows, Group: fn.Tables.Config.Common.Live.group(end)})
		if fn.wanted(key) {
			provisional(table.Rows{Batch: rows, Kind: table.Sealed})
		}
	}
	return fn.Parts.Clear(sp)
}
