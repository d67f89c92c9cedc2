package lakeio

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
	"millrace/io/driver"
	"millrace/schemas/badrow"
	"millrace/schemas/ledger"
	"millrace/schemas/record"
	"millrace/schemas/table"
)

var liveSchemas = map[string]string{"events": numbers.ID(), "pages": words.ID()}

func openLive(t *testing.T, s Store) *Live {
	t.Helper()
	l, err := LiveWriting{Run: "live", Schemas: liveSchemas}.open(s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const dayMs = 86_400_000

// arrived is when the records of the test rolls arrived: at the end of day 2.
const arrived = 3*dayMs - 1000

// testRoll is a roll with the rows that its records become.
type testRoll struct {
	part   ledger.Part
	events []number
	pages  []word
}

// shardID is the identity of a numbered shard.
func shardID(shard int) record.Identity {
	return record.ShardIdentity("arn:aws:kinesis:us-east-1:1:stream/logs", fmt.Sprint(shard))
}

// newRoll makes the n-th roll of a shard, with rows of a few days; each has its own.
func newRoll(shard, n, rows int, days ...int64) testRoll {
	first := record.Sequence(fmt.Sprint(1000*n + 1))
	c := record.Close{
		Records: int64(rows), First: first, Last: record.Sequence(fmt.Sprint(1000*n + rows)),
		FirstArrival: arrived, LastArrival: arrived + 500,
	}
	if n > 0 {
		c.After = record.Sequence(fmt.Sprint(1000 * n))
	}
	roll := testRoll{part: ledger.Part{Roll: record.RollOf(shardID(shard), first), Ledger: ledger.Ledger{In: int64(rows)}, Close: &c}}
	for i := range rows {
		day := days[i%len(days)]
		if i%10 == 9 {
			roll.part.Ledger.AddBad(badrow.Format)
			continue
		}
		roll.part.Ledger.Events++
		roll.events = append(roll.events, number{At: table.Millis(day*dayMs + int64(i*7%1000)), Source: shardID(shard).String(), N: int64(1000*n + i)})
		roll.pages = append(roll.pages, word{Word: string(rune('a' + i%3)), N: int64(10_000*shard + 1000*n + i), Day: table.Day(day)})
	}
	return roll
}

// stage stages rolls in random pieces, several rolls in a call.
func stage(t *testing.T, l *Live, r *rand.Rand, rolls ...testRoll) map[string][]Segment {
	t.Helper()
	segments := map[string][]Segment{}
	events, pages := map[string][]*table.Batch{}, map[string][]*table.Batch{}
	for _, roll := range rolls {
		events[roll.part.Roll] = inBatches(r, numbers, roll.events, 1+r.IntN(30))
		pages[roll.part.Roll] = inBatches(r, words, roll.pages, 1+r.IntN(30))
	}
	for output, rows := range map[string]map[string][]*table.Batch{"events": events, "pages": pages} {
		for len(rows) > 0 {
			bundle := map[string][]*table.Batch{}
			for roll, list := range rows {
				n := min(len(list), r.IntN(5))
				bundle[roll], rows[roll] = list[:n], list[n:]
				if len(rows[roll]) == 0 {
					delete(rows, roll)
				}
			}
			staged, err := l.Stage(t.Context(), output, bundle)
			if err != nil {
				t.Fatal(err)
			}
			for _, seg := range staged {
				segments[seg.Roll] = append(segments[seg.Roll], travelled(t, seg))
			}
		}
	}
	return segments
}

// travelled is a segment as it comes out of a runner's state.
func travelled(t *testing.T, s Segment) (back Segment) {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

func closeRoll(t *testing.T, l *Live, roll testRoll, segments []Segment) Committed {
	t.Helper()
	done, err := l.CloseRoll(t.Context(), roll.part, segments)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func writeRoll(t *testing.T, s Store, roll testRoll) {
	t.Helper()
	l := openLive(t, s)
	closeRoll(t, l, roll, stage(t, l, seeded(1), roll)[roll.part.Roll])
}

// liveRows is the rows of an output as its present state names them, in the order
// of their numbers.
func liveRows(t *testing.T, s Store) []number {
	t.Helper()
	c, err := LoadCurrent(t.Context(), s, "events")
	if err != nil {
		t.Fatal(err)
	}
	rows := []number{}
	for day, d := range c.Days {
		var n int64
		for _, f := range d.Files {
			got := decodeFile[number](t, []byte(content(t, s, f.Key)))
			if int64(len(got)) != f.Rows {
				t.Errorf("%s has %d rows, not %d", f.Key, len(got), f.Rows)
			}
			n += f.Rows
			rows = append(rows, got...)
		}
		if n != d.Rows {
			t.Errorf("%s says %d rows, its files %d", day, d.Rows, n)
		}
	}
	sortNumbers(rows)
	return rows
}

func sortNumbers(rows []number) {
	slices.SortFunc(rows, func(a, b number) int { return cmpOr(int64(strings.Compare(a.Source, b.Source)), a.N-b.N) })
}

func rowsOfRolls(rolls ...testRoll) []number {
	rows := []number{}
	for _, r := range rolls {
		rows = append(rows, r.events...)
	}
	sortNumbers(rows)
	return rows
}

// inStaging is what lies in the staging area.
func inStaging(t *testing.T, s Store) []string { t.Helper(); return keys(t, s, stagingName+"/") }

func TestARollBecomesFilesAndItsAccount(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		l := openLive(t, s)
		roll := newRoll(1, 0, 500, 1, 2)
		segments := stage(t, l, seeded(1), roll)[roll.part.Roll]
		if diff := cmp.Diff([]number{}, liveRows(t, s)); diff != "" {
			t.Errorf("before the roll is closed:\n%s", diff)
		}
		done := closeRoll(t, l, roll, segments)
		want := Committed{Key: "_ledger/1970-01-03/" + shardID(1).String() + "-" + roll.part.Close.First + ".json", Rows: map[string]int64{"events": 450, "pages": 450}, Files: 4}
		if diff := cmp.Diff(want, done); diff != "" {
			t.Errorf("the answer (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(rowsOfRolls(roll), liveRows(t, s)); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
		if left := inStaging(t, s); len(left) > 0 {
			t.Errorf("staged stays %q", left)
		}
		for _, key := range keys(t, s, "events/") {
			if !strings.Contains(key, "-s00-r0-") || !strings.HasPrefix(key, "events/year=1970/month=01/day=0") {
				t.Errorf("a file is called %s", key)
			}
		}
		parts, err := ReadLedger(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]ledger.Part{roll.part}, parts); diff != "" {
			t.Errorf("the account (-want +got):\n%s", diff)
		}
		before := objects(t, s)
		done = closeRoll(t, l, roll, segments)
		want.Again = true
		if diff := cmp.Diff(want, done); diff != "" {
			t.Errorf("again (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(before, objects(t, s)); diff != "" {
			t.Errorf("closing it again changes the lake:\n%s", diff)
		}
	})
}

func TestFilesDoNotDependOnHowARollWasCut(t *testing.T) {
	rolls := []testRoll{newRoll(1, 0, 700, 1, 2), newRoll(1, 1, 300, 2), newRoll(2, 0, 41, 1, 2, 900)}
	var first map[string]string
	for seed := range uint64(12) {
		s := openStore(t, t.TempDir())
		l := openLive(t, s)
		l.cut = smallCut
		r := seeded(seed)
		l.frame = 1 + r.IntN(50)
		segments := stage(t, l, r, rolls...)
		r.Shuffle(len(rolls), func(i, j int) { rolls[i], rolls[j] = rolls[j], rolls[i] })
		for _, roll := range rolls {
			list := segments[roll.part.Roll]
			r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			closeRoll(t, l, roll, list)
		}
		if left := inStaging(t, s); !slices.Equal(left, marks(left)) {
			t.Errorf("seed %d: staged stays %q", seed, left)
		}
		got := objects(t, s)
		if first == nil {
			first = got
			if diff := cmp.Diff(rowsOfRolls(rolls...), liveRows(t, s)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			continue
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(first)), slices.Sorted(maps.Keys(got))); diff != "" {
			t.Fatalf("seed %d: other objects (-first +now):\n%s", seed, diff)
		}
		for key := range first {
			if first[key] != got[key] {
				t.Errorf("seed %d: %s has other bytes", seed, key)
			}
		}
	}
}

// marks are those of rolls that shared objects.
func marks(keys []string) []string {
	return slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return !strings.Contains(key, "/"+closedName+"/") })
}

func TestASharedObjectGoesWithTheLastOfItsRolls(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		l := openLive(t, s)
		var rolls []testRoll
		rows := map[string][]*table.Batch{}
		for shard := range segmentRolls + 2 {
			roll := newRoll(shard, 0, 20, 1)
			roll.part.Ledger = ledger.Ledger{In: 20, Events: 18, Duplicate: 2}
			roll.pages = nil
			rolls = append(rolls, roll)
			rows[roll.part.Roll] = []*table.Batch{batchOf(numbers, roll.events)}
		}
		segments, err := l.Stage(t.Context(), "events", rows)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(inStaging(t, s)); n != 2 || len(segments) != len(rolls) {
			t.Fatalf("%d rolls are %d segments in %d objects", len(rolls), len(segments), n)
		}
		for i, roll := range rolls {
			var own []Segment
			for _, seg := range segments {
				if seg.Roll == roll.part.Roll {
					own = append(own, seg)
				}
			}
			closeRoll(t, l, roll, own)
			left := len(inStaging(t, s)) - len(marks(inStaging(t, s)))
			if want := i+1 < len(rolls); want != (left > 0) {
				t.Errorf("after %d of %d rolls %d objects are left", i+1, len(rolls), left)
			}
		}
		if diff := cmp.Diff(rowsOfRolls(rolls...), liveRows(t, s)); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
	})
}

