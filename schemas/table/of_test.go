package table_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"millrace/schemas/pii"
	"millrace/schemas/table"
)

func TestASchemaFollowsTheStruct(t *testing.T) {
	type row struct {
		At    table.Millis `col:"at,sort2,day" ecs:"@timestamp" doc:"when"`
		Name  string       `col:"name,sort1" mask:"token" doc:"who"`
		Bytes *int64       `col:"bytes,null" doc:"how much"`
		Blob  []byte       `col:"blob,plain" mask:"sealed" doc:"what"`
	}
	s, err := table.Of(reflect.TypeFor[row](), "test.row", 3)
	if err != nil {
		t.Fatal(err)
	}
	want := []table.Column{
		{Name: "at", Kind: table.Time, Type: "timestamp", ECS: "@timestamp", Doc: "when"},
		{Name: "name", Kind: table.String, Type: "string", Mask: table.MaskToken, Doc: "who"},
		{Name: "bytes", Kind: table.Int64, Type: "int64", Null: true, Doc: "how much"},
		{Name: "blob", Kind: table.Bytes, Type: "bytes", Mask: table.MaskSealed, Doc: "what"},
	}
	if diff := cmp.Diff(want, s.Columns, cmpopts.IgnoreUnexported(table.Column{})); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{1, 0}, s.Order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if s.ID() != "test.row/3" || s.DayBy != 0 || s.RowType() != reflect.TypeFor[row]() || !s.Columns[3].Plain() || s.Columns[1].Plain() {
		t.Errorf("schema %+v", s)
	}
	if i, ok := s.Index("bytes"); i != 2 || !ok {
		t.Errorf("bytes is column %d, %t", i, ok)
	}
	if _, ok := s.Index("nobody"); ok {
		t.Error("a column that is not there was found")
	}
}

func TestAColumnMaySayItsPartInATimeSeries(t *testing.T) {
	type row struct {
		At table.Millis `col:"at,sort1,day" ts:"time" doc:"when"`
		N  int32        `col:"n,sort2" ts:"dimension" doc:"which"`
		V  int64        `col:"v" doc:"how much"`
	}
	s, err := table.Of(reflect.TypeFor[row](), "test.series", 1)
	if err != nil || s.Columns[0].Series != table.SeriesTime || s.Columns[1].Series != table.SeriesDimension || s.Columns[2].Series != "" {
		t.Errorf("%+v, %v", s, err)
	}
	// It is no part of what rows are: they can be read as before.
	type before struct {
		At table.Millis `col:"at,sort1,day" doc:"when"`
		N  int32        `col:"n,sort2" doc:"which"`
		V  int64        `col:"v" doc:"how much"`
	}
	old, err := table.Of(reflect.TypeFor[before](), "test.series", 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(table.Compatible(old, s), table.Compatible(s, old)); err != nil {
		t.Error(err)
	}
}

type inner struct{ Mail []pii.Text }

func TestStructsThatAreNoRowTypeAreRefused(t *testing.T) {
	type at = table.Millis
	for want, row := range map[string]any{
		"field B of struct": struct { // every fault names its field
			A at     `col:"a,sort1,day" doc:"d"`
			B string `col:"b" doc:"d"`
		}{},
		"no col tag": struct {
			A at    `col:"a,sort1,day" doc:"d"`
			B int32 `doc:"d"`
		}{},
		"no doc tag": struct {
			A at    `col:"a,sort1,day" doc:"d"`
			B int32 `col:"b"`
		}{},
		`declares its mask class, one of [none token truncated scanned skeleton hash sealed plain]; this one says ""`: struct {
			A at     `col:"a,sort1,day" doc:"d"`
			B string `col:"b" doc:"d"`
		}{},
		`this one says "secret"`: struct {
			A at     `col:"a,sort1,day" doc:"d"`
			B []byte `col:"b" mask:"secret" doc:"d"`
		}{},
		`mask class "none" on a int32`: struct {
			A at    `col:"a,sort1,day" doc:"d"`
			B int32 `col:"b" mask:"none" doc:"d"`
		}{},
		`its ts tag says "tag"; there are [time dimension id measure]`: struct {
			A at    `col:"a,sort1,day" doc:"d"`
			B int32 `col:"b" ts:"tag" doc:"d"`
		}{},
		`unknown option "nul"`: struct {
			A at    `col:"a,sort1,day" doc:"d"`
			B int32 `col:"b,nul" doc:"d"`
		}{},
		`column "a" exists already`: struct {
			A at    `col:"a,sort1,day" doc:"d"`
			B int32 `col:"a" doc:"d"`
		}{},
		"a pointer needs the option null": struct {
			A at     `col:"a,sort1,day" doc:"d"`
			B *int32 `col:"b" doc:"d"`
		}{},
		"the option null needs a pointer": struct {
			A at    `col:"a,sort1,day" doc:"d"`
			B int32 `col:"b,null" doc:"d"`
		}{},
		"type uint8 cannot be a column": struct {
			A at    `col:"a,sort1,day" doc:"d"`
			B uint8 `col:"b" doc:"d"`
		}{},
		"type **int64 cannot be a column": struct {
			A at      `col:"a,sort1,day" doc:"d"`
			B **int64 `col:"b,null" doc:"d"`
		}{},
		"a column's field is exported": struct {
			A at    `col:"a,sort1,day" doc:"d"`
			b int32 `col:"b" doc:"d"`
		}{},
		"no column has the option sort1": struct {
			A at `col:"a,day" doc:"d"`
		}{},
		"column b is sort3, but no column is sort2": struct {
			A at    `col:"a,sort1,day" doc:"d"`
			B int32 `col:"b,sort3" doc:"d"`
		}{},
		"column a is sort1 already": struct {
			A at    `col:"a,sort1,day" doc:"d"`
			B int32 `col:"b,sort1" doc:"d"`
		}{},
		"a float64 gives rows no order": struct {
			A at      `col:"a,sort1,day" doc:"d"`
			B float64 `col:"b,sort2" doc:"d"`
		}{},
		"a column that decides day or order holds no null": struct {
			A *at `col:"a,null,sort1,day" doc:"d"`
		}{},
		"unless it is a text from sort2 on": struct { // a number that is null reads as 0
			A at     `col:"a,sort1,day" doc:"d"`
			B *int64 `col:"b,null,sort2" doc:"d"`
		}{},
		"field C of": struct {
			A at      `col:"a,sort2,day" doc:"d"`
			C *string `col:"c,null,sort1" mask:"none" doc:"d"`
		}{},
		"no column has the option day": struct {
			A at `col:"a,sort1" doc:"d"`
		}{},
		"a second day column, after a": struct {
			A at `col:"a,sort1,day" doc:"d"`
			B at `col:"b,day" doc:"d"`
		}{},
		"the day column is a int64": struct {
			A int64 `col:"a,sort1,day" doc:"d"`
		}{},
		"a row is a struct, not int": 7,
	} {
		refused(t, reflect.TypeOf(row), want)
	}
	refused(t, nil, "a row is a struct, not <nil>")
}

// refused expects that Of refuses a type with an error that says so.
func refused(t *testing.T, row reflect.Type, want string) {
	t.Helper()
	s, err := table.Of(row, "test.bad", 1)
	if err == nil || s != nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "schema test.bad") {
		t.Errorf("want a refusal with %q, got %v", want, err)
	}
}

