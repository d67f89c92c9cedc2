package kinesisio

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"millrace/io/driver"
	"millrace/io/iotest"
	"millrace/schemas/ledger"
	"millrace/schemas/record"
)

// rollsOf are the rolls of a reading as a lake has them, by shard, each in its
// order.
func rollsOf(g iotest.StreamReading) map[string][]ledger.Part {
	counts := map[string]int64{}
	for _, r := range g.Records {
		counts[r.Roll]++
	}
	shards := map[string][]ledger.Part{}
	for roll, c := range g.Closes {
		shard, _, _ := strings.Cut(roll, "/")
		shards[shard] = append(shards[shard], ledger.Part{Roll: roll, Ledger: ledger.Ledger{In: counts[roll], Events: counts[roll]}, Close: &c})
	}
	for _, rolls := range shards {
		slices.SortFunc(rolls, func(a, b ledger.Part) int { return cmp.Compare(a.Close.After, b.Close.After) })
	}
	return shards
}

// with is a reading and the part of another that is of some rolls.
func with(g, other iotest.StreamReading, rolls []ledger.Part) iotest.StreamReading {
	sum := iotest.StreamReading{Records: slices.Clone(g.Records), Closes: maps.Clone(g.Closes)}
	named := map[string]bool{}
	for _, p := range rolls {
		named[p.Roll] = true
		sum.Closes[p.Roll] = *p.Close
	}
	for _, r := range other.Records {
		if named[r.Roll] {
			sum.Records = append(sum.Records, r)
		}
	}
	slices.SortFunc(sum.Records, func(a, b iotest.StreamRecord) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Sequence, b.Sequence), cmp.Compare(a.Position, b.Position))
	})
	return sum
}

// reshardedWorld is a stream that is split and merged behind the place where its
// reading begins, which it gives.
func reshardedWorld(t *testing.T, seed uint64, params string) (w *world, begun []byte, cursors []driver.Cursor) {
	t.Helper()
	w = newWorld(t, seed, 3)
	w.fill(0, 60, 0)
	w.fill(1, 60, 0)
	w.split(1) // 3, 4
	w.fill(3, 20, 1)
	if strings.Contains(params, "start=") {
		params = fmt.Sprintf(params, time.UnixMilli(w.base-47_000_000).UTC().Format(time.RFC3339))
	}
	cursors = w.begin(t, 1, params)
	begun, err := Positions(cursors...)
	if err != nil {
		t.Fatal(err)
	}
	w.fill(2, 30, 1)
	w.merge(0, 3) // 5
	w.fill(5, 30, 2)
	w.merge(5, 4) // 6
	w.split(2)    // 7, 8
	w.fill(6, 30, 3)
	w.fill(8, 30, 3)
	w.split(6) // 9, 10
	return w, begun, cursors
}

// TestReadingGoesOnBehindTheRollsOfALake commits a part of what a reading gives and
// reads the rest from what was committed: all together is what one reading gives,
// rolls and lateness too.
func TestReadingGoesOnBehindTheRollsOfALake(t *testing.T) {
	late, ended := 0, 0
	for seed := range uint64(12) {
		w, begun, cursors := reshardedWorld(t, seed, []string{"", "&start=%s"}[seed%2])
		open := func() driver.Stream { return w.open(t, "") }
		whole := iotest.ReadStream(t, open, cursors, 0, w.rng)
		var committed []ledger.Part
		for _, shard := range slices.Sorted(maps.Keys(rollsOf(whole))) {
			rolls := rollsOf(whole)[shard]
			committed = append(committed, rolls[:w.rng.IntN(len(rolls)+1)]...)
		}
		found, err := (Accounted{Lake: "lake", Begun: [][]byte{begun}, Rolls: committed}).Positions()
		if err != nil {
			t.Fatal(err)
		}
		if found.Stream != testARN || found.Low > found.High {
			t.Errorf("seed %d: it is of %s, from %d to %d", seed, found.Stream, found.Low, found.High)
		}
		ended += found.Ended
		readers := 1 + int(seed)%3
		rest, err := w.open(t, "").BeginAt(t.Context(), found.Positions, readers)
		if err != nil {
			t.Fatal(err)
		}
		got := with(iotest.ReadStream(t, open, rest, 7, w.rng), whole, committed)
		if readers > 1 { // a shard begins with its parent's clock where one reader has both
			for _, r := range []*iotest.StreamReading{&whole, &got} {
				for i := range r.Records {
					r.Records[i].Behind = 0
				}
				for roll, c := range r.Closes {
					c.Next = ""
					r.Closes[roll] = c
				}
			}
		}
		for _, r := range got.Records {
			if r.Behind > 0 {
				late++
			}
		}
		if diff := gocmp.Diff(whole, got); diff != "" {
			t.Fatalf("seed %d, %d of %d rolls committed: (-one reading +with the rest)\n%s", seed, len(committed), len(whole.Closes), diff)
		}
	}
	if late < 20 || ended < 10 {
		t.Errorf("%d late records, %d shards read to their end: the test proves little", late, ended)
	}
}

