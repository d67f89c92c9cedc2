package iotest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/schemas/pii"
	"millrace/schemas/table"
)

func writesOnce(t *testing.T, h SinkHarness) {
	p := h.New(t)
	rows := makeRows(1, 1, 0, 1, -1)
	p.mustWrite(t, "run-a", rows, 70)
	p.check(t, "written", rows)
	other := h.New(t)
	other.mustWrite(t, "run-a", shuffled(1, rows), len(rows))
	other.check(t, "written in another order", rows)
	checkBytes(t, "written in another order", p.bytes(t, h.Can), other.bytes(t, h.Can))
}

func repeats(t *testing.T, h SinkHarness) {
	p := h.New(t)
	rows := makeRows(2, 1, 0, 1)
	p.mustWrite(t, "run-a", rows, 100)
	first := p.bytes(t, h.Can)
	p.mustWrite(t, "run-a", rows, 100)
	p.check(t, "the same once more", rows)
	p.mustWrite(t, "run-a", shuffled(2, rows), 33)
	p.check(t, "in another order", rows)
	checkBytes(t, "after repetitions", first, p.bytes(t, h.Can))
}

func appends(t *testing.T, h SinkHarness) {
	p := h.New(t)
	rows := makeRows(2, 1, 0, 1)
	p.mustWrite(t, "run-a", rows, 100)
	p.mustWrite(t, "run-b", shuffled(2, rows), 33)
	p.check(t, "written twice", slices.Concat(rows, rows))
}

func writesNothing(t *testing.T, h SinkHarness) {
	p := h.New(t)
	p.mustWrite(t, "run-a", nil, 1)
	p.check(t, "nothing written", nil)
	checkBytes(t, "nothing written", nil, p.bytes(t, h.Can))
	rows := makeRows(3, 1, 0)
	p.mustWrite(t, "run-a", rows, 100)
	p.mustWrite(t, "run-b", nil, 1)
	p.check(t, "nothing written beside rows", rows)
}

// asksNothing: neither opening a sink nor a batch without rows reaches the server.
func asksNothing(t *testing.T, h SinkHarness) {
	p := h.New(t)
	meter := testenv.NewMeter(t, p.Server)
	w := p.Via(t, meter.Addr).open(t, "run-a")
	if err := w.Write(t.Context(), table.NewBatch(SinkRows)); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if met := meter.Met(); met.Opened > 0 {
		t.Errorf("%d connections for no rows", met.Opened)
	}
	p.check(t, "nothing written", nil)
}

func versions(t *testing.T, h SinkHarness) {
	old := makeRows(4, 1, 0, 1)
	newer := slices.Clone(old[:len(old)/2])
	for i := range newer {
		note := "newer"
		newer[i].Version, newer[i].Note = 2, &note
	}
	want := slices.Concat(newer, old[len(newer):])
	for name, order := range map[string][][]SinkRow{"newer last": {old, newer}, "newer first": {newer, old}, "together": {shuffled(4, slices.Concat(old, newer))}} {
		p := h.New(t)
		for i, rows := range order {
			p.mustWrite(t, string(rune('a'+i)), rows, 90)
		}
		p.check(t, name, want)
	}
}

func replaces(t *testing.T, h SinkHarness) {
	p := h.New(t)
	first, second := makeRows(5, 1, 0, 1), makeRows(6, 2, 1, 2)
	p.mustWrite(t, "run-a", first, 100)
	p.mustWrite(t, "run-b", shuffled(5, second), 50)
	want := slices.Concat(ofDay(first, 0), second)
	p.check(t, "another run", want)
	stored := p.bytes(t, h.Can)
	p.mustWrite(t, "run-b", second, 100)
	p.check(t, "and again", want)
	checkBytes(t, "and again", stored, p.bytes(t, h.Can))
}

func ofDay(rows []SinkRow, day int64) []SinkRow {
	return slices.DeleteFunc(slices.Clone(rows), func(r SinkRow) bool { return table.FloorDay(int64(r.At)) != day })
}

var errFault = errors.New("a fault of the test")

