package accesslog_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/badrow"
	"millrace/schemas/late"
	"millrace/schemas/ledger"
	"millrace/schemas/raw"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/schemas/weblog"
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
		if r.Sequence != nil {
			into.Sequences = append(into.Sequences, *r.Sequence)
		}
		if r.ArrivalTime != nil {
			into.Arrivals = append(into.Arrivals, *r.ArrivalTime)
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

// delivery is a block of a stream: lines in stream records of three at most, each
// a minute after the one before.
func delivery(lines ...string) record.Block {
	b := record.Block{Source: source, Name: "access-logs/shard 0", Format: "combined", Ends: []int{}}
	for i, l := range lines {
		b.Data = append(b.Data, l...)
		b.Ends, b.Positions = append(b.Ends, len(b.Data)), append(b.Positions, int64(i%3))
		b.Sequences = append(b.Sequences, record.Sequence(fmt.Sprint(100+i/3)))
		b.Arrivals = append(b.Arrivals, noon+int64(i/3)*60_000)
	}
	return b
}

// noon is 2026-03-02T12:00:00Z, when the lines of day 2 are two hours old.
const noon = int64(20514)*86_400_000 + 43_200_000

// lines runs a block through a worker.
func lines(t *testing.T, w *accesslog.Worker, b record.Block) {
	t.Helper()
	encoded, err := record.Encode(b)
	if err != nil {
		t.Fatal(err)
	}
	if b, err = record.Decode(encoded); err != nil {
		t.Fatal(err)
	}
	span, err := w.Lines(&b)
	if err != nil {
		t.Fatal(err)
	}
	w.Settle(span, span.First)
}

func TestRecordsOfAStreamKnowTheirOrigin(t *testing.T) {
	w, _ := worker(accesslog.Config{Keep: shout})
	var sources []string
	w.Visit = func(e *accesslog.Event) { sources = append(sources, e.Source) }
	lines(t, w, delivery(line(2, "/a", "x"), `bad "`, line(2, "/b", "x"), line(2, "/c", "x")))
	events, bad, _, archive := w.Take()
	id, err := record.ParseIdentity(source)
	if err != nil {
		t.Fatal(err)
	}
	first, second := record.Sequence("100"), record.Sequence("101")
	type origin struct {
		id       table.ID
		sequence string
		position int64
	}
	var got []origin
	for _, e := range rowsOf[weblog.Event](events) {
		got = append(got, origin{e.EventID, *e.Sequence, e.Position})
	}
	for _, r := range rowsOf[badrow.Row](bad) {
		got = append(got, origin{r.BadRowID, *r.Sequence, r.Position})
		if int64(r.NotedTime) != noon {
			t.Errorf("a bad row is filed under %d, not its arrival %d", r.NotedTime, noon)
		}
	}
	var want []origin
	for _, o := range []origin{{sequence: first}, {sequence: first, position: 2}, {sequence: second}, {sequence: first, position: 1}} {
		want = append(want, origin{record.EventID(id, o.sequence, o.position), o.sequence, o.position})
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(origin{})); diff != "" {
		t.Errorf("origins of events and bad rows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{source + "/" + first, source + "/" + first, source + "/" + second}, sources); diff != "" {
		t.Errorf("sources that order events (-want +got):\n%s", diff)
	}
	for i, r := range rowsOf[raw.Row](archive) {
		if want := noon + int64(i/3)*60_000; *r.ArrivalTime != want || int64(r.NotedTime) != want || *r.Sequence != record.Sequence(fmt.Sprint(100+i/3)) || r.Position != int64(i%3) {
			t.Errorf("raw row %d: %+v", i, r)
		}
	}
	// What follows from a file has none of it.
	process(t, w, record.Block{Base: 5}, line(2, "/", "x"))
	events, _, _, archive = w.Take()
	if e, r := rowsOf[weblog.Event](events)[0], rowsOf[raw.Row](archive)[0]; e.Sequence != nil || e.Late || r.Sequence != nil || r.ArrivalTime != nil || sources[len(sources)-1] != source || e.EventID != record.EventID(id, "", 5) {
		t.Errorf("a line of a file: %+v, %+v, source %s", e, r, sources[len(sources)-1])
	}
}

func TestEveryRecordIsBoundedByItsOwnArrival(t *testing.T) {
	w, _ := worker(accesslog.Config{})
	b := delivery(line(4, "/early", "x"), line(4, "/in time", "x"))
	b.Arrivals[1] += 86_400_000
	lines(t, w, b)
	events, bad, _, _ := w.Take()
	if events.Len() != 1 || bad.Len() != 1 {
		t.Fatalf("%d events, %d bad rows", events.Len(), bad.Len())
	}
	if r := rowsOf[badrow.Row](bad)[0]; r.Reason != string(badrow.TimeBounds) || r.Position != 0 {
		t.Errorf("bad row %+v", r)
	}
}

func TestWhatCameLateIsMarkedAndListedAndNotCounted(t *testing.T) {
	w, s := worker(accesslog.Config{From: 20514, To: 20514, Keep: shout})
	b := delivery(line(2, "/", "x"), line(2, "/late", "x"), `bad "and late`, line(3, "/the day after, late", "x"), line(2, "/late", "panic"), line(2, "/last", "x"))
	b.Behind = []int64{0, 7_200_000, 5, 6, 7, 0}
	lines(t, w, b)
	events, bad, lateRows, archive := w.Take()
	e := rowsOf[weblog.Event](events)
	if len(e) != 3 || e[0].Late || !e[1].Late || e[2].Late {
		t.Fatalf("events %+v", e)
	}
	want := []late.Row{{EventID: e[1].EventID, EventTime: e[1].EventTime, Source: source, Sequence: e[1].Sequence, Position: 1, DelayMs: 7_200_000}}
	if diff := cmp.Diff(want, rowsOf[late.Row](lateRows)); diff != "" {
		t.Errorf("late (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int64{0, 2}, s.counted); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int64{0, 2}, s.visited); diff != "" {
		t.Errorf("visited (-want +got):\n%s", diff)
	}
	ledgerWant := ledger.Ledger{In: 6, Events: 3, Late: 1, Bad: 2, Skipped: 1, Reasons: map[badrow.Reason]int64{badrow.Truncated: 1, badrow.Panic: 1}}
	if l := w.TakeLedger(); !l.Balanced() || cmp.Diff(ledgerWant, l) != "" {
		t.Errorf("ledger %s", l)
	}
	if bad.Len() != 2 || archive.Len() != 5 {
		t.Errorf("%d bad rows, %d raw rows", bad.Len(), archive.Len())
	}
}

// TestAStreamAndItsArchiveGiveTheSameRows: blocks with arrivals of their own, cut
// and mixed in any way.
func TestAStreamAndItsArchiveGiveTheSameRows(t *testing.T) {
	var all []string
	for i := range 300 {
		switch i % 7 {
		case 3:
			all = append(all, fmt.Sprintf(`bad %d "`, i))
		case 5:
			all = append(all, line(1+i%5, fmt.Sprintf("/%d?u=ann@example.com", i), "panic")) // day 5 is beyond the bound
		default:
			all = append(all, line(1+i%5, fmt.Sprintf("/%d", i), "a bot"))
		}
	}
	live, _ := worker(accesslog.Config{Keep: shout})
	lines(t, live, delivery(all...))
	events, bad, _, archive := live.Take()
	again, _ := worker(accesslog.Config{Keep: shout, Open: unshout})
	order := rand.New(rand.NewPCG(1, 1)).Perm(archive.Len())
	for from := 0; from < len(order); from += 17 {
		for _, b := range archiveOf(archive, order[from:min(from+17, len(order))]) {
			lines(t, again, b)
		}
	}
	gotEvents, gotBad, _, gotArchive := again.Take()
	for _, pair := range [][2]*table.Batch{{events, gotEvents}, {bad, gotBad}, {archive, gotArchive}} {
		if diff := cmp.Diff(text(pair[0]), text(pair[1])); diff != "" {
			t.Errorf("%s, -live +from the archive:\n%s", pair[0].Schema().Name, diff)
		}
	}
	if diff := cmp.Diff(live.TakeLedger(), again.TakeLedger()); diff != "" {
		t.Errorf("ledger, -live +from the archive:\n%s", diff)
	}
	if events.Len() < 100 || bad.Len() < 100 {
		t.Errorf("%d events and %d bad rows are too few to tell", events.Len(), bad.Len())
	}
}

// TestAnEventCostsNoAllocation, not even with a sequence number, which many share.
func TestAnEventCostsNoAllocation(t *testing.T) {
	const records, each = 6000, 60
	var b record.Block
	b.Source, b.Format = source, "combined"
	for i := range records {
		b.Data = append(b.Data, line(2, "/", "x")...)
		b.Ends, b.Positions = append(b.Ends, len(b.Data)), append(b.Positions, int64(i%each))
		b.Sequences = append(b.Sequences, record.Sequence(fmt.Sprint(i/each)))
		b.Arrivals = append(b.Arrivals, noon)
	}
	w, _ := worker(accesslog.Config{Keep: shout})
	w.Count, w.Visit = func(*accesslog.Event) {}, func(*accesslog.Event) {}
	allocations := testing.AllocsPerRun(5, func() {
		if _, err := w.Lines(&b); err != nil {
			t.Fatal(err)
		}
		w.Take()
	})
	if allocations > 3*records/each+200 {
		t.Errorf("%v allocations for %d records", allocations, records)
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
