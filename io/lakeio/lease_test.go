package lakeio

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"millrace/internal/testenv"
	"millrace/io/driver"
)

func acquire(t *testing.T, s Store, run string) *Lease {
	t.Helper()
	l, err := AcquireLease(t.Context(), s, "lake", Owner{Run: run})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestOneHoldsALeaseAndTheOtherLearnsWho(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		first := acquire(t, s, "run-1")
		_, err := AcquireLease(t.Context(), s, "lake", Owner{Run: "run-2"})
		host, _ := os.Hostname()
		for _, want := range []string{s.Name(""), "run run-1", "process ", host, "since 20", "wait until it ends"} {
			if !errors.Is(err, driver.ErrBusy) || !strings.Contains(err.Error(), want) {
				t.Errorf("%q is not in: %v", want, err)
			}
		}
		other, err := AcquireLease(t.Context(), s, "another", Owner{Run: "run-3"})
		if err != nil {
			t.Errorf("a lease of another name: %v", err)
		} else if err := other.Release(); err != nil {
			t.Error(err)
		}
		if err := first.Check(t.Context()); err != nil || first.Context().Err() != nil {
			t.Errorf("the holder meets %v, %v", err, first.Context().Err())
		}
		if err := first.Release(); err != nil {
			t.Fatal(err)
		}
		if first.Context().Err() == nil {
			t.Error("the context outlives the lease")
		}
		second := acquire(t, s, "run-2")
		if err := second.Release(); err != nil {
			t.Error(err)
		}
	})
}

func TestALockInAFolderLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	l := acquire(t, openStore(t, dir), "r")
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("the folder has %v, %v", entries, err)
	}
}