// fails lets one change after the other fail, until a writing has no more.
func fails(t *testing.T, h SinkHarness) {
	before, rows := makeRows(7, 1, 0), makeRows(8, 2, 1, 2)
	undisturbed := h.New(t)
	undisturbed.mustWrite(t, "run-a", before, 100)
	undisturbed.mustWrite(t, "run-b", rows, 100)
	want, after := undisturbed.bytes(t, h.Can), undisturbed.Read(t)
	for n := 0; ; n++ {
		p := h.New(t)
		p.mustWrite(t, "run-a", before, 100)
		steps := 0
		p.Watch(func() error {
			if steps++; steps == n+1 {
				return errFault
			}
			return nil
		})
		err := p.write(t.Context(), "run-b", rows, 100)
		p.Watch(nil)
		if err != nil && !errors.Is(err, errFault) {
			t.Fatalf("the fault at change %d is lost: %v", n, err)
		}
		if now := p.Read(t); len(now) == len(before) && err != nil {
			p.check(t, "after a fault", before)
		} else {
			p.check(t, "after a fault", after)
		}
		p.mustWrite(t, "run-b", rows, 100)
		p.check(t, "repeated after a fault", after)
		checkBytes(t, "repeated after a fault", want, p.bytes(t, h.Can))
		if err == nil && steps <= n {
			if n == 0 {
				t.Error("a writing changes nothing that Watch sees")
			}
			return
		}
	}
}

func cancels(t *testing.T, h SinkHarness) {
	p := h.New(t)
	rows := makeRows(9, 1, 0, 1)
	ctx, cancel := context.WithCancel(t.Context())
	w, err := p.begin(ctx, "run-a", driver.SinkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	list := batches(rows, 100)
	if err := w.Write(ctx, list[0]); err != nil {
		t.Fatal(err)
	}
	cancel()
	for _, b := range list[1:] {
		if err = w.Write(ctx, b); err != nil {
			break
		}
	}
	if err == nil {
		err = w.Finish(ctx)
	} else {
		w.Abort()
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if h.Can.Whole {
		p.check(t, "cancelled", nil)
	}
	p.mustWrite(t, "run-a", rows, 100)
	p.checkWritten(t, h.Can, "written after all", rows)
}

func excludes(t *testing.T, h SinkHarness) {
	p := h.New(t)
	rows := makeRows(10, 1, 0)
	w := p.open(t, "run-a")
	if err := w.Write(t.Context(), batches(rows, len(rows))[0]); err != nil {
		t.Fatal(err)
	}
	if second, err := p.begin(t.Context(), "run-b", driver.SinkOptions{}); !errors.Is(err, driver.ErrBusy) {
		t.Errorf("a second writer gets %v, %v", second, err)
	}
	if err := w.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.check(t, "the first writer's rows", rows)
	w = p.open(t, "run-b")
	w.Abort()
	p.open(t, "run-c").Abort()
	p.check(t, "after writers that gave up", rows)
}

// Types that a sink must refuse, whatever else is in them.
type (
	unmasked struct {
		At  table.Millis `col:"at,sort1,day" doc:"time"`
		Who pii.Text     `col:"who" mask:"none" doc:"an address"`
	}
	unmaskedPointer struct {
		At  table.Millis `col:"at,sort1,day" doc:"time"`
		Who *pii.Text    `col:"who,null" mask:"none" doc:"an address"`
	}
	unmaskedList struct {
		At  table.Millis `col:"at,sort1,day" doc:"time"`
		Who []pii.Text   `col:"who" mask:"none" doc:"addresses"`
	}
	unmaskedWithin struct {
		At    table.Millis          `col:"at,sort1,day" doc:"time"`
		Inner map[string][]unmasked `col:"inner" doc:"something that holds one"`
	}
)

func refusesUnmasked(t *testing.T, h SinkHarness) {
	for _, element := range []reflect.Type{
		reflect.TypeFor[unmasked](), reflect.TypeFor[unmaskedPointer](), reflect.TypeFor[unmaskedList](), reflect.TypeFor[unmaskedWithin](), reflect.TypeFor[pii.Text](),
	} {
		if err := h.Refuse(element); err == nil {
			t.Errorf("%v is accepted", element)
		}
	}
	if err := h.Refuse(reflect.TypeFor[SinkRow]()); err != nil {
		t.Errorf("a row of the suite is refused: %v", err)
	}
}
