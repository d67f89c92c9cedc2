package lakeio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// watched is a store that tells of every step that changes it, before and after;
// an error of either is that of the step. Keys are deleted one by one.
type watched struct {
	Store
	before, after func(step string) error
}

func (s watched) do(step string, change func() error) error {
	if err := s.before(step); err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	return s.after(step)
}

func (s watched) Put(ctx context.Context, key string, r io.Reader, opt PutOptions) (info Info, err error) {
	err = s.do("put "+key, func() error { info, err = s.Store.Put(ctx, key, r, opt); return err })
	return info, err
}

func (s watched) Create(ctx context.Context, key string, opt PutOptions) (Writer, error) {
	w, err := s.Store.Create(ctx, key, opt)
	return watchedWriter{w, s, key}, err
}

// watchedWriter tells of its end, which is when something appears.
type watchedWriter struct {
	Writer
	store watched
	key   string
}

func (w watchedWriter) Commit(ctx context.Context) (info Info, err error) {
	err = w.store.do("put "+w.key, func() error { info, err = w.Writer.Commit(ctx); return err })
	return info, err
}

func (s watched) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := s.do("delete "+key, func() error { return s.Store.Delete(ctx, key) }); err != nil {
			return err
		}
	}
	return nil
}

// watchedFiles can adopt, too.
type watchedFiles struct{ watched }

func (s watchedFiles) adopt(path, key string) error {
	return s.do("put "+key, func() error { return s.Store.(adopter).adopt(path, key) })
}

// watchedObjects can copy, too.
type watchedObjects struct{ watched }

func (s watchedObjects) copyFrom(ctx context.Context, from Store, object, key string) (done bool, err error) {
	err = s.do("put "+key, func() error {
		done, err = s.Store.(copier).copyFrom(ctx, from, object, key)
		return err
	})
	return done, err
}

func quiet(string) error { return nil }

func watch(s Store, before, after func(step string) error) Store {
	if _, ok := s.(copier); ok {
		return watchedObjects{watched{s, before, after}}
	}
	if _, ok := s.(adopter); ok {
		return watchedFiles{watched{s, before, after}}
	}
	return watched{s, before, after}
}

func TestACommitPutsSwitchesAndOnlyThenRemoves(t *testing.T) {
	eachLake(t, func(t *testing.T, s Store, staging func(string) string) {
		inputA.commit(t, s, staging("run-a"))
		ch := inputB.stage(t, s, staging("run-b"))
		var order []string
		kind := func(step string) string {
			verb, key, _ := strings.Cut(step, " ")
			if folder, _, below := strings.Cut(key, "/"); below && strings.HasPrefix(folder, "_") {
				return verb + " " + folder
			} else if below {
				return verb + " data"
			}
			return step
		}
		watcher := watch(s, quiet, func(step string) error { order = append(order, kind(step)); return nil })
		if err := Commit(t.Context(), watcher, ch); err != nil {
			t.Fatal(err)
		}
		want := []string{"put _commit.json", "put data", "put _current", "put _runs", "put _current", "delete data", "delete _commit.json"}
		if diff := cmp.Diff(want, slices.Compact(order)); diff != "" {
			t.Errorf("steps (-want +got):\n%s", diff)
		}
	})
}

var errCrash = errors.New("crash")

// crashAt is a store whose steps from the n-th on fail, before or after they
// happen; the first by a panic, if wanted.
func crashAt(s Store, n int, late, panics bool) Store {
	step := 0
	fail := func(string) error {
		if step++; step > n && panics {
			panic(errCrash)
		}
		if step > n {
			return errCrash
		}
		return nil
	}
	if late {
		dead := false
		return watch(s, func(string) error {
			if dead {
				return errCrash
			}
			return nil
		}, func(step string) error { err := fail(step); dead = err != nil; return err })
	}
	return watch(s, fail, quiet)
}

// crash commits until the store fails for good, and tells whether it did.
func crash(t *testing.T, s Store, ch Change) (crashed bool) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil && p != any(errCrash) {
			panic(p)
		} else if p != nil {
			crashed = true
		}
	}()
	err := Commit(t.Context(), s, ch)
	if err != nil && !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	return err != nil
}

