// Package transforms puts the ideas of its subfolders on Beam: DoFns, their
// registration and the PTransforms that jobs are made of. It holds no algorithm.
package transforms

import (
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"millrace/schemas/record"
	"millrace/schemas/table"
)

// DoFns are registered by type, not by the generics of package register: those
// save microseconds of reflection an element, which is a block here, and cost
// gigabytes and minutes of the compiler. What is called for each row, or passed
// through by others, is registered with them.
func init() {
	beam.RegisterCoder(reflect.TypeFor[record.Block](), record.Encode, record.Decode)
	beam.RegisterCoder(reflect.TypeFor[table.Rows](), table.EncodeRows, table.DecodeRows)
	register.Emitter1[table.Rows]()
	register.Emitter2[string, []byte]()
	register.Iter1[[]byte]()
}

// Outputs are what a job produces.
type Outputs struct {
	Rows map[string]beam.PCollection // PCollection<table.Rows> by output name
	// Provisional, of a live run, has rows of the outputs that Live.Provisional
	// names: first as they can still change, at last as they are sealed. The schema
	// of a batch tells the output.
	Provisional []beam.PCollection
	// Ledger is a PCollection<[]byte>: ledgers in JSON, to be summed; in a live run
	// those of parts of rolls.
	Ledger beam.PCollection
}
