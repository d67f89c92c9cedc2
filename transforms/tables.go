package transforms

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"millrace/schemas/table"
	"millrace/transforms/rollup"
)

func init() {
	beam.RegisterType(reflect.TypeFor[tablesFn]())
	beam.RegisterType(reflect.TypeFor[ofSchemaFn]())
}

// TableConfig configures Tables.
type TableConfig struct {
	Common Common
	Set    string // of tables, see tableSets
	// Options are the set's, in JSON, which is how they travel.
	Options json.RawMessage
}

// tableSets are the sets of tables there are, each of them by name. A key of partials
// is the name of a table, a slash and the span that rollup.End reads.
var tableSets = map[string]func(options []byte) (map[string]mergedTable, error){
	"shop": newShopTables,
}

// mergedTable is a table whose partial results are merged and become rows.
type mergedTable interface {
	Parts() []rollup.Part
	Merge(blob []byte) error
	Reset()
	// rows are those of a key, of one schema.
	rows(key string, revision rollup.Revision) (*table.Batch, error)
}

// Tables merges partial aggregates, KV<table and window, encoded partial> in the global
// window, into rows, PCollection<table.Rows> of any of the set's schemas. In batch all
// rows are sealed. A live run also gives rows that can still change, of the outputs that
// Live.Provisional names, and after them the sealed ones.
func Tables(s beam.Scope, cfg TableConfig, partials beam.PCollection) (rows, provisional beam.PCollection) {
	s = s.Scope("Tables")
	if cfg.Common.Live != nil {
		return beam.ParDo2(s, newLiveTablesFn(cfg), partials)
	}
	return beam.ParDo(s, &tablesFn{Config: cfg}, beam.GroupByKey(s, partials)), beam.PCollection{}
}

// OfSchema leaves the rows of one schema, of PCollection<table.Rows>.
func OfSchema(s beam.Scope, schema *table.Schema, rows beam.PCollection) beam.PCollection {
	return beam.ParDo(s.Scope("OfSchema."+schema.Name), &ofSchemaFn{ID: schema.ID()}, rows)
}

type ofSchemaFn struct{ ID string }

func (fn *ofSchemaFn) ProcessElement(rows table.Rows, emit func(table.Rows)) {
	if rows.Batch.Schema().ID() == fn.ID {
		emit(rows)
	}
}

type tablesFn struct {
	Config TableConfig

	tables map[string]mergedTable
}

func (fn *tablesFn) Setup() (err error) {
	fn.tables, err = fn.Config.open()
	return err
}

// open makes the tables of the set, all empty.
func (c TableConfig) open() (map[string]mergedTable, error) {
	open, ok := tableSets[c.Set]
	if !ok {
		return nil, fmt.Errorf("there is no set of tables %q", c.Set)
	}
	return open(c.Options)
}

func (fn *tablesFn) ProcessElement(_ context.Context, key string, next func(*[]byte) bool, emit func(table.Rows)) error {
	into, err := fn.begin(key)
	if err != nil {
		return err
	}
	for b := []byte(nil); next(&b); b = nil {
		if err := mergePacked(into, b); err != nil {
			return fmt.Errorf("partial aggregates of %s: %w", key, err)
		}
	}
	rows, err := into.rows(key, fn.Config.Common.revision)
	if err == nil && rows.Len() > 0 {
		emit(table.Rows{Batch: rows})
	}
	return err
}

// begin gives the empty table that the partials of a key are merged into.
func (fn *tablesFn) begin(key string) (mergedTable, error) {
	into, err := tableIn(fn.tables, key)
	if err == nil {
		into.Reset()
	}
	return into, err
}

func tableIn(tables map[string]mergedTable, key string) (mergedTable, error) {
	into, ok := tables[tableOf(key)]
	if !ok {
		return nil, fmt.Errorf("partial aggregates of an unknown table %q", key)
	}
	return into, nil
}

// newTable gives a table of a key's own.
func (c TableConfig) newTable(key string) (mergedTable, error) {
	tables, err := c.open()
	if err != nil {
		return nil, err
	}
	return tableIn(tables, key)
}

func mergePacked(into mergedTable, packed []byte) error {
	blob, err := unpack(packed)
	if err != nil {
		return err
	}
	return into.Merge(blob)
}