// TestPositionsOfRunsInARow commits some rolls, then some of a run that began behind
// them, and goes on behind both.
func TestPositionsOfRunsInARow(t *testing.T) {
	for seed := range uint64(6) {
		w, begun, cursors := reshardedWorld(t, seed, "")
		open := func() driver.Stream { return w.open(t, "") }
		whole := iotest.ReadStream(t, open, cursors, 0, w.rng)
		all := rollsOf(whole)
		taken := map[string]int{}
		known, lake := [][]byte{begun}, []ledger.Part(nil)
		var rest []driver.Cursor
		for range 3 {
			for _, shard := range slices.Sorted(maps.Keys(all)) {
				more := w.rng.IntN(len(all[shard])-taken[shard]+1) / 2
				lake = append(lake, all[shard][taken[shard]:taken[shard]+more]...)
				taken[shard] += more
			}
			found, err := (Accounted{Lake: "lake", Begun: known, Rolls: lake}).Positions()
			if err != nil {
				t.Fatal(err)
			}
			if rest, err = w.open(t, "").BeginAt(t.Context(), found.Positions, 1); err != nil {
				t.Fatal(err)
			}
			next, err := Positions(rest...)
			if err != nil {
				t.Fatal(err)
			}
			known = append(known, next)
		}
		got := with(iotest.ReadStream(t, open, rest, 0, w.rng), whole, lake)
		if diff := gocmp.Diff(whole, got); diff != "" {
			t.Fatalf("seed %d: (-one reading +with the rest)\n%s", seed, diff)
		}
	}
}

func TestPositionsOfALakeWithAHole(t *testing.T) {
	w, begun, cursors := reshardedWorld(t, 3, "")
	open := func() driver.Stream { return w.open(t, "") }
	whole := iotest.ReadStream(t, open, cursors, 0, w.rng)
	for at := range 3 { // the first roll, one within, two beside each other
		var committed []ledger.Part
		missing := 0
		for _, shard := range slices.Sorted(maps.Keys(rollsOf(whole))) {
			rolls := rollsOf(whole)[shard]
			if len(rolls) > 5 {
				rolls = slices.Delete(rolls, at, at+max(1, at))
				missing++
			}
			committed = append(committed, rolls...)
		}
		if missing == 0 {
			t.Fatal("no shard has rolls enough")
		}
		a := Accounted{Lake: "lake", Begun: [][]byte{begun}, Rolls: committed}
		if _, err := a.Positions(); !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), "hole: no roll accounts for") || !strings.Contains(err.Error(), "--reread") {
			t.Errorf("a hole gives %v", err)
		}
		a.Reread = true
		found, err := a.Positions()
		if err != nil || len(found.Holes) != missing {
			t.Fatalf("it goes on before %v, %v", found.Holes, err)
		}
		rest, err := w.open(t, "").BeginAt(t.Context(), found.Positions, 1)
		if err != nil {
			t.Fatal(err)
		}
		reading := iotest.ReadStream(t, open, rest, 0, w.rng)
		for _, p := range committed { // what is read again is cut alike
			if again, is := reading.Closes[p.Roll]; is && !again.Same(*p.Close) {
				t.Fatalf("roll %s was %+v, and again %+v", p.Roll, *p.Close, again)
			}
		}
		committed = slices.DeleteFunc(committed, func(p ledger.Part) bool { _, again := reading.Closes[p.Roll]; return again })
		if diff := gocmp.Diff(whole, with(reading, whole, committed)); diff != "" {
			t.Fatalf("(-one reading +with the rest)\n%s", diff)
		}
	}
}

