package lakeio

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/table"
)

func TestRowsOfALakeAreReadBack(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		rolls := []testRoll{newRoll(1, 0, 950, 1, 2), newRoll(1, 1, 300, 2)}
		for _, r := range rolls {
			writeRoll(t, s, r)
		}
		c, err := LoadCurrent(t.Context(), s, "events")
		if err != nil {
			t.Fatal(err)
		}
		rows := []number{}
		for _, day := range c.Days {
			for _, f := range day.Files {
				file, err := OpenObject(t.Context(), s, f.Key)
				if err != nil {
					t.Fatal(err)
				}
				err = ReadRows(t.Context(), file, numbers, func(b *table.Batch) error {
					for i := range b.Len() {
						var n number
						b.Row(i, &n)
						rows = append(rows, n)
					}
					return b.Check()
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		sortNumbers(rows)
		if diff := cmp.Diff(rowsOfRolls(rolls...), rows); diff != "" {
			t.Errorf("rows (-written +read):\n%s", diff)
		}
	})
}
