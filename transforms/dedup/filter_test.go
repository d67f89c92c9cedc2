package dedup

import (
	"fmt"
	"testing"
	"time"
)

func TestAFilterForgetsNoIDAndIsSeldomWrong(t *testing.T) {
	d, err := New(time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	const ids = 100_000
	for i := range ids {
		d.Add(IDOf(fmt.Append(nil, "id", i)), Order{Time: int64(i)})
	}
	f := d.Filter()
	wrong := 0
	for i := range ids {
		if !f.Has(IDOf(fmt.Append(nil, "id", i))) {
			t.Fatalf("id %d is forgotten", i)
		}
		if f.Has(IDOf(fmt.Append(nil, "other", i))) {
			wrong++
		}
	}
	if len(f) > 5*ids || f.Len() != ids || wrong > 1 {
		t.Errorf("%d bytes, wrong about %d of %d", len(f), wrong, ids)
	}
	if d.Latest() != ids-1 {
		t.Errorf("the last event is of %d", d.Latest())
	}
	if Filter(nil).Has(IDOf([]byte("x"))) || NewFilter(0).Has(IDOf([]byte("x"))) {
		t.Error("an empty filter has an id")
	}
}
