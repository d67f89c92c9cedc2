package lakeio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/mutate"
	"millrace/io/driver"
	"millrace/schemas/ledger"
	"millrace/schemas/table"
)

// onDays makes one roll of each of some shards for each day of arrival.
func onDays(shards int, days ...int64) (rolls []testRoll) {
	for shard := range shards {
		for n, day := range days {
			roll := newRoll(shard, n, 20, day)
			roll.part.Close.FirstArrival, roll.part.Close.LastArrival = day*dayMs, day*dayMs+1
			rolls = append(rolls, roll)
		}
	}
	return rolls
}

func accountOf(rolls ...testRoll) []ledger.Part {
	var parts []ledger.Part
	for _, r := range rolls {
		parts = append(parts, r.part)
	}
	slices.SortFunc(parts, func(a, b ledger.Part) int { return strings.Compare(a.Roll, b.Roll) })
	return parts
}

func wantAccount(t *testing.T, s Store, what string, rolls []testRoll) {
	t.Helper()
	parts, err := ReadLedger(t.Context(), s)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if diff := cmp.Diff(accountOf(rolls...), parts); diff != "" {
		t.Errorf("%s: the account (-want +got):\n%s", what, diff)
	}
}

func day(n int64) time.Time { return time.UnixMilli(n * dayMs) }

func TestRecordsOfPastDaysAreBroughtTogether(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		rolls := onDays(3, 10, 11, 12)
		for _, roll := range rolls {
			writeRoll(t, s, roll)
		}
		l := openLive(t, s)
		if _, err := l.Seal(t.Context(), "events", fmt.Sprint(10*dayMs), []*table.Batch{batchOf(numbers, []number{{At: 9 * dayMs, Source: "x"}})}); err != nil {
			t.Fatal(err)
		}
		rows := liveRows(t, s)
		want := []string{"_ledger/1970-01-11.jsonl.gz", "_ledger/1970-01-12.jsonl.gz"}
		for _, roll := range rolls {
			if key, _, _ := rollKey(roll.part); strings.HasPrefix(key, "_ledger/1970-01-13/") {
				want = append(want, key)
			}
		}
		want = append(want, "_ledger/sealed/1970-01-11.jsonl.gz")
		slices.Sort(want)
		for range 2 {
			if err := CompactLedger(t.Context(), s, day(12)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, keys(t, s, ledgerDir)); diff != "" {
				t.Errorf("the ledger consists of (-want +got):\n%s", diff)
			}
			wantAccount(t, s, "compacted", rolls)
			if diff := cmp.Diff(rows, liveRows(t, s)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		}
		before := objects(t, s)
		again := rolls[0]
		if done := closeRoll(t, l, again, stage(t, l, seeded(1), again)[again.part.Roll]); !done.Again {
			t.Errorf("a compacted roll is written again: %+v", done)
		}
		if diff := cmp.Diff(before, objects(t, s)); diff != "" {
			t.Errorf("closing a compacted roll again changes the lake:\n%s", diff)
		}
		again.events = slices.Clone(again.events)
		again.events[3].N += 70_000
		if _, err := l.CloseRoll(t.Context(), again.part, stage(t, l, seeded(1), again)[again.part.Roll]); !errors.Is(err, driver.ErrConflict) {
			t.Errorf("other rows of a compacted roll: %v", err)
		}
		late := onDays(4, 10, 11)[6:] // another shard, read days later
		for _, roll := range late {
			writeRoll(t, s, roll)
		}
		if err := CompactLedger(t.Context(), s, day(12)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, keys(t, s, ledgerDir)); diff != "" {
			t.Errorf("with later records the ledger consists of (-want +got):\n%s", diff)
		}
		wantAccount(t, s, "compacted once more", append(rolls, late...))
	})
}

func TestACompactionThatDiesAtAnyStepLosesNothing(t *testing.T) {
	rolls := onDays(2, 10, 11)
	for _, late := range []bool{false, true} {
		for n := 0; ; n++ {
			s := openStore(t, t.TempDir())
			for _, roll := range rolls[:3] {
				writeRoll(t, s, roll)
			}
			if n%2 == 0 {
				if err := CompactLedger(t.Context(), s, day(12)); err != nil {
					t.Fatal(err)
				}
			}
			writeRoll(t, s, rolls[3])
			checked := watch(s, quiet, func(step string) error { wantAccount(t, s, step, rolls); return nil })
			err := CompactLedger(t.Context(), crashAt(checked, n/2, late, false), day(12))
			if err != nil && !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			wantAccount(t, s, "dead", rolls)
			if err := CompactLedger(t.Context(), s, day(12)); err != nil {
				t.Fatal(err)
			}
			wantAccount(t, s, "repeated", rolls)
			if left := keys(t, s, ledgerDir); len(left) != 2 {
				t.Errorf("dead at step %d, then repeated, there is %q", n/2, left)
			}
			if err == nil && n%2 == 1 {
				break
			}
		}
	}
}

