package table_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"millrace/schemas/table"
)

// TestVersionsOfARowAreInOrderWhereAllAreKept, so that the same rows are the same
// bytes however they came.
func TestVersionsOfARowAreInOrderWhereAllAreKept(t *testing.T) {
	type row struct {
		At      table.Millis `col:"at,sort1,day" doc:"when"`
		ID      string       `col:"some_id,sort2" mask:"hash" doc:"which"`
		Version int64        `col:"version,history" doc:"the greater one wins"`
	}
	s, err := table.Of(reflect.TypeFor[row](), "test.history", 1)
	if err != nil {
		t.Fatal(err)
	}
	if version, ok := s.History(); !ok || version != 2 {
		t.Errorf("history in column %d, %t", version, ok)
	}
	b := table.NewBatch(s)
	for _, r := range []row{{2, "a", 2}, {2, "a", 1}, {1, "b", 9}, {2, "a", 3}} {
		b.Append(&r)
	}
	if got := b.Sorted(); !slices.Equal(got, []uint32{2, 1, 0, 3}) {
		t.Errorf("sorted %v", got)
	}
}

func TestOnlyAVersionHasAHistory(t *testing.T) {
	type row struct {
		At      table.Millis `col:"at,sort1,day,history" doc:"when"`
		Version int64        `col:"version" doc:"the greater one wins"`
	}
	if _, err := table.Of(reflect.TypeFor[row](), "test.nohistory", 1); err == nil || !strings.Contains(err.Error(), "history is an option of the column version") {
		t.Errorf("%v", err)
	}
	type plain struct {
		At      table.Millis `col:"at,sort1,day" doc:"when"`
		Version int64        `col:"version" doc:"the greater one wins"`
	}
	s, err := table.Of(reflect.TypeFor[plain](), "test.plain", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.History(); ok {
		t.Error("a version alone is no history")
	}
}
