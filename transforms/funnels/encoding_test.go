package funnels_test

import (
	"bufio"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/schemas/table"
	"millrace/transforms/funnels"
)

// written reads testdata/encoding_v1.txt: what the first version of the encoding
// wrote, a name and hex digits a line. The file stays as it is as long as any state
// of that version may be read.
func written(t *testing.T) map[string][]byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "encoding_v1.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string][]byte{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, digits, _ := strings.Cut(lines.Text(), " ")
		if out[name], err = hex.DecodeString(digits); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return out
}

// encodingDefinitions cover what fragments can hold.
func encodingDefinitions() []funnels.Definition {
	return []funnels.Definition{
		{
			Name: "ordered", Within: time.Hour, Steps: []funnels.Step{stepOf("a"), stepOf("b"), stepOf("c")},
			Exclude:   []funnels.Exclusion{{Where: `name.contains("x")`, Between: [2]string{"a", "b"}}},
			Breakdown: &funnels.Breakdown{Field: "site"},
		},
		{Name: "strict", Within: 30 * time.Hour, Order: funnels.Strict, Steps: []funnels.Step{stepOf("a"), stepOf("b")}},
	}
}

func encodingVisits() (visits []visit) {
	x := "x"
	for i := range int64(24) {
		v := visit{
			Visitor: []string{"tok_visitor_1", "tok_visitor_2"}[i%2], Time: table.Millis(firstDay + i*7*minute), Source: []string{"0123", "4567"}[i%3%2],
			Position: 1000 * i, Name: []string{"a", "a", "b", "z", "c", "x", "ab"}[i%7],
		}
		if i%3 == 0 {
			v.Site = &x
		}
		visits = append(visits, v)
	}
	return visits
}

func TestTheFirstVersionOfTheEncodingIsStillReadAndWritten(t *testing.T) {
	old := written(t)
	s := compile(t, encodingDefinitions(), funnels.Options{MaxEvents: 4})
	c := s.NewCollector(visitColumns)
	c.Add(batchOf(encodingVisits()), 0)
	blob := c.Flush(1)[0].Blob
	if diff := cmp.Diff(hex.EncodeToString(old["fragments"]), hex.EncodeToString(blob)); diff != "" {
		t.Errorf("fragments are written differently; raise encodingVersion and keep reading the old one (-old +new):\n%s", diff)
	}
	want := bruteRows(encodingVisits(), encodingDefinitions(), 4)
	if diff := cmp.Diff(want, rowsOf(t, s, [][]byte{old["fragments"]})); diff != "" {
		t.Errorf("fragments are read differently (-want +got):\n%s", diff)
	}
	e := s.NewEvaluator(revision)
	u, err := e.Advance(nil, [][]byte{blob}, firstDay+2*hour+10*minute)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(hex.EncodeToString(old["state"]), hex.EncodeToString(u.State)); diff != "" {
		t.Errorf("state is written differently; raise encodingVersion and keep reading the old one (-old +new):\n%s", diff)
	}
	rest, err := e.Advance(old["state"], nil, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	got := slices.Concat(u.Sealed, rest.Sealed)
	sortRows(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("state is read differently (-want +got):\n%s", diff)
	}
	tally := s.NewTally()
	for i := range want {
		tally.Add(&want[i])
	}
	if diff := cmp.Diff(hex.EncodeToString(old["tally"]), hex.EncodeToString(tally.Encode())); diff != "" {
		t.Errorf("tallies are written differently (-old +new):\n%s", diff)
	}

	other := compile(t, encodingDefinitions()[:1], funnels.Options{MaxEvents: 4}).NewEvaluator(nil)
	if err := other.Add(blob); err == nil || !strings.Contains(err.Error(), "made by funnels other than those of this configuration") {
		t.Errorf("fragments of other funnels: %v", err)
	}
	later := append([]byte{9}, blob[1:]...)
	if err := e.Add(later); err == nil || !strings.Contains(err.Error(), "version 9, this program reads 1") {
		t.Errorf("fragments of a later version: %v", err)
	}
}

func fuzzSet(t testing.TB) *funnels.Set {
	return compile(t, encodingDefinitions(), funnels.Options{MaxEvents: 4})
}

// FuzzFragments holds that bytes nobody wrote give an error or rows, and never a
// panic, that rows found in them are sound, and that live seals what batch finds.
func FuzzFragments(tf *testing.F) {
	f := mutate.Of(tf)
	s := fuzzSet(f)
	r := rand.New(rand.NewPCG(9, 9))
	for _, b := range collect(r, s, encodingVisits())[:2] {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, blob []byte) {
		e := s.NewEvaluator(nil)
		if e.Add(blob) != nil {
			return
		}
		rows := e.Rows()
		for _, x := range rows {
			if x.Reached < 1 || x.Reached > x.Steps || x.Level > x.Reached || len(x.Times) != x.Reached || x.Times[0] != x.Start || x.Version < 1 {
				t.Errorf("unsound row %+v", x)
			}
		}
		u, err := e.Advance(nil, [][]byte{blob}, math.MaxInt64)
		if err != nil {
			t.Fatal(err)
		}
		sortRows(u.Sealed)
		if diff := cmp.Diff(append([]funnels.Row{}, rows...), append([]funnels.Row{}, u.Sealed...)); diff != "" {
			t.Errorf("sealed (-batch +live):\n%s", diff)
		}
	})
}

// FuzzState holds that state is read, or refused, and what is read comes out the
// same again.
func FuzzState(tf *testing.F) {
	f := mutate.Of(tf)
	s := fuzzSet(f)
	r := rand.New(rand.NewPCG(10, 10))
	for _, at := range []int64{0, firstDay + hour, firstDay + 3*hour} {
		u, err := s.NewEvaluator(nil).Advance(nil, collect(r, s, encodingVisits()), at)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(u.State)
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		e := s.NewEvaluator(nil)
		first, err := e.Advance(state, nil, math.MinInt64)
		if err != nil {
			return
		}
		second, err := e.Advance(first.State, nil, math.MinInt64)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(funnels.Update{State: first.State, Next: first.Next}, second); diff != "" {
			t.Errorf("a second time (-want +got):\n%s", diff)
		}
	})
}

func FuzzTally(tf *testing.F) {
	f := mutate.Of(tf)
	s := fuzzSet(f)
	tally := s.NewTally()
	for _, row := range bruteRows(encodingVisits(), encodingDefinitions(), 4) {
		tally.Add(&row)
	}
	f.Add(tally.Encode())
	f.Fuzz(func(t *testing.T, blob []byte) {
		one := s.NewTally()
		if one.Merge(blob) != nil {
			return
		}
		again := s.NewTally()
		if err := again.Merge(one.Encode()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(one.Encode(), again.Encode()); diff != "" {
			t.Error(diff)
		}
		one.Rows(nil)
	})
}