func TestRecordsAreReadAndPutWhileTheyAreCompacted(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		rolls := onDays(2, 10, 11, 12, 13)
		for _, roll := range rolls[:4] {
			writeRoll(t, s, roll)
		}
		var workers sync.WaitGroup
		for range 2 {
			workers.Go(func() {
				for range 8 {
					if err := CompactLedger(t.Context(), s, day(20)); err != nil {
						t.Error(err)
					}
				}
			})
			workers.Go(func() {
				for range 10 {
					parts, err := ReadLedger(t.Context(), s)
					if err != nil || len(parts) < 4 {
						t.Errorf("a reader meets %d rolls, %v", len(parts), err)
					}
				}
			})
		}
		l := openLive(t, s)
		for _, roll := range rolls[4:] {
			closeRoll(t, l, roll, stage(t, l, seeded(1), roll)[roll.part.Roll])
		}
		workers.Wait()
		wantAccount(t, s, "in the end", rolls)
		if diff := cmp.Diff(rowsOfRolls(rolls...), liveRows(t, s)); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
	})
}

// passingStore compacts a lake's ledger while it is first listed, at the worst
// moment: behind the names of compacted objects, and before the folders of records.
type passingStore struct {
	Store
	t    *testing.T
	once sync.Once
}

func (s *passingStore) List(ctx context.Context, prefix string) (infos []Info, err error) {
	infos, err = s.Store.List(ctx, prefix)
	s.once.Do(func() {
		if err := CompactLedger(s.t.Context(), s.Store, day(20)); err != nil {
			s.t.Error(err)
		}
		infos = nil
	})
	return infos, err
}

func TestADayThatIsCompactedWhileItIsListedCounts(t *testing.T) {
	s := openStore(t, t.TempDir())
	rolls := onDays(2, 10, 11)
	for _, roll := range rolls {
		writeRoll(t, s, roll)
	}
	wantAccount(t, &passingStore{Store: s, t: t}, "meanwhile", rolls)
}

func TestABatchCommitCompactsPastDays(t *testing.T) {
	s := openStore(t, t.TempDir())
	rolls := onDays(2, 10)
	for _, roll := range rolls {
		writeRoll(t, s, roll)
	}
	inputA.commit(t, s, t.TempDir())
	if diff := cmp.Diff([]string{"_ledger/1970-01-11.jsonl.gz"}, keys(t, s, ledgerDir)); diff != "" {
		t.Error(diff)
	}
	wantAccount(t, s, "after the batch", rolls)
}

func TestADamagedLedgerIsNamed(t *testing.T) {
	roll := newRoll(1, 0, 10, 1)
	key, _, err := rollKey(roll.part)
	if err != nil {
		t.Fatal(err)
	}
	compacted := path.Dir(key) + compactedExt
	for _, c := range []struct{ name, key, text, want string }{
		{"a torn record", key, `{"key": "_led`, "unexpected end"},
		{"a record of another place", "_ledger/1970-01-03/other.json", "", "it is the record " + key},
		{"no gzip", compacted, "plain text", "gzip"},
		{"a torn object", compacted, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", "EOF"},
	} {
		s := openStore(t, t.TempDir())
		writeRoll(t, s, roll)
		text := c.text
		if text == "" {
			text = content(t, s, key)
		}
		mustPut(t, s, c.key, text, PutOptions{})
		_, err := ReadLedger(t.Context(), s)
		for _, want := range []string{s.Name(c.key), c.want, "restore it from a backup"} {
			if !errors.Is(err, driver.ErrCorrupt) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in: %v", c.name, want, err)
			}
		}
		if _, err := LoadCurrent(t.Context(), s, "events"); !errors.Is(err, driver.ErrCorrupt) {
			t.Errorf("%s: what events consists of: %v", c.name, err)
		}
	}
}

func TestASweepSparesWhatMayBeNeeded(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		l := openLive(t, s)
		done, open := newRoll(1, 0, 30, 1), newRoll(1, 1, 30, 1)
		segments := stage(t, l, seeded(1), done)
		orphans := stage(t, l, seeded(2), done)
		both := stage(t, l, seeded(3), done, open)
		closeRoll(t, l, done, segments[done.part.Roll])
		if err := SweepLive(t.Context(), s, "live", 0); err != nil {
			t.Fatal(err)
		}
		left := inStaging(t, s)
		for _, seg := range orphans[done.part.Roll] {
			if slices.Contains(left, seg.Key) {
				t.Errorf("%s of a committed roll stays", seg.Key)
			}
		}
		for _, seg := range both[open.part.Roll] {
			if !slices.Contains(left, seg.Key) {
				t.Errorf("%s of an open roll is gone", seg.Key)
			}
		}
		closeRoll(t, l, open, both[open.part.Roll])
		stage(t, l, seeded(4), newRoll(7, 0, 30, 1)) // of a job that never goes on
		if err := SweepLive(t.Context(), s, "another", time.Nanosecond); err != nil {
			t.Fatal(err)
		}
		if len(inStaging(t, s)) == 0 {
			t.Error("sweeping one run takes what is another's")
		}
		if err := SweepLive(t.Context(), s, "live", time.Nanosecond); err != nil {
			t.Fatal(err)
		}
		if left := inStaging(t, s); len(left) > 0 {
			t.Errorf("of what is old there stays %q", left)
		}
		if diff := cmp.Diff(rowsOfRolls(done, open), liveRows(t, s)); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
	})
}