func TestOfManyContendersOneWins(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		for range 3 { // fresh, then released
			var holder atomic.Pointer[Lease]
			var contenders sync.WaitGroup
			for range 16 {
				contenders.Go(func() {
					l, err := AcquireLease(t.Context(), s, "lake", Owner{Run: "r"})
					if err == nil && !holder.CompareAndSwap(nil, l) {
						t.Error("two hold the lease")
					} else if err != nil && !errors.Is(err, driver.ErrBusy) {
						t.Errorf("a loser meets %v", err)
					}
				})
			}
			contenders.Wait()
			if holder.Load() == nil {
				t.Fatal("nobody holds the lease")
			}
			if err := holder.Load().Release(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestReleaseAndAcquireInTurnKeepOneHolder(t *testing.T) {
	s := openStore(t, t.TempDir())
	var holders atomic.Int64
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range 200 {
				l, err := AcquireLease(t.Context(), s, "lake", Owner{Run: "r"})
				if errors.Is(err, driver.ErrBusy) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if holders.Add(1) != 1 {
					t.Error("two hold the lease")
				}
				holders.Add(-1)
				if err := l.Release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	workers.Wait()
}

// TestHelperHoldsForEver is the process that the next test kills.
func TestHelperHoldsForEver(t *testing.T) {
	dir := os.Getenv("LAKEIO_TEST_HOLD")
	if dir == "" {
		return
	}
	acquire(t, openStore(t, dir), "killed-run")
	_, _ = os.Stdout.WriteString("holding\n")
	select {}
}

func TestAKilledHolderBlocksNobody(t *testing.T) {
	dir := t.TempDir()
	cmd := startHelper(t, "TestHelperHoldsForEver", "LAKEIO_TEST_HOLD="+dir, "holding")
	s := openStore(t, dir)
	if _, err := AcquireLease(t.Context(), s, "lake", Owner{Run: "r"}); !errors.Is(err, driver.ErrBusy) || !strings.Contains(err.Error(), "killed-run") {
		t.Errorf("while it lives: %v", err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if err := acquire(t, s, "r").Release(); err != nil {
		t.Error(err)
	}
}

func TestARemovedLockIsALostLease(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	l := acquire(t, s, "r")
	if err := os.Remove(filepath.Join(dir, leaseDir, "lake.lock")); err != nil {
		t.Fatal(err)
	}
	other := acquire(t, s, "other")
	l.confirm()
	wantLost(t, l)
	if err := l.Release(); err != nil {
		t.Error(err)
	}
	if err := other.Check(t.Context()); err != nil {
		t.Errorf("the release of a lost lease disturbs its new holder: %v", err)
	}
	if err := other.Release(); err != nil {
		t.Error(err)
	}
}

func wantLost(t *testing.T, l *Lease) {
	t.Helper()
	if l.Context().Err() == nil || !errors.Is(context.Cause(l.Context()), driver.ErrLeaseLost) {
		t.Errorf("the context is at %v, cause %v", l.Context().Err(), context.Cause(l.Context()))
	}
	if err := l.Check(t.Context()); !errors.Is(err, driver.ErrLeaseLost) {
		t.Errorf("check gives %v", err)
	}
}

func TestAnUnrenewedLeaseOnS3IsTakenOverByOne(t *testing.T) {
	server := testenv.S3(t)
	s := openStore(t, "s3://"+server.Bucket+"/lake")
	first := acquire(t, s, "dead")
	dead, err := s.Stat(t.Context(), leaseDir+"/lake.json")
	if err != nil {
		t.Fatal(err)
	}
	// The dead run's lease was not renewed for long; what a contender writes is fresh.
	clock := func(info Info) time.Time {
		if info.Version == dead.Version {
			return leaseClock(info).Add(leaseTTL + 2*time.Second)
		}
		return leaseClock(info)
	}
	var winner atomic.Pointer[objectLease]
	var contenders sync.WaitGroup
	for range 16 {
		contenders.Go(func() {
			l, err := acquireObject(t.Context(), s, "lake", Owner{Run: "next"}.complete(), clock)
			if err == nil && !winner.CompareAndSwap(nil, l) {
				t.Error("two took it over")
			} else if err != nil && !errors.Is(err, driver.ErrBusy) {
				t.Errorf("a loser meets %v", err)
			}
		})
	}
	contenders.Wait()
	if winner.Load() == nil {
		t.Fatal("nobody took it over")
	}
	first.confirm()
	wantLost(t, first)
	if cause := context.Cause(first.Context()); !strings.Contains(cause.Error(), "run next") {
		t.Errorf("the cause does not name who has it: %v", cause)
	}
	if err := first.Release(); err != nil {
		t.Error(err)
	}
	if err := winner.Load().confirm(t.Context()); err != nil {
		t.Errorf("the new holder meets %v", err)
	}
}

func TestALeaseObjectIsFreeOnlyWhenReleasedOrRunOut(t *testing.T) {
	now := time.Now()
	at := func(age time.Duration) Info { return Info{Modified: now.Add(-age), Now: now} }
	record := func(r leaseRecord) []byte {
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for name, c := range map[string]struct {
		text []byte
		info Info
		want bool
	}{
		"fresh":                           {record(leaseRecord{TTLSeconds: 60}), at(0), false},
		"just before the end":             {record(leaseRecord{TTLSeconds: 60}), at(60 * time.Second), false},
		"run out":                         {record(leaseRecord{TTLSeconds: 60}), at(61 * time.Second), true},
		"released":                        {record(leaseRecord{TTLSeconds: 60, Released: true}), at(0), true},
		"of a version with a longer time": {record(leaseRecord{TTLSeconds: 600}), at(61 * time.Second), false},
		"unreadable":                      {[]byte("?"), at(30 * time.Second), false},
		"unreadable and old":              {[]byte("?"), at(61 * time.Second), true},
		"by a clock that is ahead":        {record(leaseRecord{TTLSeconds: 60}), at(-time.Hour), false},
	} {
		if got := free(c.text, c.info, leaseClock); got != c.want {
			t.Errorf("%s: free is %v", name, got)
		}
	}
}

func TestARenewalWhoseAnswerWasLostIsStillOurs(t *testing.T) {
	s := openStore(t, t.TempDir())
	l, err := acquireObject(t.Context(), s, "lake", Owner{Run: "r"}.complete(), leaseClock)
	if err != nil {
		t.Fatal(err)
	}
	known := l.version
	if err := l.confirm(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.version = known // as if the answer had not arrived
	if err := l.confirm(t.Context()); err != nil {
		t.Errorf("the next renewal gives %v", err)
	}
	if _, err := acquireObject(t.Context(), s, "lake", Owner{Run: "x"}.complete(), leaseClock); !errors.Is(err, driver.ErrBusy) {
		t.Errorf("another meets %v", err)
	}
}

// silent is a lease whose store does not answer.
type silent struct{ gone bool }

func (s *silent) confirm(context.Context) error { return driver.ErrUnavailable }
func (s *silent) expired() bool                 { return s.gone }
func (s *silent) release(context.Context) error { return nil }

func TestALeaseIsGivenUpBeforeItRunsOutUnseen(t *testing.T) {
	hold := &silent{}
	l := newLease(t.Context(), "s3://bucket/lake", hold)
	l.confirm()
	if l.Context().Err() != nil {
		t.Fatal("one missed renewal ends the lease")
	}
	if err := l.Check(t.Context()); !errors.Is(err, driver.ErrUnavailable) {
		t.Errorf("check gives %v although nobody knows", err)
	}
	hold.gone = true
	l.confirm()
	wantLost(t, l)

	fresh := &objectLease{renewed: time.Now()}
	old := &objectLease{renewed: time.Now().Add(-leaseTTL + leaseTTL/leaseBeats - time.Second)}
	if fresh.expired() || !old.expired() {
		t.Errorf("expired: fresh %v, a beat before the end %v", fresh.expired(), old.expired())
	}
}

func TestALeaseEndsWithTheContextItWasTakenUnder(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := openStore(t, t.TempDir())
	l, err := AcquireLease(ctx, s, "lake", Owner{Run: "r"})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-l.Context().Done()
	if err := l.Release(); err != nil {
		t.Errorf("release after the cancellation: %v", err)
	}
	if err := acquire(t, s, "next").Release(); err != nil {
		t.Error(err)
	}
}

// silentHold is a lease in a store that does not answer.
type silentHold struct{ holding }

func (silentHold) confirm(ctx context.Context) error { return silentHold{}.release(ctx) }

func (silentHold) release(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestACancelledRunDoesNotWaitLongForItsLeaseToBeReleased(t *testing.T) {
	for name, c := range map[string]struct {
		cancelled bool
		most      time.Duration
	}{"cancelled": {true, leaseReleaseCancelled}, "done": {false, leaseRelease}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			l := newLease(ctx, "s3://bucket/lake", silentHold{})
			if c.cancelled {
				cancel()
			}
			begun := time.Now() // of the bubble
			if err := l.Release(); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != c.most {
				t.Errorf("%s: release gives %v after %v", name, err, time.Since(begun))
			}
		})
	}
}
