package dedup_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/transforms/dedup"
)

const horizon = 1000 // ms

type event struct {
	id string
	at dedup.Order
}

func deduper(t testing.TB, h time.Duration) *dedup.Deduper {
	t.Helper()
	d, err := dedup.New(h)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// oracle answers by the letter of the rule, with a look at all events.
func oracle(events []event) (kept []bool) {
	for _, e := range events {
		keep := true
		for _, o := range events {
			if o.id == e.id && o.at.Compare(e.at) < 0 && e.at.Time-o.at.Time < horizon {
				keep = false
			}
		}
		kept = append(kept, keep)
	}
	return kept
}

// randomEvents draws ids that come again at once, about a horizon later, and long
// after.
func randomEvents(r *rand.Rand) (out []event) {
	for i := range 1 + r.IntN(8) {
		t := 1_000_000 + r.Int64N(5*horizon)
		for range 1 + r.IntN(7) {
			out = append(out, event{fmt.Sprint("id", i), dedup.Order{Time: t, Tie: r.Uint64N(4)}})
			t += []int64{0, 1, horizon - 1, horizon, horizon + 1, r.Int64N(3 * horizon)}[r.IntN(6)]
		}
	}
	// The same event twice is one.
	slices.SortFunc(out, func(a, b event) int {
		if c := strings.Compare(a.id, b.id); c != 0 {
			return c
		}
		return a.at.Compare(b.at)
	})
	return slices.Compact(out)
}

func TestTheRuleHoldsInAnyOrderAndPartition(t *testing.T) {
	duplicates := 0
	for seed := range uint64(800) {
		r := rand.New(rand.NewPCG(seed, 1))
		events := randomEvents(r)
		want := oracle(events)
		var encoded []byte
		for range 3 {
			parts := make([]*dedup.Deduper, 1+r.IntN(4))
			for i := range parts {
				parts[i] = deduper(t, horizon*time.Millisecond)
			}
			for _, i := range slices.Concat(r.Perm(len(events)), r.Perm(len(events))[:r.IntN(3)%(len(events)+1)%len(events)]) {
				parts[r.IntN(len(parts))].Add(dedup.IDOf([]byte(events[i].id)), events[i].at)
			}
			merged := deduper(t, horizon*time.Millisecond)
			for _, i := range r.Perm(len(parts)) {
				if err := merged.Merge(parts[i].AppendEncoded(nil)); err != nil {
					t.Fatal(err)
				}
			}
			var got []bool
			for _, e := range events {
				got = append(got, merged.Kept(dedup.IDOf([]byte(e.id)), e.at))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("seed %d, kept (-want +got):\n%s\n%v", seed, diff, events)
			}
			b := merged.AppendEncoded(nil)
			if encoded == nil {
				encoded = b
			}
			if !bytes.Equal(encoded, b) {
				t.Fatalf("seed %d: other bytes", seed)
			}
		}
		for _, k := range want {
			if !k {
				duplicates++
			}
		}
	}
	if duplicates < 500 {
		t.Errorf("%d duplicates", duplicates)
	}
}

// TestLiveKeepsWhatBatchKeeps plays events out of order against a watermark. Rows
// sealed by Kept, and rows written and withdrawn by the verdicts, are both the batch's.
func TestLiveKeepsWhatBatchKeeps(t *testing.T) {
	replaced := 0
	for seed := range uint64(2_000) {
		r := rand.New(rand.NewPCG(seed, 2))
		events := randomEvents(r)
		type timed struct {
			event
			came int64
		}
		var arrivals []timed
		disorder := []int64{1, horizon / 2, 3 * horizon}[r.IntN(3)]
		for _, e := range events {
			arrivals = append(arrivals, timed{e, e.at.Time + r.Int64N(disorder)})
		}
		slices.SortStableFunc(arrivals, func(a, b timed) int { return int(a.came - b.came) })

		d := deduper(t, horizon*time.Millisecond)
		sealed, written := map[event]bool{}, map[event]bool{}
		var waiting []event
		for i, a := range arrivals {
			id := dedup.IDOf([]byte(a.id))
			verdict := d.Add(id, a.at)
			switch verdict {
			case dedup.First:
				written[a.event] = true
			case dedup.Replaces, dedup.Joins:
				if verdict == dedup.Replaces {
					written[a.event] = true
				}
				for e := range written { // those of the producer's id that it stands for now
					if e.id == a.id && e != a.event && !d.Kept(id, e.at) {
						delete(written, e)
						replaced++
					}
				}
			case dedup.Duplicate:
			default:
				t.Fatalf("seed %d: %v is judged %d", seed, a, verdict)
			}
			waiting = append(waiting, a.event)
			watermark := int64(1 << 40)
			for _, later := range arrivals[i+1:] {
				watermark = min(watermark, later.at.Time)
			}
			waiting = slices.DeleteFunc(waiting, func(e event) bool {
				if e.at.Time >= watermark {
					return false
				}
				sealed[e] = d.Kept(dedup.IDOf([]byte(e.id)), e.at)
				return true
			})
			d.Advance(watermark)
			if r.IntN(5) == 0 { // stopped and resumed
				state := d.AppendEncoded(nil)
				d = deduper(t, horizon*time.Millisecond)
				if err := d.Merge(state); err != nil {
					t.Fatal(err)
				}
			}
		}
		if d.Len() > 0 {
			t.Errorf("seed %d: %d ids are remembered for ever", seed, d.Len())
		}
		for i, keep := range oracle(events) {
			if sealed[events[i]] != keep {
				t.Fatalf("seed %d: %v sealed %v, batch %v", seed, events[i], sealed[events[i]], keep)
			}
			if written[events[i]] != keep {
				t.Fatalf("seed %d: %v written %v, batch %v", seed, events[i], written[events[i]], keep)
			}
		}
	}
	if replaced == 0 {
		t.Error("nothing was ever replaced")
	}
}

func TestVerdicts(t *testing.T) {
	d := deduper(t, horizon*time.Millisecond)
	id := dedup.IDOf([]byte("a"))
	for i, step := range []struct {
		time int64
		tie  uint64
		want dedup.Verdict
	}{
		{5000, 5, dedup.First},
		{5000, 5, dedup.First}, // read again
		{5000, 6, dedup.Duplicate},
		{5000, 4, dedup.Replaces},
		{5999, 0, dedup.Duplicate},
		{6998, 0, dedup.Duplicate}, // within the horizon of the one before
		{8000, 0, dedup.First},
		{7998, 0, dedup.Replaces}, // exactly a horizon after 6998
		{7000, 0, dedup.Joins},    // after 6998, and 7998 was a first
		{9500, 0, dedup.First},
		{8600, 0, dedup.Joins}, // after the last, and before what was a first
		{-1, 0, dedup.Beyond},
		{1 << 44, 0, dedup.Beyond},
	} {
		if got := d.Add(id, dedup.Order{Time: step.time, Tie: step.tie}); got != step.want {
			t.Errorf("step %d: %d, want %d", i, got, step.want)
		}
	}
	if d.Kept(id, dedup.Order{Time: 7998}) {
		t.Error("an event is kept that another came before")
	}
	d.Advance(9500 + horizon - 1)
	if got := d.Late(id, dedup.Order{Time: 4001}); got != dedup.Duplicate {
		t.Errorf("late, of a known id: %d", got)
	}
	if got := d.Late(id, dedup.Order{Time: 4000, Tie: 4}); got != dedup.Beyond {
		t.Errorf("late, a horizon before: %d", got)
	}
	if d.Advance(9500 + horizon); d.Len() != 0 {
		t.Errorf("%d ids are remembered", d.Len())
	}
	if got := d.Late(id, dedup.Order{Time: 8000}); got != dedup.Beyond {
		t.Errorf("late, of a forgotten id: %d", got)
	}
}

func TestACopyThatComesLaterIsGreater(t *testing.T) {
	early, late := [16]byte{0xff}, [16]byte{}
	if dedup.TieOf(1_700_000_000_000, early) >= dedup.TieOf(1_700_000_000_001, late) {
		t.Error("an earlier arrival is greater")
	}
	if dedup.TieOf(0, early) <= dedup.TieOf(0, late) {
		t.Error("event ids do not order files' events")
	}
	if dedup.TieOf(-5, late) != dedup.TieOf(0, late) {
		t.Error("a time before 1970 is greater than one after")
	}
}

func TestAHorizonThatIsNoneIsRefused(t *testing.T) {
	for _, h := range []time.Duration{0, -time.Second, time.Microsecond, dedup.MaxHorizon + time.Millisecond} {
		if _, err := dedup.New(h); err == nil || !strings.Contains(err.Error(), h.String()) {
			t.Errorf("%v: %v", h, err)
		}
	}
}

func TestStateOfAnotherHorizonOrVersionIsRefused(t *testing.T) {
	d := deduper(t, time.Hour)
	d.Add(dedup.IDOf([]byte("a")), dedup.Order{Time: 1})
	b := d.AppendEncoded(nil)
	if err := deduper(t, 2*time.Hour).Merge(b); err == nil || !strings.Contains(err.Error(), "3600000 ms, this one has 7200000 ms") {
		t.Errorf("another horizon: %v", err)
	}
	b[0] = 9
	if err := d.Merge(b); err == nil || !strings.Contains(err.Error(), "version 9, this program reads 1") {
		t.Errorf("another version: %v", err)
	}
}

func TestAFaultyStateChangesNothing(t *testing.T) {
	a, b := deduper(t, time.Hour), deduper(t, time.Hour)
	for i := range 50 {
		a.Add(dedup.IDOf(fmt.Append(nil, i)), dedup.Order{Time: int64(i)})
	}
	before := b.AppendEncoded(nil)
	encoded := a.AppendEncoded(nil)
	if err := b.Merge(encoded[:len(encoded)-1]); err == nil || !bytes.Equal(before, b.AppendEncoded(nil)) {
		t.Errorf("error %v, and %d ids", err, b.Len())
	}
}

// TestTheTableFindsWhatWasPut fills one with ids that lie near each other, takes
// many out again by joining chains, and compares with a map.
func TestTheTableFindsWhatWasPut(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 3))
		d := deduper(t, horizon*time.Millisecond)
		var events []event
		for i := range 300 {
			id := dedup.ID{High: ^uint64(0) - uint64(r.IntN(3))<<58, Low: uint32(i % 40)} // at the end, so that probes wrap around
			e := event{fmt.Sprint(id), dedup.Order{Time: r.Int64N(20 * horizon)}}
			d.Add(id, e.at)
			if !slices.Contains(events, e) {
				events = append(events, e)
			}
		}
		kept := 0
		for i, keep := range oracle(events) {
			var id dedup.ID
			if _, err := fmt.Sscanf(events[i].id, "{%d %d}", &id.High, &id.Low); err != nil {
				t.Fatal(err)
			}
			if d.Kept(id, events[i].at) != keep {
				t.Fatalf("seed %d: %v kept %v", seed, events[i], !keep)
			}
			if keep {
				kept++
			}
		}
		if d.Len() != kept {
			t.Errorf("seed %d: %d chains, want %d", seed, d.Len(), kept)
		}
	}
}