func TestRollsAreClosedSideBySide(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		var rolls []testRoll
		for shard := range 4 {
			for n := range 2 {
				rolls = append(rolls, newRoll(shard, n, 60, 1, 2))
			}
		}
		// Each is closed by two workers that know each other's segments, or their own.
		one, two := openLive(t, s), openLive(t, s)
		segments := stage(t, one, seeded(1), rolls...)
		other := stage(t, two, seeded(2), rolls...)
		var workers sync.WaitGroup
		for i, roll := range rolls {
			cut := segments
			if i%2 == 0 {
				cut = other
			}
			for worker, list := range map[*Live][]Segment{one: segments[roll.part.Roll], two: cut[roll.part.Roll]} {
				workers.Go(func() {
					done, err := worker.CloseRoll(t.Context(), roll.part, list)
					if err != nil || done.Rows["events"] != int64(len(roll.events)) {
						t.Errorf("%+v, %v", done, err)
					}
				})
			}
		}
		workers.Wait()
		if diff := cmp.Diff(rowsOfRolls(rolls...), liveRows(t, s)); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
		alone := openStore(t, t.TempDir())
		for _, roll := range rolls {
			writeRoll(t, alone, roll)
		}
		if diff := cmp.Diff(objects(t, alone), objects(t, s)); diff != "" {
			t.Errorf("the lake is another than when one writes after the other:\n%s", diff)
		}
	})
}

