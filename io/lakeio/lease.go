package lakeio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"millrace/io/driver"
)

// Owner says who holds a lease, for the person who meets it. Zero fields but Run
// are filled in.
type Owner struct {
	Run   string    `json:"run"`
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

func (o Owner) complete() Owner {
	if o.PID == 0 {
		o.PID = os.Getpid()
	}
	if o.Host == "" {
		o.Host, _ = os.Hostname()
	}
	if o.Since.IsZero() {
		o.Since = time.Now()
	}
	o.Since = o.Since.UTC().Truncate(time.Second)
	return o
}

// Lease is the right to write to a lake, of which there is one at a time. In a
// folder it is a lock that the operating system frees when its process dies in
// whatever way. On S3 it is an object that its owner renews and that anybody
// may take over once it was not renewed for leaseTTL by S3's own clock; all its
// changes are conditional writes, so of many contenders one wins.
type Lease struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	hold   holding
	object string
	beats  sync.WaitGroup
}

// holding is the kind of lease. Calls do not overlap.
type holding interface {
	// confirm renews the lease, or finds that it is lost (driver.ErrLeaseLost).
	// Another error says that this could not be found out.
	confirm(ctx context.Context) error
	// expired tells whether the lease could be another's by now, since it was not
	// confirmed for so long.
	expired() bool
	release(ctx context.Context) error
}

const (
	leaseDir   = "_lease"
	leaseTTL   = 60 * time.Second
	leaseBeats = 4 // confirmations in the time of leaseTTL

	// How long a release waits for a store that does not answer: one of a run that was
	// cancelled is waited for by somebody who wants it to end. A lease that is not
	// released runs out.
	leaseRelease          = leaseTTL / 2
	leaseReleaseCancelled = 5 * time.Second
)

// AcquireLease takes the lease of a name, or says who has it (driver.ErrBusy). It
// does not wait.
func AcquireLease(ctx context.Context, s Store, name string, owner Owner) (*Lease, error) {
	owner = owner.complete()
	if err := checkKey(s, name); err != nil {
		return nil, err
	}
	var hold holding
	var err error
	if files, ok := s.(*fileStore); ok {
		hold, err = acquireLock(files, name, owner)
	} else {
		hold, err = acquireObject(ctx, s, name, owner, leaseClock)
	}
	if err != nil {
		return nil, err
	}
	l := newLease(ctx, s.Name(""), hold)
	l.beats.Go(l.beat)
	return l, nil
}

func newLease(ctx context.Context, object string, hold holding) *Lease {
	ctx, cancel := context.WithCancelCause(ctx)
	return &Lease{ctx: ctx, cancel: cancel, hold: &oneAtATime{holding: hold}, object: object}
}

// Context is cancelled, with a cause that is driver.ErrLeaseLost, when the lease
// is lost. All writing under the lease belongs under it.
func (l *Lease) Context() context.Context { return l.ctx }

// Check makes sure that the lease is still held, at the moment before something
// that must not be done twice.
func (l *Lease) Check(ctx context.Context) error {
	if err := context.Cause(l.ctx); err != nil {
		return err
	}
	err := l.hold.confirm(ctx)
	if errors.Is(err, driver.ErrLeaseLost) {
		l.cancel(err)
	}
	return err
}

// Release gives the lease back and ends its Context.
func (l *Lease) Release() error {
	lost, wait := errors.Is(context.Cause(l.ctx), driver.ErrLeaseLost), leaseRelease
	if l.ctx.Err() != nil {
		wait = leaseReleaseCancelled
	}
	l.cancel(context.Canceled)
	l.beats.Wait()
	if lost {
		return nil // it is another's
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), wait)
	defer cancel()
	if err := l.hold.release(ctx); err != nil && !errors.Is(err, driver.ErrLeaseLost) {
		return err
	}
	return nil
}

// beat confirms the lease until the context ends.
func (l *Lease) beat() {
	tick := time.NewTicker(leaseTTL / leaseBeats)
	defer tick.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-tick.C:
			l.confirm()
		}
	}
}

// confirm is one beat: the context ends when the lease is lost, and also when
// it could not be confirmed for so long that it may be.
func (l *Lease) confirm() {
	ctx, cancel := context.WithTimeout(l.ctx, leaseTTL/leaseBeats)
	defer cancel()
	err := l.hold.confirm(ctx)
	switch {
	case err == nil:
	case errors.Is(err, driver.ErrLeaseLost):
		l.cancel(err)
	case l.hold.expired():
		l.cancel(leaseLost(l.object, fmt.Errorf("the lease could not be renewed in time: %w", err)))
	}
}

func leaseLost(object string, cause error) error {
	return &driver.Error{
		Doing: "keep the right to write to", Object: object, Class: driver.ErrLeaseLost, Cause: cause,
		Cure: "see that no other run writes to it, then run the same command again",
	}
}

func leaseBusy(object string, holder []byte, cure string) error {
	var o Owner
	what := "another process is writing to it"
	if json.Unmarshal(holder, &o) == nil && o.PID != 0 {
		what = fmt.Sprintf("run %s is writing to it (process %d on %s, since %s)", o.Run, o.PID, o.Host, o.Since.Format(time.RFC3339))
	}
	return &driver.Error{
		Doing: "write to", Object: object, Class: driver.ErrBusy, Cause: errors.New(what),
		Cure: "wait until it ends or stop it" + cure,
	}
}

// oneAtATime keeps a beat and a Check apart.
type oneAtATime struct {
	mu sync.Mutex
	holding
}

func (h *oneAtATime) confirm(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.holding.confirm(ctx)
}

func (h *oneAtATime) expired() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.holding.expired()
}

func (h *oneAtATime) release(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.holding.release(ctx)
}
