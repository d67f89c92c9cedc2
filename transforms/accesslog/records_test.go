package accesslog_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/badrow"
	"millrace/schemas/raw"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/transforms/accesslog"
)

// text renders the rows of a batch in their order.
func text(b *table.Batch) []string {
	var rows []string
	for _, row := range b.Sorted() {
		var cells []string
		for col, c := range b.Schema().Columns {
			switch {
			case b.Null(col, int(row)):
				cells = append(cells, "null")
			case c.Kind == table.String || c.Kind == table.Bytes:
				cells = append(cells, fmt.Sprintf("%q", b.Text(col, int(row))))
			case c.Kind == table.UUID:
				cells = append(cells, fmt.Sprintf("%x", b.UUID(col, int(row))))
			default:
				cells = append(cells, fmt.Sprint(b.Int(col, int(row))))
			}
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
	return rows
}

// shout seals by turning the bytes around, so that tests see what is stored.
func shout(dst, line []byte, _ record.Identity, _ string, _ int64) ([]byte, string) {
	for i := len(line) - 1; i >= 0; i-- {
		dst = append(dst, line[i])
	}
	return dst, "k9"
}

func unshout(dst, payload []byte, keyID string, _ record.Identity, _ string, _ int64) ([]byte, error) {
	if keyID != "k9" {
		return dst, errors.New("wrong key " + keyID)
	}
	dst, _ = shout(dst, payload, record.Identity{}, "", 0)
	return dst, nil
}

// archiveOf makes blocks of the raw rows of a batch, each row in a block of its
// own if it is oversize, the others together.
func archiveOf(b *table.Batch, order []int) []record.Block {
	rows := rowsOf[raw.Row](b)
	all := record.Block{Source: source, Name: "archive", Format: "combined", Ends: []int{}}
	var blocks []record.Block
	for _, i := range order {
		r := rows[i]
		into := &all
		if r.Length != nil {
			blocks = append(blocks, record.Block{Source: source, Name: "archive", Format: "combined", Oversize: *r.Length})
			into = &blocks[len(blocks)-1]
		}
		if r.KeyID != nil {
			into.KeyID = *r.KeyID
		}
		if r.ArrivalTime != nil {
			into.Arrival = *r.ArrivalTime
		}
		into.Data = append(into.Data, r.Payload...)
		into.Ends = append(into.Ends, len(into.Data))
		into.Positions = append(into.Positions, r.Position)
		into.Noted = append(into.Noted, int64(r.NotedTime))
	}
	return append(blocks, all)
}

func TestArchivedRecordsGiveTheRowsTheyGaveBefore(t *testing.T) {
	plain := func(dst, line []byte, _ record.Identity, _ string, _ int64) ([]byte, string) {
		return append(dst, line...), ""
	}
	for name, keep := range map[string]func([]byte, []byte, record.Identity, string, int64) ([]byte, string){"plain": plain, "sealed": shout} {
		for _, arrival := range []int64{0, 1_772_400_000_000} {
			t.Run(fmt.Sprintf("%s, arrival %d", name, arrival), func(t *testing.T) {
				w, _ := worker(accesslog.Config{Keep: keep})
				process(t, w, record.Block{Base: 500, Arrival: arrival},
					`bad "first`, line(1, "/a", "x")+"\r", "", line(2, "/b", "panic"), `bad "mid`, line(1, "/c?u=ann@example.com", "a bot"), line(9, "/late", "x"), `bad "last`)
				oversize := record.Block{Source: source, Name: "test.log", Format: "combined", Base: 9000, Data: []byte("203.0.113.9 - ["), Oversize: 5 << 20, Arrival: arrival}
				span, err := w.Lines(&oversize)
				if err != nil {
					t.Fatal(err)
				}
				w.Settle(span, 0)
				events, bad, _, archive := w.Take()
				wantLedger := w.TakeLedger()

				// Backwards: what a record becomes does not depend on its neighbours.
				var order []int
				for i := archive.Len() - 1; i >= 0; i-- {
					order = append(order, i)
				}
				again, _ := worker(accesslog.Config{Keep: keep, Open: unshout})
				for _, b := range archiveOf(archive, order) {
					span, err := again.Lines(&b)
					if err != nil {
						t.Fatal(err)
					}
					again.Settle(span, span.First)
				}
				gotEvents, gotBad, _, gotArchive := again.Take()
				for _, pair := range [][2]*table.Batch{{events, gotEvents}, {bad, gotBad}, {archive, gotArchive}} {
					if diff := cmp.Diff(text(pair[0]), text(pair[1])); diff != "" {
						t.Errorf("%s, -from the log +from the archive:\n%s", pair[0].Schema().Name, diff)
					}
				}
				if diff := cmp.Diff(wantLedger, again.TakeLedger()); diff != "" {
					t.Errorf("ledger, -from the log +from the archive:\n%s", diff)
				}
				if events.Len() < 2 || bad.Len() < 5 {
					t.Errorf("%d events and %d bad rows are too few to tell", events.Len(), bad.Len())
				}
			})
		}
	}
}

func TestARecordThatDoesNotOpenIsAnErrorAndNoBadRow(t *testing.T) {
	b := record.Block{Source: source, Name: "archive", Data: []byte("x"), Ends: []int{1}, Positions: []int64{77}, KeyID: "k8"}
	for name, c := range map[string]accesslog.Config{"nothing to open it with": {}, "wrong key k8": {Open: unshout}} {
		w, _ := worker(c)
		_, err := w.Lines(&b)
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "77") {
			t.Errorf("%s: %v", name, err)
		}
		if _, bad, _, _ := w.Take(); bad.Len() != 0 {
			t.Errorf("%s: %d bad rows", name, bad.Len())
		}
	}
}

func TestSealedRecordsWithoutATimeAreFiledUnderTheNearest(t *testing.T) {
	var b record.Block
	b.Source, b.Name, b.KeyID = source, "archive", "k9"
	for i, l := range []string{`first "bad`, `second "worse, longer`, line(3, "/", "x")} {
		b.Data, _ = shout(b.Data, []byte(l), record.Identity{}, "", 0)
		b.Ends, b.Positions = append(b.Ends, len(b.Data)), append(b.Positions, int64(i))
	}
	w, _ := worker(accesslog.Config{Open: unshout})
	span, err := w.Lines(&b)
	if err != nil {
		t.Fatal(err)
	}
	w.Settle(span, span.First)
	_, bad, _, _ := w.Take()
	for i, r := range rowsOf[badrow.Row](bad) {
		want := badrow.Skeleton([]byte([]string{`first "bad`, `second "worse, longer`}[i]))
		if r.Skeleton != want || int64(r.NotedTime) != span.First {
			t.Errorf("bad row %d: %+v, want skeleton %s at %d", i, r, want, span.First)
		}
	}
}

func TestArchivedDuplicatesAreCountedAndDropped(t *testing.T) {
	w, _ := worker(accesslog.Config{})
	b := record.Block{Source: source, Name: "archive", Data: bytes.Repeat([]byte("a"), 4), Ends: []int{1, 4}, Positions: []int64{5, 6}, Duplicate: true, KeyID: "unknown"}
	if _, err := w.Lines(&b); err != nil {
		t.Fatal(err)
	}
	events, bad, _, _ := w.Take()
	if l := w.TakeLedger(); l.In != 2 || l.Duplicate != 2 || !l.Balanced() || events.Len()+bad.Len() != 0 {
		t.Errorf("ledger %v, %d rows", l, events.Len()+bad.Len())
	}
}