func TestSegmentsThatAreGone(t *testing.T) {
	s := openStore(t, t.TempDir())
	l := openLive(t, s)
	roll := newRoll(1, 0, 100, 1)
	segments := stage(t, l, seeded(1), roll)[roll.part.Roll]
	if err := s.Delete(t.Context(), segments[0].Key); err != nil {
		t.Fatal(err)
	}
	_, err := l.CloseRoll(t.Context(), roll.part, segments)
	for _, want := range []string{roll.part.Roll, segments[0].Key, "rows are lost", "no commit record _ledger/1970-01-03/", "read the shard again"} {
		if !errors.Is(err, driver.ErrNotFound) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	if got := objects(t, s); len(got) > 0 {
		t.Errorf("the failure leaves %q", slices.Sorted(maps.Keys(got)))
	}
	writeRoll(t, s, roll)
	if done := closeRoll(t, l, roll, segments); !done.Again {
		t.Errorf("once another attempt has committed: %+v", done)
	}
}

func TestARollThatDoesNotAddUpIsRefused(t *testing.T) {
	s := openStore(t, t.TempDir())
	l := openLive(t, s)
	roll := newRoll(1, 0, 100, 1)
	segments := stage(t, l, seeded(1), roll)[roll.part.Roll]
	open := roll.part
	open.Close = nil
	short := roll.part
	short.Ledger.In--
	more := roll.part
	closed := *more.Close
	closed.Records++
	more.Close = &closed
	lost := roll.part
	lost.Ledger.Events--
	lost.Ledger.Skipped++
	foreign := slices.Clone(segments)
	foreign[0].Roll = newRoll(2, 0, 1, 1).part.Roll
	for _, c := range []struct {
		name     string
		part     ledger.Part
		segments []Segment
		want     string
	}{
		{"not closed", open, segments, "the end of the roll is not known"},
		{"the ledger is off", short, segments, "DOES NOT BALANCE"},
		{"records did not come", more, segments, "100 records came of the 101"},
		{"other rows than events", lost, segments, "events counts 89 in the ledger, and 90 rows were staged"},
		{"a segment is missing", roll.part, withoutOne(segments, "events"), " in the ledger, and "},
		{"a segment of another roll", roll.part, foreign, "a segment is of the roll"},
	} {
		_, err := l.CloseRoll(t.Context(), c.part, c.segments)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), roll.part.Roll) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if got := objects(t, s); len(got) > 0 {
		t.Errorf("the refusals leave %q", slices.Sorted(maps.Keys(got)))
	}
}

