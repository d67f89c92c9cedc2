package lakeio

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// attempt closes a roll and tells whether the store failed it.
func attempt(t *testing.T, l *Live, roll testRoll, segments []Segment) (failed bool) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil && p != any(errCrash) {
			panic(p)
		} else if p != nil {
			failed = true
		}
	}()
	_, err := l.CloseRoll(t.Context(), roll.part, segments)
	if err != nil && !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	return err != nil
}

// At whatever step a closing dies, its rows count all or not at all, and a
// repetition, with the same segments or with rows that were staged anew, leaves
// the lake as if nothing had happened.
func TestAClosingThatDiesAtAnyStepCanBeRepeated(t *testing.T) {
	other, roll := newRoll(1, 0, 40, 1), newRoll(1, 1, 60, 1, 2)
	undisturbed := openStore(t, t.TempDir())
	writeRoll(t, undisturbed, other)
	writeRoll(t, undisturbed, roll)
	want, none, all := objects(t, undisturbed), rowsOfRolls(other), rowsOfRolls(other, roll)
	check := func(t *testing.T, newLake func() Store, late, panics, anew bool) {
		t.Helper()
		seen := map[int]bool{}
		n := 0
		for ; ; n++ {
			s := newLake()
			plain := openLive(t, s)
			segments := stage(t, plain, seeded(uint64(n)), other, roll)
			closeRoll(t, plain, other, segments[other.part.Roll])
			checked := watch(s, quiet, func(step string) error {
				rows := liveRows(t, s)
				seen[len(rows)] = true
				if !cmp.Equal(rows, none) && !cmp.Equal(rows, all) {
					t.Errorf("step %d, %s: %d rows count", n, step, len(rows))
				}
				return nil
			})
			failed := attempt(t, openLive(t, crashAt(checked, n, late, panics)), roll, segments[roll.part.Roll])
			again := segments[roll.part.Roll]
			if anew {
				again = stage(t, plain, seeded(uint64(n+1000)), roll)[roll.part.Roll]
			}
			closeRoll(t, plain, roll, again)
			if diff := cmp.Diff(want, objects(t, s)); diff != "" {
				t.Fatalf("dead at step %d, then repeated, the lake is another:\n%s", n, diff)
			}
			if left := inStaging(t, s); anew {
				if err := SweepLive(t.Context(), s, "live", 0); err != nil {
					t.Fatal(err)
				}
			} else if len(left) != len(marks(left)) {
				t.Errorf("dead at step %d: staged stays %q", n, left)
			}
			if left := inStaging(t, s); len(left) != len(marks(left)) {
				t.Errorf("dead at step %d: swept, there stays %q", n, left)
			}
			if !failed {
				break
			}
		}
		if n < 6 || !seen[len(none)] || !seen[len(all)] {
			t.Errorf("%d steps, seen were %v rows", n, slices.Sorted(maps.Keys(seen)))
		}
	}
	eachStore(t, func(t *testing.T, first Store) {
		lakes := 0
		newLake := func() Store {
			lakes++
			return openStore(t, fmt.Sprintf("%s/%d", strings.TrimSuffix(first.Name(""), "/"), lakes))
		}
		_, local := first.(adopter)
		for name, c := range map[string]struct{ late, panics, anew bool }{
			"before the step": {}, "after the step": {late: true, anew: true}, "by a panic, and rows are staged anew": {panics: true, anew: true},
		} {
			if !local && c.panics { // slow, and the steps are the same
				continue
			}
			t.Run(name, func(t *testing.T) { check(t, newLake, c.late, c.panics, c.anew) })
		}
	})
}

func TestASealingThatDiesAtAnyStepCanBeRepeated(t *testing.T) {
	rows := newRoll(1, 0, 100, 1, 2).events
	var want map[string]string
	for _, late := range []bool{false, true} {
		for n := 20; n >= 0; n-- {
			s := openStore(t, t.TempDir())
			seal := func(l *Live, seed uint64) error {
				_, err := l.Seal(t.Context(), "events", "86400000", inBatches(seeded(seed), numbers, rows, 30))
				return err
			}
			if err := seal(openLive(t, crashAt(s, n, late, false)), 1); err != nil && !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			if got := liveRows(t, s); len(got) != 0 && len(got) != len(rows) {
				t.Errorf("dead at step %d: %d rows count", n, len(got))
			}
			if err := seal(openLive(t, s), 2); err != nil {
				t.Fatal(err)
			}
			if want == nil {
				want = objects(t, s)
			} else if diff := cmp.Diff(want, objects(t, s)); diff != "" {
				t.Errorf("dead at step %d, then repeated:\n%s", n, diff)
			}
		}
	}
}

// What fails leaves no part of a file, not even where files are being written.
func TestAFailedClosingLeavesNothingOfItsFiles(t *testing.T) {
	roll := newRoll(1, 0, 60, 1, 2)
	for n := range 4 {
		dir := t.TempDir()
		s := openStore(t, dir)
		segments := stage(t, openLive(t, s), seeded(1), roll)[roll.part.Roll]
		before := filesIn(t, dir)
		l := openLive(t, watch(s, func(step string) error {
			if strings.Contains(step, ".parquet") && n == 0 || strings.Contains(step, ledgerDir) {
				return errCrash
			}
			return nil
		}, quiet))
		if _, err := l.CloseRoll(t.Context(), roll.part, segments); !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		after := slices.DeleteFunc(filesIn(t, dir), func(name string) bool { return n > 0 && strings.HasSuffix(name, ".parquet") })
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("the failure leaves (-before +after):\n%s", diff)
		}
	}
	t.Setenv("TMPDIR", "/nowhere/at/all")
	s := openStore(t, t.TempDir())
	l := openLive(t, s)
	_, err := l.CloseRoll(t.Context(), roll.part, stage(t, l, seeded(1), roll)[roll.part.Roll])
	if err == nil || !strings.Contains(err.Error(), "write to /nowhere/at/all") {
		t.Errorf("without a folder for temporary files: %v", err)
	}
}
