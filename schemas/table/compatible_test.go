package table_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/table"
)

type first struct {
	At   table.Millis `col:"at,sort1,day" doc:"d"`
	Name string       `col:"name" mask:"token" doc:"d"`
	Size *int64       `col:"size,null" doc:"d"`
}

func TestChangesThatOldRowsSurviveAreCompatible(t *testing.T) {
	for name, now := range map[string]any{
		"nothing": first{},
		"a new column with null, elsewhere, and documents": struct {
			New  *string      `col:"new,null" mask:"none" doc:"d"`
			Name string       `col:"name,plain" mask:"token" ecs:"user.name" doc:"who"`
			Size *int64       `col:"size,null" doc:"d"`
			At   table.Millis `col:"at,sort1,day" doc:"d"`
		}{},
		"a new column with null in the order": struct {
			At   table.Millis `col:"at,sort1,day" doc:"d"`
			Name string       `col:"name" mask:"token" doc:"d"`
			Size *int64       `col:"size,null" doc:"d"`
			New  *string      `col:"new,null,sort2" mask:"none" doc:"d"`
		}{},
		"two of them": struct {
			At    table.Millis `col:"at,sort1,day" doc:"d"`
			New   *string      `col:"new,null,sort2" mask:"none" doc:"d"`
			Name  string       `col:"name" mask:"token" doc:"d"`
			Size  *int64       `col:"size,null" doc:"d"`
			Newer *[]byte      `col:"newer,null,sort3" mask:"hash" doc:"d"`
		}{},
		"a column that now allows null": struct {
			At   table.Millis `col:"at,sort1,day" doc:"d"`
			Name *string      `col:"name,null" mask:"token" doc:"d"`
			Size *int64       `col:"size,null" doc:"d"`
		}{},
	} {
		if err := table.Compatible(schema(t, first{}, 1), schema(t, now, 1)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChangesThatOldRowsDoNotSurviveNeedANewVersion(t *testing.T) {
	for want, now := range map[string]any{
		"column size was removed": struct {
			At   table.Millis `col:"at,sort1,day" doc:"d"`
			Name string       `col:"name" mask:"token" doc:"d"`
		}{},
		"column size changed from int64 to int32": struct {
			At   table.Millis `col:"at,sort1,day" doc:"d"`
			Name string       `col:"name" mask:"token" doc:"d"`
			Size *int32       `col:"size,null" doc:"d"`
		}{},
		"column size no longer allows null": struct {
			At   table.Millis `col:"at,sort1,day" doc:"d"`
			Name string       `col:"name" mask:"token" doc:"d"`
			Size int64        `col:"size" doc:"d"`
		}{},
		`column name changed its mask class from "token" to "plain"`: struct {
			At   table.Millis `col:"at,sort1,day" doc:"d"`
			Name string       `col:"name" mask:"plain" doc:"d"`
			Size *int64       `col:"size,null" doc:"d"`
		}{},
		"new column new must allow null": struct {
			At   table.Millis `col:"at,sort1,day" doc:"d"`
			Name string       `col:"name" mask:"token" doc:"d"`
			Size *int64       `col:"size,null" doc:"d"`
			New  int64        `col:"new" doc:"d"`
		}{},
		"the day of a row was that of at and is that of day": struct {
			At   table.Millis `col:"at,sort1" doc:"d"`
			Name string       `col:"name" mask:"token" doc:"d"`
			Size *int64       `col:"size,null" doc:"d"`
			Day  table.Day    `col:"day,day" doc:"d"`
		}{},
		"rows were ordered by [at] and are by [name at]": struct {
			At   table.Millis `col:"at,sort2,day" doc:"d"`
			Name string       `col:"name,sort1" mask:"token" doc:"d"`
			Size *int64       `col:"size,null" doc:"d"`
		}{},
		"rows were ordered by [at] and are by [at name]": struct {
			At   table.Millis `col:"at,sort1,day" doc:"d"`
			Name string       `col:"name,sort2" mask:"token" doc:"d"`
			Size *int64       `col:"size,null" doc:"d"`
		}{},
		"rows were ordered by [at] and are by [new name at]": struct {
			At   table.Millis `col:"at,sort3,day" doc:"d"`
			Name string       `col:"name,sort2" mask:"token" doc:"d"`
			Size *int64       `col:"size,null" doc:"d"`
			New  string       `col:"new,sort1" mask:"none" doc:"d"`
		}{},
	} {
		old := schema(t, first{}, 1)
		err := table.Compatible(old, schema(t, now, 1))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "needs version 2") {
			t.Errorf("want a refusal with %q, got %v", want, err)
		}
		if err := table.Compatible(old, schema(t, now, 2)); err != nil {
			t.Errorf("%q in a new version: %v", want, err)
		}
	}
}

// TestTheOrderOfOldRowsDoesNotChange sorts rows by their schema and by a later
// one that has a new column in the order.
func TestTheOrderOfOldRowsDoesNotChange(t *testing.T) {
	type old struct {
		At   table.Millis `col:"at,sort1,day" doc:"d"`
		Name string       `col:"name,sort2" mask:"none" doc:"d"`
		N    int64        `col:"n,sort3" doc:"d"`
	}
	type now struct {
		At   table.Millis `col:"at,sort1,day" doc:"d"`
		Name string       `col:"name,sort2" mask:"none" doc:"d"`
		New  *string      `col:"new,null,sort3" mask:"none" doc:"d"`
		N    int64        `col:"n,sort4" doc:"d"`
	}
	was, is := schema(t, old{}, 1), schema(t, now{}, 1)
	if err := table.Compatible(was, is); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 3))
	before, after := table.NewBatch(was), table.NewBatch(is)
	for range 500 {
		row := old{At: table.Millis(rng.IntN(5)), Name: string(rune('a' + rng.IntN(3))), N: rng.Int64N(20)}
		before.Append(row)
		after.Append(now{At: row.At, Name: row.Name, N: row.N})
	}
	if diff := cmp.Diff(before.Sorted(), after.Sorted()); diff != "" {
		t.Errorf("order of rows (-old schema +new):\n%s", diff)
	}
}