func TestPositionsThatALakeCannotTell(t *testing.T) {
	w, begun, cursors := reshardedWorld(t, 5, "")
	whole := iotest.ReadStream(t, func() driver.Stream { return w.open(t, "") }, cursors, 0, w.rng)
	var rolls []ledger.Part
	for _, of := range rollsOf(whole) {
		rolls = append(rolls, of...)
	}
	with := func(change func(p *ledger.Part)) []ledger.Part {
		all := slices.Clone(rolls)
		c := *all[0].Close
		all[0].Close = &c
		change(&all[0])
		return all
	}
	other := strings.ReplaceAll(string(begun), "stream/logs", "stream/other")
	for name, c := range map[string]struct {
		lake  Accounted
		class error
		want  []string
	}{
		"nothing":            {Accounted{}, driver.ErrNotFound, []string{"no ledger", "name the lake of a live run"}},
		"two streams":        {Accounted{Begun: [][]byte{begun, []byte(other)}, Rolls: rolls}, driver.ErrInvalid, []string{"stream/logs", "stream/other", "--stream"}},
		"another stream":     {Accounted{Begun: [][]byte{begun}, Stream: "access"}, driver.ErrNotFound, []string{"access", "stream/logs", "--stream"}},
		"a beginning":        {Accounted{Rolls: rolls}, driver.ErrNotFound, []string{"does not say where", "millrace resume"}},
		"an earlier version": {Accounted{Begun: [][]byte{begun}, Rolls: with(func(p *ledger.Part) { p.Close.Next = "" })}, driver.ErrInvalid, []string{rolls[0].Roll, "an earlier version", "savepoint"}},
		"a later version":    {Accounted{Begun: [][]byte{begun}, Rolls: with(func(p *ledger.Part) { p.Close.Next = `{"v":2}` })}, driver.ErrInvalid, []string{rolls[0].Roll, "form 2"}},
		"a stream made anew": {Accounted{Begun: [][]byte{begun}, Rolls: with(func(p *ledger.Part) {
			p.Close.Next = strings.Replace(p.Close.Next, `"created":1700000000000`, `"created":1800000000000`, 1)
		})}, driver.ErrChanged, []string{"created again"}},
		"a roll cut otherwise": {Accounted{Begun: [][]byte{begun}, Rolls: append(with(func(*ledger.Part) {}), overlapping(t, rolls))}, driver.ErrInvalid, []string{"overlap", "--archive"}},
		"a beginning unread":   {Accounted{Begun: [][]byte{[]byte("{")}}, driver.ErrCorrupt, []string{"began"}},
	} {
		c.lake.Lake = "s3://lake"
		_, err := c.lake.Positions()
		if !errors.Is(err, c.class) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, want := range append(c.want, "s3://lake") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", name, err, want)
			}
		}
	}
	found, err := (Accounted{Begun: [][]byte{begun, []byte(other)}, Rolls: rolls, Stream: "logs"}).Positions()
	if err != nil || found.Stream != testARN {
		t.Errorf("the one that is named is %s, %v", found.Stream, err)
	}
}

// overlapping is a roll that begins one record after another, and so within it.
func overlapping(t *testing.T, rolls []ledger.Part) ledger.Part {
	t.Helper()
	for _, p := range rolls {
		if p.Close.First == p.Close.Last {
			continue
		}
		shard, _, err := record.ParseRoll(p.Roll)
		if err != nil {
			t.Fatal(err)
		}
		c := *p.Close
		c.After, c.First = c.First, behind(c.First)
		return ledger.Part{Roll: record.RollOf(shard, c.First), Ledger: p.Ledger, Close: &c}
	}
	t.Fatal("every roll has one record")
	return ledger.Part{}
}
