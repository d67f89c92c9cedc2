package lakeio

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"millrace/internal/testenv"
)

// backfill reads input b and replaces day 1 with six rows.
var backfill = input{"run-b", "b", map[int64]int{1: 6}}

// countRows is how many rows of each origin count, by source.
func countRows(t *testing.T, s Store) map[string]int {
	t.Helper()
	rows := map[string]int{}
	for _, r := range liveRows(t, s) {
		rows[r.Source]++
	}
	return rows
}

func wantRows(t *testing.T, s Store, what string, want map[string]int) {
	t.Helper()
	if diff := cmp.Diff(want, countRows(t, s)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
	if err := RefreshViews(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, output := range []string{"events", "pages"} {
		named += strings.Count(content(t, s, viewsKey), "/"+output+"/year")
	}
	if files := len(keys(t, s, "events/")) + len(keys(t, s, "pages/")); named != files {
		t.Errorf("%s: the views name %d files, the lake holds %d", what, named, files)
	}
}

func TestABackfillReplacesLiveDays(t *testing.T) {
	eachLake(t, func(t *testing.T, s Store, staging func(string) string) {
		one, two := shardID(1).String(), shardID(2).String()
		writeRoll(t, s, newRoll(1, 0, 100, 1, 2))
		writeRoll(t, s, newRoll(2, 0, 20, 1))
		st, err := LoadStanding(t.Context(), s, twoOutputs)
		if err != nil {
			t.Fatal(err)
		}
		frozen := st.Frozen("run-b", map[string]bool{"b": true, one: true}, func(int64) bool { return false })
		if diff := cmp.Diff([]int64{1}, slices.Sorted(maps.Keys(frozen))); diff != "" || !strings.Contains(frozen[1], two) || !strings.Contains(frozen[1], "run live") {
			t.Errorf("frozen is %v", frozen)
		}
		backfill.commit(t, s, staging("run-b"))
		wantRows(t, s, "after the backfill", map[string]int{"b": 6, one: 40})
		got := state(t, s)
		if got["events/1970-01-02 by run-b r1"] != 6 || got["events/1970-01-03 by live r0"] != 40 {
			t.Errorf("the state is %v", got)
		}

		l := openLive(t, s)
		repeated := newRoll(2, 0, 20, 1)
		done := closeRoll(t, l, repeated, stage(t, l, seeded(5), repeated)[repeated.part.Roll])
		if !done.Again {
			t.Errorf("a roll from before is written again: %+v", done)
		}
		wantRows(t, s, "closing a replaced roll again", map[string]int{"b": 6, one: 40})

		writeRoll(t, s, newRoll(2, 1, 40, 1))
		wantRows(t, s, "rows that come later", map[string]int{"b": 6, one: 40, two: 36})
		if got := state(t, s); got["events/1970-01-02 by live r1"] != 42 {
			t.Errorf("the state is %v", got)
		}
		backfill.commit(t, s, staging("run-b"))
		wantRows(t, s, "the same backfill again", map[string]int{"b": 6, one: 40})
		if got := state(t, s); got["events/1970-01-02 by run-b r2"] != 6 {
			t.Errorf("the state is %v", got)
		}
		if parts, err := ReadLedger(t.Context(), s); err != nil || len(parts) != 3 {
			t.Errorf("the ledger has %d rolls, %v", len(parts), err)
		}
		if name := s.Name(""); strings.HasPrefix(name, "s3://") {
			rows := testenv.DuckDB(t, content(t, s, viewsKey)+"SELECT count(*) FROM events")
			if diff := cmp.Diff([][]string{{"46"}}, rows); diff != "" {
				t.Errorf("through the view:\n%s", diff)
			}
		}
	})
}

func TestADayThatABackfillEmptiedStaysEmpty(t *testing.T) {
	s := openStore(t, t.TempDir())
	writeRoll(t, s, newRoll(1, 0, 100, 1))
	for _, run := range []string{"run-b", "run-c", "run-c"} {
		in := backfill
		in.run = run
		ch := in.stage(t, s, t.TempDir())
		ch.Files = slices.DeleteFunc(ch.Files, func(f File) bool { return f.Part.Output == "pages" })
		if err := Commit(t.Context(), s, ch); err != nil {
			t.Fatal(err)
		}
		c, err := LoadCurrent(t.Context(), s, "pages")
		if err != nil || len(c.Days["1970-01-02"].Files) > 0 || len(keys(t, s, "pages/")) > 0 {
			t.Errorf("after %s pages has %+v, %v", run, c.Days, err)
		}
	}
	writeRoll(t, s, newRoll(1, 1, 10, 1))
	c, err := LoadCurrent(t.Context(), s, "pages")
	if err != nil || c.Days["1970-01-02"].Rows != 9 {
		t.Errorf("rows that come later: %+v, %v", c.Days, err)
	}
}

// A roll that is closed while a backfill of its day is under way was not read by
// it, at whatever moment of either the other happens. Its rows must stay.
func TestARollClosedDuringABackfillStays(t *testing.T) {
	known, unknown := newRoll(1, 0, 30, 1), newRoll(2, 0, 20, 1)
	two := shardID(2).String()
	want := map[string]int{"b": 6, two: 18}
	begin := func(t *testing.T) (Store, Change, []Segment) {
		s := openStore(t, t.TempDir())
		writeRoll(t, s, known)
		segments := stage(t, openLive(t, s), seeded(3), unknown)[unknown.part.Roll]
		return s, backfill.stage(t, s, t.TempDir()), segments
	}
	// at calls do before the n-th step, and tells afterwards whether it came.
	at := func(s Store, n int, do func()) (Store, *bool) {
		step, came := 0, new(bool)
		return watch(s, func(string) error {
			if step++; step == n+1 {
				*came = true
				do()
			}
			return nil
		}, quiet), came
	}
	end := func(t *testing.T, s Store, what string, segments []Segment) {
		t.Helper()
		wantRows(t, s, what, want)
		closeRoll(t, openLive(t, s), unknown, segments)
		wantRows(t, s, what+", closed again", want)
		if note, err := Recover(t.Context(), s); note != "" || err != nil {
			t.Errorf("%s: a recovery finds %q, %v", what, note, err)
		}
		again := backfill.stage(t, s, t.TempDir())
		if err := Commit(t.Context(), s, again); err != nil {
			t.Fatal(err)
		}
		wantRows(t, s, what+", and replaced by the next backfill", map[string]int{"b": 6})
	}
	t.Run("inside the backfill's commit", func(t *testing.T) {
		for n := 0; ; n++ {
			s, ch, segments := begin(t)
			during, came := at(s, n, func() { closeRoll(t, openLive(t, s), unknown, segments) })
			if err := Commit(t.Context(), during, ch); err != nil {
				t.Fatal(err)
			}
			if !*came {
				if n < 8 {
					t.Errorf("the commit has %d steps", n)
				}
				return
			}
			end(t, s, fmt.Sprintf("before step %d", n), segments)
		}
	})
	t.Run("around the backfill's commit", func(t *testing.T) {
		for n := 0; ; n++ {
			s, ch, segments := begin(t)
			during, came := at(s, n, func() {
				if err := Commit(t.Context(), s, ch); err != nil {
					t.Fatal(err)
				}
			})
			closeRoll(t, openLive(t, during), unknown, segments)
			if !*came {
				if n < 4 {
					t.Errorf("the closing has %d steps", n)
				}
				return
			}
			end(t, s, fmt.Sprintf("before step %d", n), segments)
		}
	})
	t.Run("and dead after its record", func(t *testing.T) {
		s, ch, segments := begin(t)
		dying := watch(s, func(step string) error {
			if strings.HasPrefix(step, "put "+ledgerDir) {
				if err := Commit(t.Context(), s, ch); err != nil {
					t.Fatal(err)
				}
			}
			return nil
		}, func(step string) error {
			if strings.HasPrefix(step, "put "+ledgerDir) {
				return errCrash
			}
			return nil
		})
		if !attempt(t, openLive(t, dying), unknown, segments) {
			t.Fatal("it does not die")
		}
		closeRoll(t, openLive(t, s), unknown, segments)
		end(t, s, "repeated", segments)
	})
	t.Run("twice, before and after it", func(t *testing.T) {
		s, ch, segments := begin(t)
		slow := watch(s, func(step string) error {
			if strings.HasPrefix(step, "put "+ledgerDir) {
				if err := Commit(t.Context(), s, ch); err != nil {
					t.Fatal(err)
				}
				if done := closeRoll(t, openLive(t, s), unknown, segments); done.Again {
					t.Error("the slow one was first")
				}
			}
			return nil
		}, quiet)
		anew := stage(t, openLive(t, s), seeded(4), unknown)[unknown.part.Roll]
		if done := closeRoll(t, openLive(t, slow), unknown, anew); !done.Again {
			t.Error("the slow one has written it, too")
		}
		end(t, s, "closed twice", segments)
	})
	for _, dies := range []bool{false, true} {
		t.Run(fmt.Sprintf("by a slow attempt that beats one of after it, which dies: %t", dies), func(t *testing.T) {
			s, ch, segments := begin(t)
			begun, goOn, done := make(chan bool), make(chan bool), make(chan bool)
			atRecord := func(do func() error) Store {
				return watch(s, func(step string) error {
					if strings.HasPrefix(step, "put "+ledgerDir) {
						return do()
					}
					return nil
				}, quiet)
			}
			first := true
			slow := atRecord(func() error {
				if first { // not when it is raised
					first = false
					begun <- true
					<-goOn
				}
				return nil
			})
			go func() {
				defer close(done)
				if _, err := openLive(t, slow).CloseRoll(t.Context(), unknown.part, segments); err != nil {
					t.Error(err)
				}
			}()
			anew := stage(t, openLive(t, s), seeded(4), unknown)[unknown.part.Roll]
			<-begun
			if err := Commit(t.Context(), s, ch); err != nil {
				t.Fatal(err)
			}
			late := atRecord(func() error {
				if dies {
					return errCrash
				}
				close(goOn)
				<-done
				return nil
			})
			if failed := attempt(t, openLive(t, late), unknown, anew); failed != dies {
				t.Errorf("the later attempt failed: %v", failed)
			}
			if dies {
				close(goOn)
				<-done
			}
			end(t, s, "closed by the slow one", segments)
		})
	}
	t.Run("by an attempt that died before it", func(t *testing.T) {
		s, ch, segments := begin(t)
		dying := watch(s, func(step string) error {
			if strings.HasPrefix(step, "put "+ledgerDir) {
				return errCrash
			}
			return nil
		}, quiet)
		if !attempt(t, openLive(t, dying), unknown, segments) {
			t.Fatal("it does not die")
		}
		if err := Commit(t.Context(), s, ch); err != nil {
			t.Fatal(err)
		}
		closeRoll(t, openLive(t, s), unknown, segments)
		end(t, s, "closed after it", segments)
	})
	t.Run("beside a commit that dies and is carried through", func(t *testing.T) {
		for n := 1; ; n++ { // before step 0 nothing is decided
			s, ch, segments := begin(t)
			if !crash(t, crashAt(s, n, false, false), ch) {
				return
			}
			closeRoll(t, openLive(t, s), unknown, segments)
			if _, err := Recover(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			if countRows(t, s)["b"] == 0 {
				continue // the ledger was compacted and no more
			}
			end(t, s, fmt.Sprintf("dead at step %d", n), segments)
		}
	})
}
