package table_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	// Every package with row types, so that table.All lists them.
	_ "millrace/schemas/badrow"
	_ "millrace/schemas/late"
	_ "millrace/schemas/raw"
	"millrace/schemas/table"
	_ "millrace/schemas/weblog"
)

// every has each kind of column twice: once with nulls, once without. Its order
// goes through text, a number, a truth value and a UUID.
type every struct {
	Time  table.Millis  `col:"time,sort2,day" doc:"d"`
	Name  string        `col:"name,sort1" mask:"none" doc:"d"`
	Flag  bool          `col:"flag,sort3" doc:"d"`
	ID    table.ID      `col:"id,sort4" doc:"d"`
	Small int32         `col:"small" doc:"d"`
	Big   int64         `col:"big" doc:"d"`
	Ratio float64       `col:"ratio" doc:"d"`
	Date  table.Day     `col:"date" doc:"d"`
	Blob  []byte        `col:"blob,plain" mask:"sealed" doc:"d"`
	Plain string        `col:"plain,plain" mask:"plain" doc:"d"`
	NTime *table.Millis `col:"ntime,null" doc:"d"`
	NName *string       `col:"nname,null" mask:"none" doc:"d"`
	NFlag *bool         `col:"nflag,null" doc:"d"`
	NID   *table.ID     `col:"nid,null" doc:"d"`
	NInt  *int32        `col:"nint,null" doc:"d"`
	NBig  *int64        `col:"nbig,null" doc:"d"`
	NReal *float64      `col:"nreal,null" doc:"d"`
	NDate *table.Day    `col:"ndate,null" doc:"d"`
	NBlob *[]byte       `col:"nblob,null" mask:"hash" doc:"d"`
}

// sparse sorts by number first, as nearly every real row type does.
type sparse struct {
	Time table.Millis `col:"time,sort1,day" doc:"d"`
	Name string       `col:"name,sort2" mask:"none" doc:"d"`
	Note *string      `col:"note,null,plain" mask:"none" doc:"d"`
}

// nullable has texts in its order that can be null, one of them without a
// dictionary.
type nullable struct {
	Time  table.Millis `col:"time,sort1,day" doc:"d"`
	Name  *string      `col:"name,null,sort2" mask:"none" doc:"d"`
	Plain *string      `col:"plain,null,sort3,plain" mask:"none" doc:"d"`
	N     int64        `col:"n,sort4" doc:"d"`
}

var (
	nullableSchema = table.MustOf[nullable]("test.nullable", 1)

	everySchema  = table.MustOf[every]("test.every", 1)
	sparseSchema = table.MustOf[sparse]("test.sparse", 1)
)

// randomRow fills a new row of the schema's type; the pointer is returned. Few
// distinct values, so that rows tie and texts repeat.
func randomRow(rng *rand.Rand, s *table.Schema) any {
	row := reflect.New(s.RowType())
	for _, f := range row.Elem().Fields() {
		if f.Kind() == reflect.Pointer {
			if rng.IntN(3) == 0 {
				continue
			}
			f.Set(reflect.New(f.Type().Elem()))
			f = f.Elem()
		}
		randomValue(rng, f)
	}
	return row.Interface()
}

func randomValue(rng *rand.Rand, f reflect.Value) {
	switch f.Kind() {
	case reflect.String:
		f.SetString([]string{"", "a", "/index.html", "grüße", fmt.Sprint(rng.IntN(50))}[rng.IntN(5)])
	case reflect.Slice:
		b := make([]byte, rng.IntN(9))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		f.SetBytes(b)
	case reflect.Array: // table.ID
		id := table.ID{0: byte(rng.IntN(3)), 15: byte(rng.Uint32())}
		f.Set(reflect.ValueOf(id))
	case reflect.Bool:
		f.SetBool(rng.IntN(2) == 0)
	case reflect.Float64:
		f.SetFloat([]float64{0, math.Copysign(0, -1), -1.5, math.Inf(1), math.MaxFloat64, rng.NormFloat64()}[rng.IntN(6)])
	case reflect.Int32:
		f.SetInt([]int64{0, -1, math.MaxInt32, math.MinInt32, rng.Int64N(9)}[rng.IntN(5)])
	default:
		f.SetInt([]int64{0, -1, math.MaxInt64, math.MinInt64, 1_700_000_000_000 + rng.Int64N(9)}[rng.IntN(5)])
	}
}

// randomBatch is a batch of n random rows, and the rows.
func randomBatch(rng *rand.Rand, s *table.Schema, n int) (*table.Batch, []any) {
	b, rows := table.NewBatch(s), make([]any, n)
	for i := range rows {
		rows[i] = randomRow(rng, s)
		b.Append(rows[i])
	}
	return b, rows
}

// rowsOf copies every row out of a batch.
func rowsOf(b *table.Batch) []any {
	rows := make([]any, b.Len())
	for i := range rows {
		row := reflect.New(b.Schema().RowType()).Interface()
		b.Row(i, row)
		rows[i] = row
	}
	return rows
}

// check compares the rows of a batch with what they should be.
func check(t *testing.T, b *table.Batch, want []any) {
	t.Helper()
	if err := b.Check(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, rowsOf(b), cmpopts.EquateEmpty(), cmpopts.EquateNaNs()); diff != "" {
		t.Fatalf("rows (-want +got):\n%s", diff)
	}
}

// eachSchema runs a property over every schema of the program and several sizes
// of batch.
func eachSchema(t *testing.T, property func(t *testing.T, rng *rand.Rand, s *table.Schema, n int)) {
	for i, s := range table.All() {
		t.Run(s.ID(), func(t *testing.T) {
			for seed, n := range []int{0, 1, 2, 7, 8, 9, 60, 150} {
				property(t, rand.New(rand.NewPCG(uint64(i), uint64(seed))), s, n)
			}
		})
	}
}