// FuzzMerge holds that bytes are refused, or what they say comes out again.
func FuzzMerge(tf *testing.F) {
	f := mutate.Of(tf)
	d := deduper(f, time.Hour)
	f.Add(d.AppendEncoded(nil))
	for i := range int64(5) {
		d.Add(dedup.IDOf(binary.BigEndian.AppendUint64(nil, uint64(i/2))), dedup.Order{Time: i * 1000, Tie: uint64(i)})
	}
	f.Add(d.AppendEncoded(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		one := deduper(t, time.Hour)
		if one.Merge(b) != nil {
			return
		}
		first := one.AppendEncoded(nil)
		two := deduper(t, time.Hour)
		if err := two.Merge(first); err != nil {
			t.Fatal(err)
		}
		if err := two.Merge(first); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, two.AppendEncoded(nil)) {
			t.Error("not the same again")
		}
	})
}

func TestTheFirstVersionOfTheEncodingIsStillReadAndWritten(t *testing.T) {
	const old = "0180dddb010280d095ffbc31ca978112ca1bbdcac7b07d00000000000000078407f4033e23e8160039594aa8e2190000000000000000"
	d := deduper(t, time.Hour)
	for i, e := range []event{{"a", dedup.Order{Time: 1_700_000_000_000, Tie: 7}}, {"b", dedup.Order{Time: 1_700_000_000_500}}, {"a", dedup.Order{Time: 1_700_000_000_900}}} {
		if got, want := d.Add(dedup.IDOf([]byte(e.id)), e.at), []dedup.Verdict{dedup.First, dedup.First, dedup.Duplicate}[i]; got != want {
			t.Errorf("event %d: %d", i, got)
		}
	}
	if got := hex.EncodeToString(d.AppendEncoded(nil)); got != old {
		t.Errorf("it is written differently; raise encodingVersion and keep reading the old one: %s, before %s", got, old)
	}
	b, err := hex.DecodeString(old)
	if err != nil {
		t.Fatal(err)
	}
	again := deduper(t, time.Hour)
	if err := again.Merge(b); err != nil || hex.EncodeToString(again.AppendEncoded(nil)) != old {
		t.Errorf("it is read differently: %v", err)
	}
}