func TestATypeWithUnmaskedDataIsRefusedWithThePathToIt(t *testing.T) {
	type direct struct {
		A table.Millis `col:"a,sort1,day" doc:"d"`
		B pii.Text     `col:"b" mask:"none" doc:"d"`
	}
	type nested struct {
		A table.Millis      `col:"a,sort1,day" doc:"d"`
		B map[string]*inner `col:"b" doc:"d"`
	}
	refused(t, reflect.TypeFor[direct](), "direct.B is pii.Text")
	refused(t, reflect.TypeFor[nested](), "nested.B[value].Mail[] is pii.Text")
}

func TestAllFaultsOfAStructAreReportedTogether(t *testing.T) {
	_, err := table.Of(reflect.TypeFor[struct {
		A string `col:"a,odd"`
		B int    `col:"b,day" doc:"d"`
	}](), "", 0)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"name and a version", "no doc tag", "mask class", `"odd"`, "type int cannot", "no column has the option sort1"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "option day") {
		t.Errorf("a day column of a bad type was reported as missing: %v", err)
	}
}

func TestMustOfStopsAProgramWithABadRowType(t *testing.T) {
	type bad struct {
		A table.Millis `col:"a,sort1,day" doc:"d"`
		B string       `col:"b" doc:"d"`
	}
	defer func() {
		if err, _ := recover().(error); err == nil || !strings.Contains(err.Error(), "mask class") {
			t.Errorf("the program goes on: %v", err)
		}
		if _, known := table.Lookup("test.bad/1"); known {
			t.Error("the bad schema is known")
		}
	}()
	table.MustOf[bad]("test.bad", 1)
}

func TestAnIDStandsForOneRowType(t *testing.T) {
	if again := table.MustOf[sparse]("test.sparse", 1); again != sparseSchema {
		t.Error("the same schema twice is two schemas")
	}
	defer func() {
		if recover() == nil {
			t.Error("another row type took the ID test.sparse/1")
		}
		if s, ok := table.Lookup("test.sparse/1"); !ok || s != sparseSchema {
			t.Error("the first schema is gone")
		}
	}()
	table.MustOf[every]("test.sparse", 1)
}

func TestKindsHaveNames(t *testing.T) {
	if got := table.Kind(99).String(); got != "kind(99)" {
		t.Errorf("an unknown kind is called %q", got)
	}
	if got := table.UUID.String(); got != "uuid" {
		t.Errorf("UUID is called %q", got)
	}
}

func TestEveryMaskClassExplainsItself(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range table.MaskClasses() {
		if m.Doc() == "" || seen[m.Doc()] {
			t.Errorf("mask class %s is explained as %q", m, m.Doc())
		}
		seen[m.Doc()] = true
	}
	if len(seen) != 8 || table.MaskClass("x").Doc() != "" {
		t.Errorf("%d mask classes", len(seen))
	}
}