// withoutOne leaves a segment of an output out.
func withoutOne(segments []Segment, output string) []Segment {
	i := slices.IndexFunc(segments, func(s Segment) bool { return s.Output == output })
	return slices.Delete(slices.Clone(segments), i, i+1)
}

func TestACommitOfOtherRowsIsRefused(t *testing.T) {
	s := openStore(t, t.TempDir())
	l := openLive(t, s)
	roll := newRoll(1, 0, 100, 1)
	writeRoll(t, s, roll)
	before := objects(t, s)
	content, day, count, end := roll, roll, newRoll(1, 0, 101, 1), newRoll(1, 0, 100, 1)
	content.events = slices.Clone(roll.events)
	content.events[17].N = 70_000
	day.events = slices.Clone(roll.events)
	day.events[17].At += dayMs
	end.part.Close.End = true
	for want, other := range map[string]testRoll{"another content": content, "as many rows": day, "the roll was": count, "End:true": end} {
		segments := stage(t, l, seeded(1), other)[roll.part.Roll]
		_, err := l.CloseRoll(t.Context(), other.part, segments)
		if !errors.Is(err, driver.ErrConflict) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "_ledger/") {
			t.Errorf("%s: %v", want, err)
		}
	}
	if diff := cmp.Diff(before, objects(t, s)); diff != "" {
		t.Errorf("the refusals change the lake:\n%s", diff)
	}
}

func TestARollWithoutRowsHasAnAccount(t *testing.T) {
	s := openStore(t, t.TempDir())
	l := openLive(t, s)
	roll := newRoll(1, 0, 3, 1)
	roll.part.Ledger = ledger.Ledger{In: 3, Skipped: 3}
	for range 2 {
		closeRoll(t, l, roll, nil)
	}
	if parts, err := ReadLedger(t.Context(), s); err != nil || len(parts) != 1 {
		t.Errorf("the account is %v, %v", parts, err)
	}
	if c, err := LoadOutputs(t.Context(), s); err != nil || len(c) != 0 {
		t.Errorf("outputs %v, %v", c, err)
	}
}

func TestAWindowIsSealedOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		l := openLive(t, s)
		rows := newRoll(1, 0, 400, 1, 2).events
		group := fmt.Sprint(2 * dayMs)
		var first map[string]string
		for seed := range uint64(3) {
			done, err := l.Seal(t.Context(), "events", group, inBatches(seeded(seed), numbers, rows, 90))
			if err != nil || done.Again != (seed > 0) || done.Rows["events"] != 360 || done.Files != 2 {
				t.Fatalf("%+v, %v", done, err)
			}
			if first == nil {
				first = objects(t, s)
			} else if diff := cmp.Diff(first, objects(t, s)); diff != "" {
				t.Errorf("sealing again changes the lake:\n%s", diff)
			}
		}
		if _, there := first["_ledger/sealed/1970-01-03/events-"+group+".json"]; !there {
			t.Errorf("the record is not among %q", slices.Sorted(maps.Keys(first)))
		}
		if diff := cmp.Diff(rowsOfRolls(testRoll{events: rows}), liveRows(t, s)); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
		for name, other := range map[string][]number{"fewer rows": rows[1:], "no rows": nil} {
			if _, err := l.Seal(t.Context(), "events", group, inBatches(seeded(1), numbers, other, 90)); !errors.Is(err, driver.ErrConflict) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := l.Seal(t.Context(), "events", fmt.Sprint(3*dayMs), nil); err != nil {
			t.Errorf("a window without rows: %v", err)
		}
		if diff := cmp.Diff(first, objects(t, s)); diff != "" {
			t.Errorf("refusals and nothing change the lake:\n%s", diff)
		}
		for _, bad := range []string{"", "x", "1.5", "01", "../1"} {
			if _, err := l.Seal(t.Context(), "events", bad, inBatches(seeded(1), numbers, rows, 90)); err == nil {
				t.Errorf("%q is a group", bad)
			}
		}
	})
}