// At whatever step a commit dies, the next run brings the lake into the state
// before or after it, never one between, and at no time does a state name a file
// that is not there.
func TestACommitThatDiesAtAnyStepIsBeforeOrAfter(t *testing.T) {
	cases := func(t *testing.T, newLake func() (Store, func(string) string), late, panics, gone bool) {
		t.Helper()
		seen := map[string]bool{}
		for n := 0; ; n++ {
			s, staging := newLake()
			inputA.commit(t, s, staging("run-a"))
			before, rowsBefore := objects(t, s), state(t, s)
			ch := inputB.stage(t, s, staging("run-b"))
			checked := watch(s, quiet, func(step string) error {
				if _, err := byManifest(s); err != nil {
					t.Errorf("step %d, %s: %v", n, step, err)
				}
				return nil
			})
			crashed := crash(t, crashAt(checked, n, late, panics), ch)
			if gone {
				if err := openStaging(t, staging("run-b")).Remove(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := Recover(t.Context(), checked); err != nil {
				t.Fatalf("step %d: recovery: %v", n, err)
			}
			now, rows := objects(t, s), state(t, s)
			after := maps.Clone(rowsBefore)
			for key := range after {
				if strings.Contains(key, "1970-01-02") {
					delete(after, key)
				}
			}
			for _, output := range []string{"events", "pages"} {
				after[output+"/1970-01-02 by run-b r1"], after[output+"/1970-01-03 by run-b r0"] = 6, 2
			}
			switch {
			case cmp.Equal(before, now):
				seen["before"] = true
			case cmp.Equal(after, rows) && len(now) == len(before)+2+1: // files of a new day, a run's note
				seen["after"] = true
			default:
				t.Errorf("dead at step %d the lake is neither as before nor as after: %v", n, slices.Sorted(maps.Keys(now)))
			}
			if note, err := Recover(t.Context(), s); note != "" || err != nil {
				t.Errorf("step %d: a second recovery finds %q, %v", n, note, err)
			}
			if !crashed {
				if n < 10 {
					t.Errorf("the commit has only %d steps", n)
				}
				break
			}
		}
		if want := map[string]bool{"before": !late, "after": true}; !cmp.Equal(want, map[string]bool{"before": seen["before"], "after": seen["after"]}) {
			t.Errorf("only seen: %v", seen)
		}
	}
	eachLake(t, func(t *testing.T, first Store, staging func(string) string) {
		// Each crash is of a lake of its own.
		lakes := 0
		newLake := func() (Store, func(string) string) {
			lakes++
			location := fmt.Sprintf("%s/%d", strings.TrimSuffix(first.Name(""), "/"), lakes)
			return openStore(t, location), func(run string) string { return fmt.Sprintf("%s/%d", staging(run), lakes) }
		}
		_, local := first.(adopter)
		for name, c := range map[string]struct{ late, panics, gone bool }{
			"before the step": {}, "after the step": {late: true},
			"by a panic, and the staged files are gone": {gone: true, panics: true},
		} {
			if !local && name != "before the step" { // slow, and the steps are the same
				continue
			}
			t.Run(name, func(t *testing.T) { cases(t, newLake, c.late, c.panics, c.gone) })
		}
	})
}

// One step that fails, whether it was done or not, is undone at once.
func TestACommitWithOneFailureIsUndoneOrDone(t *testing.T) {
	for _, late := range []bool{false, true} {
		for n := 0; ; n++ {
			dir := t.TempDir()
			s := openStore(t, dir)
			inputA.commit(t, s, stagingIn(t, dir, "run-a"))
			before := objects(t, s)
			ch := inputB.stage(t, s, stagingIn(t, dir, "run-b"))
			step := 0
			fail := func(string) error {
				if step++; step == n+1 {
					return errCrash
				}
				return nil
			}
			hooks := []func(string) error{fail, quiet}
			checked := watch(s, quiet, func(step string) error {
				if _, err := byManifest(s); err != nil {
					t.Errorf("failing at step %d, after %s: %v", n, step, err)
				}
				return nil
			})
			if late {
				slices.Reverse(hooks)
			}
			err := Commit(t.Context(), watch(checked, hooks[0], hooks[1]), ch)
			if err == nil {
				break
			}
			if _, stillThere := objects(t, s)[commitKey]; stillThere {
				if _, err := Recover(t.Context(), s); err != nil {
					t.Fatal(err)
				}
			}
			if rows := state(t, s); !cmp.Equal(before, objects(t, s)) && rows["pages/1970-01-03 by run-b r0"] != 2 {
				t.Errorf("failing at step %d (done: %v) leaves %v", n, late, rows)
			}
		}
	}
}

func TestACancelledCommitIsUndoneOrDone(t *testing.T) {
	for n := 0; ; n++ {
		dir := t.TempDir()
		s := openStore(t, dir)
		inputA.commit(t, s, stagingIn(t, dir, "run-a"))
		before := objects(t, s)
		ch := inputB.stage(t, s, stagingIn(t, dir, "run-b"))
		ctx, cancel := context.WithCancel(t.Context())
		step := 0
		err := Commit(ctx, watch(s, quiet, func(string) error {
			if step++; step == n {
				cancel()
			}
			return nil
		}), ch)
		cancel()
		after := objects(t, s)
		if _, open := after[commitKey]; open {
			t.Errorf("cancelled after step %d it leaves its log: %v", n, err)
		}
		switch done := state(t, s)["pages/1970-01-03 by run-b r0"] == 2; {
		case err == nil && !done:
			t.Errorf("cancelled after step %d it did not happen, and there is no error", n)
		case err != nil && !done && !cmp.Equal(before, after):
			t.Errorf("cancelled after step %d: %v", n, cmp.Diff(slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after))))
		case err != nil && !errors.Is(err, context.Canceled):
			t.Errorf("the error is %v", err)
		}
		if step < n {
			return
		}
	}
}

func TestOnS3AFileIsPlacedByItsHash(t *testing.T) {
	eachLake(t, func(t *testing.T, s Store, staging func(string) string) {
		_, local := LocalDir(staging("run-a"))
		if _, moves := s.(adopter); moves || !local {
			return // the file itself is taken over, or copied by the server
		}
		ch := inputA.stage(t, s, staging("run-a"))
		data := []byte(read(t, ch.Files[0].Staged))
		data[len(data)/2] ^= 1
		write(t, ch.Files[0].Staged, string(data))
		if err := Commit(t.Context(), s, ch); err == nil {
			t.Error("a file that was changed while staged is placed")
		}
		if left := objects(t, s); len(left) > 0 {
			t.Errorf("left: %q", slices.Sorted(maps.Keys(left)))
		}
	})
}
