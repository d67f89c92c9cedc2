package lakeio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"millrace/io/driver"
)

// leaseRecord is the content of a lease object. Every writing of it differs, so
// its ETag names one renewal of one owner.
type leaseRecord struct {
	Owner
	ID         string `json:"id"`       // of this holding
	Renewals   int    `json:"renewals"` // so far
	TTLSeconds int    `json:"ttl_seconds"`
	Released   bool   `json:"released,omitempty"`
}

// objectLease is a lease on a store with conditional writes and without locks.
type objectLease struct {
	store   Store
	key     string
	record  leaseRecord
	version string    // of our latest writing
	renewed time.Time // when that began, by our clock; it cannot have landed earlier
}

// leaseClock tells what time it is for the store, whose clock also dates its
// objects: the age of a lease depends on no second clock.
func leaseClock(info Info) time.Time {
	if info.Now.IsZero() {
		return time.Now()
	}
	return info.Now
}

func acquireObject(ctx context.Context, s Store, name string, owner Owner, clock func(Info) time.Time) (*objectLease, error) {
	l := &objectLease{
		store: s, key: leaseDir + "/" + name + ".json",
		record: leaseRecord{Owner: owner, ID: uuid.NewString(), TTLSeconds: int(leaseTTL / time.Second)},
	}
	err := l.write(ctx, PutOptions{IfNoneMatch: true})
	for errors.Is(err, driver.ErrConflict) {
		text, info, readErr := ReadAll(ctx, s, l.key, 64<<10)
		if errors.Is(readErr, driver.ErrNotFound) {
			err = l.write(ctx, PutOptions{IfNoneMatch: true})
			continue
		}
		if errors.Is(readErr, driver.ErrChanged) {
			continue
		}
		if readErr != nil {
			return nil, readErr
		}
		if !free(text, info, clock) {
			return nil, leaseBusy(s.Name(""), text, "; if it is dead, this is possible again after "+
				info.Modified.Add(leaseTTL).UTC().Format(time.RFC3339))
		}
		err = l.write(ctx, PutOptions{IfMatch: info.Version})
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

// longestLease bounds what a lease can ask for: a damaged one must not hold a lake for
// ever.
const longestLease = time.Hour

// free tells whether a lease object stands for nobody any more.
func free(text []byte, info Info, clock func(Info) time.Time) bool {
	var r leaseRecord
	if json.Unmarshal(text, &r) == nil && r.Released {
		return true
	}
	ttl := max(leaseTTL, time.Duration(min(r.TTLSeconds, int(longestLease/time.Second)))*time.Second)
	return clock(info).Sub(info.Modified) > ttl
}

func (l *objectLease) write(ctx context.Context, opt PutOptions) error {
	text, err := json.MarshalIndent(l.record, "", "  ")
	if err != nil {
		return err
	}
	begun := time.Now()
	info, err := l.store.Put(ctx, l.key, bytes.NewReader(append(text, '\n')), opt)
	if err != nil {
		return err
	}
	l.version, l.renewed = info.Version, begun
	return nil
}

func (l *objectLease) confirm(ctx context.Context) error {
	l.record.Renewals++
	err := l.write(ctx, PutOptions{IfMatch: l.version})
	if !errors.Is(err, driver.ErrConflict) {
		return err
	}
	// A renewal whose answer was lost may have replaced the version we know.
	text, info, err := ReadAll(ctx, l.store, l.key, 64<<10)
	if err != nil && !errors.Is(err, driver.ErrNotFound) {
		return err
	}
	var r leaseRecord
	if err != nil || json.Unmarshal(text, &r) != nil || r.ID != l.record.ID {
		return leaseLost(l.store.Name(""), errors.New("another run has taken it over: "+holderText(r.Owner)))
	}
	err = l.write(ctx, PutOptions{IfMatch: info.Version})
	if errors.Is(err, driver.ErrConflict) {
		return leaseLost(l.store.Name(""), errors.New("another run has taken it over"))
	}
	return err
}

func holderText(o Owner) string {
	if o.PID == 0 {
		return "its lease is gone"
	}
	return "run " + o.Run + " on " + o.Host
}

// expired leaves a margin of one beat to end what is being written.
func (l *objectLease) expired() bool {
	return time.Since(l.renewed) > leaseTTL-leaseTTL/leaseBeats
}

// release marks the object instead of deleting it: a deletion has no condition,
// and could hit the lease of whoever took over in that moment.
func (l *objectLease) release(ctx context.Context) error {
	l.record.Released = true
	return l.confirm(ctx)
}
