package table_test

import (
	"math/rand/v2"
	"testing"

	"millrace/schemas/table"
)

func TestRowsComeBackAsTheyWereAppended(t *testing.T) {
	eachSchema(t, func(t *testing.T, rng *rand.Rand, s *table.Schema, n int) {
		b, want := randomBatch(rng, s, n)
		check(t, b, want)
	})
}

func TestRowClearsWhatTheStructHeldBefore(t *testing.T) {
	note := "kept?"
	b := table.NewBatch(sparseSchema)
	b.Append(sparse{Time: 1, Name: "x"})
	got := sparse{Note: &note}
	if b.Row(0, &got); got.Note != nil {
		t.Errorf("a null left %q in place", *got.Note)
	}
}

func TestRowDoesNotShareMemoryWithTheBatch(t *testing.T) {
	b := table.NewBatch(everySchema)
	b.Append(every{Blob: []byte("abc")})
	var got every
	b.Row(0, &got)
	got.Blob[0] = 'z'
	if text, _ := everySchema.Index("blob"); string(b.Text(text, 0)) != "abc" {
		t.Errorf("changing a row changed the batch: %q", b.Text(text, 0))
	}
}

func TestAppendRefusesAnotherRowType(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a row of another type was appended")
		}
	}()
	table.NewBatch(sparseSchema).Append(every{})
}