func TestVersionsGoForwardAndKeepTheName(t *testing.T) {
	if err := table.Compatible(schema(t, first{}, 2), schema(t, first{}, 1)); err == nil {
		t.Error("a version went back")
	}
	other, err := table.Of(reflect.TypeFor[first](), "test.other", 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.Compatible(schema(t, first{}, 1), other); err == nil {
		t.Error("another schema passed as a version of the first")
	}
}

func schema(t *testing.T, row any, version int) *table.Schema {
	t.Helper()
	s, err := table.Of(reflect.TypeOf(row), "test.first", version)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestBatchesOfSavepointsStayReadable decodes what an earlier program wrote with
// fewer columns: batches lie in savepoints and beside the lake.
func TestBatchesOfSavepointsStayReadable(t *testing.T) {
	type row struct {
		At   table.Millis `col:"at,sort1,day" doc:"d"`
		Name *string      `col:"name,null" mask:"none" doc:"d"`
		N    *int64       `col:"n,null" doc:"d"`
	}
	s := table.MustOf[row]("test.columns", 1)
	name := "x"
	b := table.NewBatch(s)
	for i := range 3 {
		b.Append(&row{At: table.Millis(i), Name: &name})
	}
	now, err := b.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	// The last column's three nulls: three deltas of 0 and a byte of bits.
	old := append([]byte{}, now[:len(now)-4]...)
	at := 1 + 1 + len(s.ID()) + 1 // version, length and text of the schema, rows
	if old[at] != 3 {
		t.Fatalf("columns are not at %d: %x", at, old)
	}
	old[at] = 2
	got, err := table.Decode(old)
	if err != nil {
		t.Fatal(err)
	}
	back, err := got.MarshalBinary()
	if err != nil || !bytes.Equal(back, now) {
		t.Errorf("read as %x, %v; want %x", back, err, now)
	}
	later := append([]byte{}, now...)
	later[at] = 4
	if _, err := table.Decode(later); !errors.Is(err, table.ErrCorrupt) || !strings.Contains(err.Error(), "later program") {
		t.Errorf("more columns than there are: %v", err)
	}
	none := append([]byte{}, now...)
	none[at] = 0
	if _, err := table.Decode(none); !errors.Is(err, table.ErrCorrupt) {
		t.Errorf("a batch without its required column: %v", err)
	}
}
