package intake_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/schemas/badrow"
	"millrace/schemas/ledger"
	"millrace/schemas/pii"
	"millrace/schemas/raw"
	"millrace/schemas/record"
	"millrace/schemas/table"
	"millrace/transforms/intake"
)

// hours reads lines that are hours since 2026-03-01; "#" is a comment, "!" panics
// after it was put, and others are bad.
type hours struct {
	put   []string
	value string
}

const begin = 1772323200000 // 2026-03-01T00:00:00Z

func (h *hours) Read(line pii.Text, _ *intake.Place) (int64, bool, badrow.Reason) {
	h.value = string(pii.Reveal(line))
	if h.value == "#" {
		return 0, true, badrow.None
	}
	n, err := strconv.Atoi(strings.TrimSuffix(h.value, "!"))
	if err != nil {
		return 0, false, badrow.Format
	}
	return begin + int64(n)*3_600_000, false, badrow.None
}

func (h *hours) Put(at *intake.Place) {
	h.put = append(h.put, fmt.Sprintf("%s at %s%d inside=%v behind=%d", h.value, at.Sequence, at.Position, at.Inside, at.Behind))
	if strings.HasSuffix(h.value, "!") {
		panic("a decoder's fault")
	}
}
func (h *hours) Rows() int       { return len(h.put) }
func (h *hours) Rewind(rows int) { h.put = h.put[:rows] }

const source = "00112233445566778899aabbccddeeff"

// day is the first of March 2026.
const day = begin / 86_400_000

func run(t *testing.T, c intake.Config, b record.Block) (*hours, *intake.Intake) {
	t.Helper()
	h := &hours{}
	n := intake.New(c, h)
	b.Source = source
	if err := n.Block(&b); err != nil {
		t.Fatal(err)
	}
	return h, n
}

func TestEveryRecordIsCountedOnceAndKnowsItsPlace(t *testing.T) {
	h, n := run(t, intake.Config{From: day, To: day, Before: 1, After: 2}, record.Block{Base: 100, Data: []byte("bad\r\n1\n#\n-25\n-20\n70\n73\n2!\n3")})
	want := []string{"1 at 105 inside=true behind=0", "-20 at 113 inside=false behind=0", "70 at 117 inside=false behind=0", "3 at 126 inside=true behind=0"}
	if diff := cmp.Diff(want, h.put); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	account := ledger.Ledger{In: 9, Events: 2, Bad: 2, Skipped: 5, Reasons: map[badrow.Reason]int64{badrow.Format: 1, badrow.Panic: 1}}
	if diff := cmp.Diff(account, n.TakeLedger()); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
	bad, _ := n.Take()
	var rows []badrow.Row
	for i := range bad.Len() {
		var r badrow.Row
		bad.Row(i, &r)
		rows = append(rows, r)
	}
	// The panic is filed under the last readable time, which is its own; the first line
	// under the first one that could be read.
	if len(rows) != 2 || rows[0].Position != 123 || rows[0].NotedTime != begin+2*3_600_000 || rows[1].Position != 100 || rows[1].NotedTime != begin+3_600_000 {
		t.Errorf("bad rows %+v", rows)
	}
}

func TestWhatOthersCountIsLeftOut(t *testing.T) {
	_, n := run(t, intake.Config{Uncounted: true, From: day, To: day, After: 1}, record.Block{Data: []byte("1\n#\nbad\n30\n")})
	account := ledger.Ledger{In: 3, Bad: 1, Skipped: 2, Reasons: map[badrow.Reason]int64{badrow.Format: 1}}
	if diff := cmp.Diff(account, n.TakeLedger()); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
}

func TestDuplicatesAndLongRecordsAreCounted(t *testing.T) {
	h, n := run(t, intake.Config{}, record.Block{Duplicate: true, Data: []byte("1\n2\n")})
	if l := n.TakeLedger(); l.In != 2 || l.Duplicate != 2 || len(h.put) != 0 {
		t.Errorf("%+v, put %v", l, h.put)
	}
	_, n = run(t, intake.Config{}, record.Block{Oversize: 1 << 20, Data: []byte("1")})
	if l := n.TakeLedger(); l.In != 1 || l.Reasons[badrow.TooLong] != 1 {
		t.Errorf("%+v", l)
	}
}

// TestTheArchiveBringsBackTheSame: sealed records are opened, and stand where they
// stood, filed as they were.
func TestTheArchiveBringsBackTheSame(t *testing.T) {
	flip := func(dst, b []byte) []byte {
		for _, c := range b {
			dst = append(dst, ^c)
		}
		return dst
	}
	c := intake.Config{
		Keep: func(dst, line []byte, _ record.Identity, _ string, _ int64) ([]byte, string) {
			return flip(dst, line), "k1"
		},
		Open: func(dst, payload []byte, _ string, _ record.Identity, _ string, _ int64) ([]byte, error) {
			return flip(dst, payload), nil
		},
		TimeBound: func(event, arrival int64) badrow.Reason {
			if arrival != 0 && event > arrival {
				return badrow.TimeBounds
			}
			return badrow.None
		},
	}
	stream := record.Block{
		Data: []byte("1bad92"), Ends: []int{1, 4, 5, 6}, Positions: []int64{0, 1, 0, 7}, Sequences: []string{"a", "a", "b", "b"},
		Arrivals: []int64{begin + 4_000_000, begin + 4_000_001, begin + 4_000_002, begin + 9_000_000}, Behind: []int64{0, 0, 0, 5},
	}
	h, n := run(t, c, stream)
	account := n.TakeLedger()
	if account.Late != 1 || account.Events != 2 || account.Reasons[badrow.TimeBounds] != 1 {
		t.Errorf("%+v", account)
	}
	_, kept := n.Take()
	again := record.Block{KeyID: "k1", Behind: stream.Behind}
	for i := range kept.Len() {
		again.Data = append(again.Data, kept.Text(raw.Payload, i)...)
		again.Ends = append(again.Ends, len(again.Data))
		again.Positions = append(again.Positions, kept.Int(raw.Position, i))
		again.Sequences = append(again.Sequences, string(kept.Text(raw.Sequence, i)))
		again.Arrivals = append(again.Arrivals, kept.Int(raw.ArrivalTime, i))
		again.Noted = append(again.Noted, kept.Int(raw.NotedTime, i))
		if bytes.Contains(kept.Text(raw.Payload, i), []byte("bad")) {
			t.Error("a payload lies open")
		}
	}
	h2, n2 := run(t, c, again)
	if diff := cmp.Diff(h.put, h2.put); diff != "" {
		t.Errorf("events (-first +again):\n%s", diff)
	}
	if diff := cmp.Diff(account, n2.TakeLedger()); diff != "" {
		t.Errorf("ledger (-first +again):\n%s", diff)
	}
	if _, again := n2.Take(); kept.Len() != again.Len() || table.Compare(kept, 1, again, 1) != 0 {
		t.Error("the archive of the archive is another")
	}
}
