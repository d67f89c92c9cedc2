package lakeio

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/table"
)

func allOf(b *table.Batch) []uint32 {
	rows := make([]uint32, b.Len())
	for i := range rows {
		rows[i] = uint32(i)
	}
	return rows
}

// awkwardBatch has distinct rows of any schema.
func awkwardBatch(s *table.Schema, seed uint64, n int) *table.Batch {
	b, r := table.NewBatch(s), seeded(seed)
	for range n {
		row := reflect.New(s.RowType())
		awkward(r, s, row.Elem(), 16_000)
		b.Append(row.Interface())
	}
	return b
}

func TestADigestIsOfTheRowsAndNotOfTheirOrder(t *testing.T) {
	for name, s := range lakeSchemas {
		b := awkwardBatch(s, 1, 200)
		whole := digest(b, allOf(b))
		r := seeded(2)
		rows := allOf(b)
		r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		cut := r.IntN(len(rows))
		if digest(b, rows) != whole || digest(b, rows[:cut])+digest(b, rows[cut:]) != whole {
			t.Errorf("%s: the digest depends on order or cut", name)
		}
		copied := table.NewBatch(s)
		copied.Gather(b, rows)
		if digest(copied, allOf(copied)) != whole {
			t.Errorf("%s: the digest depends on the dictionaries", name)
		}
		if digest(b, rows[1:]) == whole {
			t.Errorf("%s: a missing row does not show", name)
		}
	}
}

func TestADigestShowsEachValueThatChanges(t *testing.T) {
	for name, s := range lakeSchemas {
		for col, c := range s.Columns {
			b, other := awkwardBatch(s, 3, 5), awkwardBatch(s, 4, 40)
			before := digest(b, allOf(b))
			row, donor := reflect.New(s.RowType()), reflect.New(s.RowType())
			changed := 0
			for i := range other.Len() {
				b.Row(2, row.Interface())
				other.Row(i, donor.Interface())
				if cmp.Equal(row.Elem().Field(col).Interface(), donor.Elem().Field(col).Interface()) {
					continue
				}
				row.Elem().Field(col).Set(donor.Elem().Field(col))
				replaced := table.NewBatch(s)
				for k := range b.Len() {
					if k == 2 {
						replaced.Append(row.Interface())
						continue
					}
					same := reflect.New(s.RowType())
					b.Row(k, same.Interface())
					replaced.Append(same.Interface())
				}
				changed++
				if digest(replaced, allOf(replaced)) == before {
					t.Errorf("%s: another value of %s does not show: %v", name, c.Name, row.Elem().Field(col))
				}
			}
			if changed == 0 && c.Kind != table.Date {
				t.Errorf("%s: %s never changed", name, c.Name)
			}
		}
	}
}

func TestConcatKeepsEveryRow(t *testing.T) {
	for name, s := range lakeSchemas {
		var batches []*table.Batch
		var want []any
		for seed := range uint64(4) {
			b := awkwardBatch(s, seed, int(seed)*30)
			batches = append(batches, b)
			for i := range b.Len() {
				row := reflect.New(s.RowType())
				b.Row(i, row.Interface())
				want = append(want, row.Elem().Interface())
			}
		}
		all := concat(s, batches)
		if err := all.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got []any
		for i := range all.Len() {
			row := reflect.New(s.RowType())
			all.Row(i, row.Interface())
			got = append(got, row.Elem().Interface())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
