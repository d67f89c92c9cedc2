package anomaly_test

import (
	"encoding/hex"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"millrace/internal/mutate"
	"millrace/transforms/anomaly"
)

var kinds = []anomaly.Kind{{Name: "views", Count: true}, {Name: "share"}, {Name: "pages", Count: true, Most: 3}}

// randomParts are rows of some windows, of which some have none.
func randomParts(r *rand.Rand, windows int) (parts []anomaly.Part) {
	at := r.Int64N(1000) * minute
	for range windows {
		if at += minute; r.IntN(20) == 0 {
			at += r.Int64N(40) * minute
		}
		if r.IntN(300) == 0 {
			at += 2000 * minute // a silence of which nobody knows
		}
		for range r.IntN(4) {
			kind := r.IntN(3)
			p := anomaly.Part{Time: at + r.Int64N(minute), Kind: kind, Value: float64(r.IntN(50)), Opens: true}
			switch kind {
			case 1:
				p.Of = 50
			case 2:
				p.Key, p.Opens = strconv.Itoa(r.IntN(6)), r.IntN(2) == 0
			}
			parts = append(parts, p)
		}
	}
	return parts
}

// TestBoardsGiveTheSameWhateverTheOrder, the moments of looking, and restarts.
func TestBoardsGiveTheSameWhateverTheOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	judged := 0
	for range 20 {
		parts := randomParts(r, 600)
		want, rest := anomaly.NewBoard(minute, kinds).Fold(slices.Clone(parts), math.MaxInt64)
		if len(rest) > 0 {
			t.Fatalf("%d parts are left", len(rest))
		}
		slices.SortFunc(parts, func(a, b anomaly.Part) int { return int(a.Time - b.Time) })
		var got []anomaly.Score
		state := anomaly.NewBoard(minute, kinds).AppendState(nil, nil)
		for len(parts) > 0 {
			n := 1 + r.IntN(len(parts))
			watermark := int64(math.MaxInt64)
			if n < len(parts) {
				watermark = parts[n].Time
			}
			b, rest, err := anomaly.DecodeBoard(state, minute, kinds)
			if err != nil {
				t.Fatal(err)
			}
			heap := slices.Concat(rest, parts[:n])
			r.Shuffle(len(heap), func(i, j int) { heap[i], heap[j] = heap[j], heap[i] })
			scores, rest := b.Fold(heap, watermark)
			got = append(got, scores...)
			state, parts = b.AppendState(nil, rest), parts[n:]
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
			t.Fatalf("(-at once +in heaps):\n%s", diff)
		}
		for i := range want {
			if want[i].Status == anomaly.Judged {
				judged++
			}
		}
	}
	if judged < 1000 {
		t.Errorf("%d scores are too few to compare", judged)
	}
}

// TestBoardsFillCounts with zeros, while another series has data or until data come
// again, and nothing else.
func TestBoardsFillCounts(t *testing.T) {
	at := func(minutes int64, kind int, key string, value float64) anomaly.Part {
		return anomaly.Part{Time: minutes * minute, Kind: kind, Key: key, Value: value, Opens: true}
	}
	b := anomaly.NewBoard(minute, kinds)
	scores, _ := b.Fold([]anomaly.Part{
		at(1, 0, "", 5), at(1, 1, "", 7),
		at(2, 2, "a", 1), // others have data
		at(5, 0, "", 6), at(5, 0, "", 2),
		at(5+2000, 0, "", 9), // too long a silence
	}, math.MaxInt64)
	type brief struct {
		minute int64
		kind   int
		value  float64
		empty  bool
	}
	var got []brief
	for _, s := range scores {
		got = append(got, brief{s.Time / minute, s.Kind, s.Value, s.Empty})
	}
	want := []brief{
		{1, 0, 5, false},
		{1, 1, 7, false},
		{2, 0, 0, true},
		{2, 2, 1, false},
		{3, 0, 0, true},
		{3, 2, 0, true},
		{4, 0, 0, true},
		{4, 2, 0, true},
		{5, 0, 8, false},
		{5, 2, 0, true},
		{2005, 0, 9, false},
		{2005, 2, 0, true},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(brief{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestBoardsLeaveOutWhatWasNotSeenForLongest, then small values, then late keys.
func TestBoardsLeaveOutWhatWasNotSeenForLongest(t *testing.T) {
	b := anomaly.NewBoard(minute, kinds)
	page := func(minutes int64, key string, value float64, opens bool) anomaly.Part {
		return anomaly.Part{Time: minutes * minute, Kind: 2, Key: key, Value: value, Opens: opens}
	}
	keys := map[int64]string{}
	scores, _ := b.Fold([]anomaly.Part{
		page(1, "a", 1, true), page(1, "b", 2, true), page(1, "c", 2, true), page(1, "d", 2, true), page(1, "e", 9, false),
		page(2, "c", 3, false), page(2, "x", 1, true), page(2, "y", 2, true),
	}, math.MaxInt64)
	for _, s := range scores {
		keys[s.Time/minute] += s.Key
	}
	if diff := cmp.Diff(map[int64]string{1: "bcd", 2: "cxy"}, keys); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzDecodeBoard(tf *testing.F) {
	f := mutate.Of(tf)
	for seed := range uint64(4) {
		b := anomaly.NewBoard(minute, kinds)
		parts := randomParts(rand.New(rand.NewPCG(seed, 3)), 5)
		_, rest := b.Fold(parts, parts[len(parts)/2].Time)
		f.Add(b.AppendState(nil, rest))
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		b, rest, err := anomaly.DecodeBoard(state, minute, kinds)
		if err != nil {
			return
		}
		if len(rest) > 8 {
			rest = rest[:8]
		}
		_, rest = b.Fold(rest, math.MaxInt64)
		if _, _, err := anomaly.DecodeBoard(b.AppendState(nil, rest), minute, kinds); err != nil {
			t.Fatalf("what was decoded is not read again: %v", err)
		}
	})
}

// TestStateOfBoardsOfTheFirstVersionIsStillReadAndWritten holds what lies in
// savepoints. That of detectors is held by itself.
func TestStateOfBoardsOfTheFirstVersionIsStillReadAndWritten(t *testing.T) {
	file, err := os.ReadFile("testdata/board_v1.txt")
	if err != nil {
		t.Fatal(err)
	}
	first := strings.TrimSpace(string(file))
	at := int64(1_772_359_200_000)
	b := anomaly.NewBoard(minute, kinds)
	_, rest := b.Fold([]anomaly.Part{
		{Time: at, Kind: 0, Value: 7, Opens: true}, {Time: at + 1000, Kind: 2, Key: "/a", Value: 3, Opens: true}, {Time: at + minute, Kind: 1, Value: 1, Of: 4, Opens: true}, {Time: at + 5*minute, Kind: 2, Key: "/b", Value: 2},
	}, at+2*minute)
	if got := hex.EncodeToString(b.AppendState(nil, rest)); got != first {
		t.Errorf("written as %s; give a new form a version of its own", got)
	}
	state, _ := hex.DecodeString(first)
	again, rest, err := anomaly.DecodeBoard(state, minute, kinds)
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(again.AppendState(nil, rest)); got != first {
		t.Errorf("read and written as %s", got)
	}
	state[0]++
	if _, _, err := anomaly.DecodeBoard(state, minute, kinds); err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("a later version: %v", err)
	}
}