func TestALakeOfTwoSchemaVersionsIsNotWrittenTo(t *testing.T) {
	s := openStore(t, t.TempDir())
	writeRoll(t, s, newRoll(1, 0, 30, 1))
	newer := *numbers
	newer.Version = 2
	if _, err := LoadStanding(t.Context(), s, map[string]*table.Schema{"events": &newer}); !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), "test.numbers/2") {
		t.Errorf("a batch of another version: %v", err)
	}
	inputA.commit(t, s, t.TempDir())
	l := openLive(t, s)
	l.schemas["events"] = &newer
	roll := newRoll(1, 1, 30, 1)
	if _, err := l.CloseRoll(t.Context(), roll.part, stage(t, openLive(t, s), seeded(1), roll)[roll.part.Roll]); !errors.Is(err, driver.ErrInvalid) || !strings.Contains(err.Error(), "test.numbers/1") {
		t.Errorf("a live job of another version: %v", err)
	}
}

// FuzzLedgerRecord reads any bytes as a commit record: what is accepted can be
// written and read again as the same.
func FuzzLedgerRecord(tf *testing.F) {
	f := mutate.Of(tf)
	roll := newRoll(1, 0, 10, 1)
	r, err := (&Live{schemas: nil}).rollRecord(roll.part, nil)
	if err != nil {
		f.Fatal(err)
	}
	r.Parts = []livePart{{Output: "events", Day: "1970-01-02", Files: []CurrentFile{{Key: "events/a"}}}}
	text, err := json.Marshal(r)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"key":"_ledger/sealed/x/y.json","output":"events","group":"1","parts":[{"output":"events","day":"1970-01-01","files":[{"key":"events/../x"}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := decodeRecord(text)
		if err != nil {
			return
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := decodeRecord(again); err != nil || r.differs(back) != "" {
			t.Errorf("%s comes back as %s, %v", text, again, err)
		}
	})
}

// oneObject is a store of one object.
type oneObject struct {
	Store
	text []byte
}

func (s oneObject) Get(context.Context, string) (io.ReadCloser, Info, error) {
	return io.NopCloser(bytes.NewReader(s.text)), Info{Size: int64(len(s.text))}, nil
}

// FuzzCompactedLedger reads any bytes as the records of a day: they give records
// of that day or an error.
func FuzzCompactedLedger(tf *testing.F) {
	f := mutate.Of(tf)
	var packed bytes.Buffer
	if err := writeCompacted(&packed, map[string][]byte{"a": []byte(`{"key":"_ledger/d/a.json","output":"events","group":"1"}`)}); err != nil {
		f.Fatal(err)
	}
	f.Add(packed.Bytes())
	f.Add(packed.Bytes()[:packed.Len()-9])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		s := oneObject{newFileStore("lake"), text}
		err := readCompacted(noContext{}, s, "_ledger/d", func(r *liveRecord, line []byte) error {
			if path.Dir(r.Key) != "_ledger/d" || bytes.ContainsRune(line, '\n') {
				t.Errorf("a record of %s: %q", r.Key, line)
			}
			return nil
		})
		if err != nil && !errors.Is(err, driver.ErrCorrupt) {
			t.Errorf("the error is %v", err)
		}
	})
}

func TestClearingStagingAreasSparesLiveRuns(t *testing.T) {
	lake := t.TempDir()
	s := openStore(t, lake)
	l := openLive(t, s)
	roll := newRoll(1, 0, 30, 1)
	segments := stage(t, l, seeded(1), roll)[roll.part.Roll]
	w, err := s.Create(t.Context(), "events/under-way", PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range []string{"dead", "mine"} {
		if err := openStaging(t, stagingIn(t, lake, run)).Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	mustPut(t, s, stagingName+"/dead/runs/x", "x", PutOptions{})
	mustPut(t, s, stagingName+"/mine/done/x.json", "x", PutOptions{})
	before := inStaging(t, s)
	if err := ClearStaging(t.Context(), lake+"/"+stagingName, "mine"); err != nil {
		t.Fatal(err)
	}
	before = slices.DeleteFunc(before, func(key string) bool { return strings.Contains(key, "/dead/") })
	if diff := cmp.Diff(before, inStaging(t, s)); diff != "" {
		t.Errorf("cleared (-want +got):\n%s", diff)
	}
	if _, err := w.Commit(t.Context()); err != nil {
		t.Errorf("a write under way: %v", err)
	}
	closeRoll(t, l, roll, segments)
	if err := ClearStaging(t.Context(), t.TempDir()+"/nowhere", "mine"); err != nil {
		t.Errorf("where nothing is: %v", err)
	}
}
