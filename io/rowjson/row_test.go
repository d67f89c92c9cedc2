package rowjson

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/schemas/table"
)

type optional struct {
	At   table.Millis `col:"at,sort1,day" doc:"a time"`
	Text *string      `col:"text,null" mask:"none" doc:"a text"`
	Many *int64       `col:"many,null" doc:"a number"`
}

func schemaOf[T any](t testing.TB, name string) *table.Schema {
	t.Helper()
	s, err := table.Of(reflect.TypeFor[T](), name, 1)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestARowComesBackFromItsObject(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	schema := schemaOf[everything](t, "rowjson.everything")
	from, into := table.NewBatch(schema), table.NewBatch(schema)
	for range 500 {
		row := everything{
			At: table.Millis(rng.Int64N(4e12) - 1e12), Text: strings.Repeat("\"ä\n", rng.IntN(4)), Small: int32(rng.Uint32()), Large: rng.Int64() - rng.Int64(),
			Ratio: rng.NormFloat64(), Yes: rng.IntN(2) == 0, On: table.Day(rng.Int64N(40_000) - 10_000), Sealed: []byte{byte(rng.Uint32()), 0},
		}
		for i := range row.ID {
			row.ID[i] = byte(rng.Uint32())
		}
		from.Append(row)
		if err := ReadRow(into, AppendRow(nil, from, from.Len()-1)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range from.Len() {
		var want, got everything
		from.Row(i, &want)
		into.Row(i, &got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("row %d (-written +read):\n%s", i, diff)
		}
	}
}

func TestNullsAreLeftOutAndComeBack(t *testing.T) {
	schema := schemaOf[optional](t, "rowjson.optional")
	from, into := table.NewBatch(schema), table.NewBatch(schema)
	from.Append(optional{})
	text := AppendRow(nil, from, 0)
	if want := `{"at":"1970-01-01T00:00:00.000Z"}`; string(text) != want {
		t.Errorf("written as %s, want %s", text, want)
	}
	if err := ReadRow(into, text); err != nil || !into.Null(1, 0) || !into.Null(2, 0) {
		t.Errorf("read as %v, %v, %v", err, into.Null(1, 0), into.Null(2, 0))
	}
}

func TestWhatIsNoRowLeavesTheBatchAlone(t *testing.T) {
	schema := schemaOf[optional](t, "rowjson.optional")
	b := table.NewBatch(schema)
	b.Append(optional{})
	for text, want := range map[string]string{
		`{`:                  "unexpected end",
		`[]`:                 "cannot unmarshal array",
		`{"text":"x"}`:       "column at: it is missing",
		`{"at":"yesterday"}`: "column at",
		`{"at":5}`:           "column at",
		`{"at":"1970-01-01T00:00:00.000Z","many":"5"}`:                "column many",
		`{"at":"1970-01-01T00:00:00.000Z","many":5,"text":[1]}`:       "column text",
		`{"at":"1970-01-01T00:00:00.000Z","many":5,"another":"here"}`: "no column another",
	} {
		if err := ReadRow(b, []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if b.Len() != 1 || b.Check() != nil {
			t.Fatalf("%s: %d rows, %v", text, b.Len(), b.Check())
		}
	}
}

func FuzzReadRow(tf *testing.F) {
	f := mutate.Of(tf)
	f.Add([]byte(`{"id":"123e4567-e89b-52d3-a456-426614174000","at":"2025-03-03T11:06:40.007Z","text":"x","small":1,"large":2,"ratio":"NaN","yes":true,"on":"1969-12-31","sealed":"AP8="}`))
	f.Add([]byte(`{"id":"--------------------------------0000","at":"9999-12-31T23:59:59.999Z"}`))
	schema := schemaOf[everything](f, "rowjson.everything")
	f.Fuzz(func(t *testing.T, text []byte) {
		b := table.NewBatch(schema)
		if err := ReadRow(b, text); err != nil {
			if b.Len() != 0 {
				t.Fatalf("%v, and the batch has %d rows", err, b.Len())
			}
			return
		}
		once := AppendRow(nil, b, 0)
		if err := ReadRow(b, once); err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		if again := AppendRow(nil, b, 1); string(again) != string(once) {
			t.Fatalf("%s became %s", once, again)
		}
	})
}