// TestWindowsThatARunBeforeHasSealedStay: a run that goes on behind another has a
// part of their rows only.
func TestWindowsThatARunBeforeHasSealedStay(t *testing.T) {
	s := openStore(t, t.TempDir())
	roll := newRoll(1, 0, 100, 1)
	writeRoll(t, s, roll)
	group := fmt.Sprint(2 * dayMs)
	if _, err := openLive(t, s).Seal(t.Context(), "events", group, inBatches(seeded(1), numbers, roll.events, 90)); err != nil {
		t.Fatal(err)
	}
	was := objects(t, s)
	for before, class := range map[string]error{"live": nil, "another": driver.ErrConflict} {
		after, err := LiveWriting{Run: "after", Schemas: liveSchemas, Before: []string{before}}.open(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range [][]number{roll.events[:20], nil} {
			if _, err := after.Seal(t.Context(), "events", group, inBatches(seeded(1), numbers, part, 90)); !errors.Is(err, class) {
				t.Errorf("%d rows behind the run %s: %v", len(part), before, err)
			}
		}
		// Rolls are whole, so other rows of one are a mistake behind any run.
		other := newRoll(1, 0, 101, 1)
		if _, err := after.CloseRoll(t.Context(), other.part, stage(t, after, seeded(1), other)[other.part.Roll]); !errors.Is(err, driver.ErrConflict) {
			t.Errorf("another roll behind the run %s: %v", before, err)
		}
	}
	for key := range was {
		if objects(t, s)[key] != was[key] {
			t.Errorf("%s changed", key)
		}
	}
}

func TestALiveWritingIsChecked(t *testing.T) {
	for _, c := range []struct {
		w    LiveWriting
		want string
	}{
		{LiveWriting{Run: "a/b", Lake: t.TempDir()}, "does not name a folder"},
		{LiveWriting{Run: "_ledger", Lake: t.TempDir()}, "does not name a folder"},
		{LiveWriting{Run: "r", Lake: t.TempDir(), Schemas: map[string]string{"events": "nothing/7"}}, "unknown schema nothing/7"},
		{LiveWriting{Run: "r", Lake: t.TempDir(), Schemas: map[string]string{"_current": numbers.ID()}}, "does not name a folder"},
		{LiveWriting{Run: "r", Lake: "gopher://x"}, "gopher"},
	} {
		if _, err := c.w.Open(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.w, err)
		}
	}
	l := openLive(t, openStore(t, t.TempDir()))
	if _, err := l.Stage(t.Context(), "sessions", nil); !errors.Is(err, driver.ErrInvalid) {
		t.Errorf("an output that is not declared: %v", err)
	}
	roll := newRoll(1, 0, 1, 1).part.Roll
	if _, err := l.Stage(t.Context(), "events", map[string][]*table.Batch{roll: {table.NewBatch(words)}}); err == nil {
		t.Error("rows of another schema are staged")
	}
	if _, err := l.Stage(t.Context(), "events", map[string][]*table.Batch{"roll": nil}); err == nil {
		t.Error("a roll without a shard is staged")
	}
}

func TestALiveLakeIsReadThroughItsViews(t *testing.T) {
	server := testenv.S3(t)
	for name, location := range map[string]string{"folder": t.TempDir(), "S3": "s3://" + server.Bucket + "/lake"} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, location)
			writeRoll(t, s, newRoll(1, 0, 500, 1, 2))
			writeRoll(t, s, newRoll(2, 0, 50, 2))
			if err := RefreshViews(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			sql := content(t, s, viewsKey)
			got := testenv.DuckDB(t, sql+"SELECT count(*), count(DISTINCT source), min(n) FROM events")
			if diff := cmp.Diff([][]string{{"495", "2", "0"}}, got); diff != "" {
				t.Errorf("the view (-want +got):\n%s", diff)
			}
			if err := RefreshViews(t.Context(), s); err != nil || content(t, s, viewsKey) != sql {
				t.Errorf("refreshed again: %v", err)
			}
		})
	}
}
