package iotest

import (
	"errors"
	"slices"
	"testing"

	"millrace/io/driver"
	"millrace/schemas/table"
)

// refusals gathers what a sink refuses.
type refusals struct{ rows []driver.RefusedRow }

func (r *refusals) options() driver.SinkOptions {
	return driver.SinkOptions{Refused: func(row driver.RefusedRow) { r.rows = append(r.rows, row) }}
}

// check compares with the rows that were to be refused, each once.
func (r *refusals) check(t *testing.T, want []SinkRow) {
	t.Helper()
	var got []SinkRow
	for _, refused := range r.rows {
		if refused.Rows.Batch.Len() != 1 {
			t.Fatalf("%d rows are refused as one", refused.Rows.Batch.Len())
		}
		var row SinkRow
		refused.Rows.Batch.Row(0, &row)
		got = append(got, row)
		if refused.Reason == "" || refused.Err == nil || len(refused.Err.Error()) > 1000 {
			t.Errorf("a row is refused for %q, %.2000v", refused.Reason, refused.Err)
		}
	}
	compare(t, "refused", sorted(want), sorted(got))
}

// several makes n rows, numbered from a number on.
func several(of func(n int) SinkRow, from, n int) (rows []SinkRow) {
	for i := range n {
		rows = append(rows, of(from+i))
	}
	return rows
}

// among puts bad rows before, behind and amid good ones, two of them side by side.
func among(rows, bad []SinkRow) []SinkRow {
	mixed := slices.Insert(slices.Clone(rows), len(rows)/2, bad[1:len(bad)-1]...)
	return append(append([]SinkRow{bad[0]}, mixed...), bad[len(bad)-1])
}

func refusesPoison(t *testing.T, h SinkHarness) {
	p := h.New(t)
	rows, bad := makeRows(30, 1, 0), several(p.Poison, 0, 4)
	var refused refusals
	if err := p.writeWith(t.Context(), "run-a", refused.options(), batches(among(rows, bad), 100)); err != nil {
		t.Fatal(err)
	}
	refused.check(t, bad)
	for _, r := range refused.rows {
		if r.Attempts < 1 || r.Reason != driver.RefusedInvalid {
			t.Errorf("a row that the server refuses is told of as %s after %d calls: %v", r.Reason, r.Attempts, r.Err)
		}
	}
	p.checkWritten(t, h.Can, "beside refused rows", rows)
}

// goesOnPastPoison: of the batches some have no row that the server takes.
func goesOnPastPoison(t *testing.T, h SinkHarness) {
	p := h.New(t)
	rows, bad := makeRows(31, 1, 0), several(p.Poison, 0, 20)
	var list []*table.Batch
	for i, b := range batches(rows, 30) {
		list = append(list, batches(bad[2*i:2*i+2], 2)...)
		list = append(list, b)
	}
	var refused refusals
	if err := p.writeWith(t.Context(), "run-a", refused.options(), list); err != nil {
		t.Fatal(err)
	}
	refused.check(t, bad)
	p.checkWritten(t, h.Can, "among refused batches", rows)
}

func refusesTooLarge(t *testing.T, h SinkHarness) {
	p := h.New(t)
	rows, bad := makeRows(32, 1, 0), several(p.TooLarge, 0, 4)
	var refused refusals
	if err := p.writeWith(t.Context(), "run-a", refused.options(), batches(among(rows, bad), 100)); err != nil {
		t.Fatal(err)
	}
	refused.check(t, bad)
	for _, r := range refused.rows {
		if r.Attempts != 0 || r.Reason != driver.RefusedTooLarge {
			t.Errorf("a row that is too large is told of as %s after %d calls: %v", r.Reason, r.Attempts, r.Err)
		}
	}
	p.checkWritten(t, h.Can, "beside refused rows", rows)
}

// dropsNothing: without anybody to tell of it, a refused row is an error. Whoever
// then takes refused rows can repeat all of them.
func dropsNothing(t *testing.T, h SinkHarness) {
	for name, of := range map[string]func(SinkPlace) func(int) SinkRow{
		"refused by the server": func(p SinkPlace) func(int) SinkRow { return p.Poison },
		"too large":             func(p SinkPlace) func(int) SinkRow { return p.TooLarge },
	} {
		p := h.New(t)
		if of(p) == nil {
			continue
		}
		rows, bad := makeRows(33, 1, 0), several(of(p), 0, 4)
		mixed := batches(among(rows, bad), 100)
		if err := p.writeWith(t.Context(), "run-a", driver.SinkOptions{}, mixed); !errors.Is(err, driver.ErrInvalid) {
			t.Errorf("%s, and nobody takes it: the error is %v", name, err)
		}
		var refused refusals
		if err := p.writeWith(t.Context(), "run-a", refused.options(), mixed); err != nil {
			t.Fatal(err)
		}
		refused.check(t, bad)
		p.checkWritten(t, h.Can, name+", written after all", rows)
	}
}
