package lakeio

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/io/driver"
	"millrace/schemas/refused"
	"millrace/schemas/table"
)

// refusals are batches of refused rows with ids of a span, a day each ten.
func refusals(from, to int) []*table.Batch {
	var list []*table.Batch
	for n := from; n < to; n++ {
		if (n-from)%7 == 0 {
			list = append(list, table.NewBatch(refused.Rows))
		}
		list[len(list)-1].Append(refused.Row{RefusedID: table.ID{byte(n >> 8), byte(n)}, RowTime: table.Millis(int64(n/10) * dayMs), Row: fmt.Sprint(n)})
	}
	return list
}

func openRefused(t *testing.T, s Store) *Live {
	t.Helper()
	l, err := LiveWriting{Run: "live", Schemas: map[string]string{"refused": refused.Rows.ID()}}.open(s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// refusedIn are the rows that a reader finds.
func refusedIn(t *testing.T, s Store) []string {
	t.Helper()
	c, err := LoadCurrent(t.Context(), s, "refused")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, d := range c.Days {
		for _, f := range d.Files {
			for _, r := range decodeFile[refused.Row](t, []byte(content(t, s, f.Key))) {
				rows = append(rows, fmt.Sprintf("%05s", r.Row))
			}
		}
	}
	slices.Sort(rows)
	return rows
}

func numbered(from, to int) (rows []string) {
	for n := from; n < to; n++ {
		rows = append(rows, fmt.Sprintf("%05d", n))
	}
	return rows
}

func TestAppendedRowsAreThereOnceWhateverComesAgain(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		l := openRefused(t, s)
		for i, span := range [][2]int{{0, 40}, {0, 40}, {10, 55}, {0, 3}, {54, 60}, {0, 60}} {
			written := int64(0)
			done, err := l.Append(t.Context(), "refused", "600000", refusals(span[0], span[1]))
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range done.Rows {
				written += n
			}
			if want := []int64{40, 0, 15, 0, 5, 0}[i]; written != want {
				t.Errorf("call %d wrote %d rows, want %d", i, written, want)
			}
		}
		if diff := cmp.Diff(numbered(0, 60), refusedIn(t, s)); diff != "" {
			t.Errorf("rows (-want +there):\n%s", diff)
		}
	})
}

func TestWritersThatAppendSideBySide(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		var writers sync.WaitGroup
		for n := range 4 {
			writers.Go(func() {
				if _, err := openRefused(t, s).Append(t.Context(), "refused", "600000", refusals(10*n, 10*n+30)); err != nil {
					t.Error(err)
				}
			})
		}
		writers.Wait()
		if diff := cmp.Diff(numbered(0, 60), refusedIn(t, s)); diff != "" {
			t.Errorf("rows (-want +there):\n%s", diff)
		}
	})
}

// TestRowsThatWereNotAppendedAreNoSuccess: a store can refuse a record without that another is there.
func TestRowsThatWereNotAppendedAreNoSuccess(t *testing.T) {
	s := openStore(t, t.TempDir())
	refuses := watch(s, func(step string) error {
		if strings.Contains(step, sealedDir) {
			return &driver.Error{Doing: "write", Object: s.Name(""), Class: driver.ErrConflict}
		}
		return nil
	}, quiet)
	if done, err := openRefused(t, refuses).Append(t.Context(), "refused", "600000", refusals(0, 5)); !errors.Is(err, driver.ErrConflict) {
		t.Errorf("%+v, %v", done, err)
	}
	if _, err := openRefused(t, s).Append(t.Context(), "refused", "600000", refusals(0, 5)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(numbered(0, 5), refusedIn(t, s)); diff != "" {
		t.Errorf("rows (-want +there):\n%s", diff)
	}
}

func TestWhatCannotBeAppendedIsRefused(t *testing.T) {
	s := openStore(t, t.TempDir())
	if _, err := openLive(t, s).Append(t.Context(), "events", "600000", nil); err == nil {
		t.Error("rows without an id are appended")
	}
	for _, group := range []string{"", "x", "1.5"} {
		if _, err := openRefused(t, s).Append(t.Context(), "refused", group, refusals(0, 1)); err == nil {
			t.Errorf("%q is a group", group)
		}
	}
}
