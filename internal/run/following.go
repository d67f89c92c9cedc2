package run

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"millrace/io/endpoint"
)

// following is what is known of a job that is followed to its end.
type following struct {
	plan      *Plan
	job       watched
	ending    *endpoint.Ending // nil for a backfill
	w         Watcher
	submitted time.Time

	begun  time.Time // when a reader was first seen to have been called
	told   bool      // that none was for long
	silent bool      // the lake does not answer, which was told
	// leaving: we end the job, so what the job server says of its end is of no interest.
	leaving atomic.Bool
}

func (f *following) supervised() bool { return f.plan.req.Flink.Supervise && f.ending != nil }

// wait gives the error with which the job ends.
func (f *following) wait(ctx context.Context) <-chan error {
	handed, ended := make(chan error, 1), make(chan error, 1)
	go func() {
		handed <- f.job.Wait(ctx, func(text string) {
			if !f.leaving.Load() {
				f.w.Say("%s", text)
			}
		})
	}()
	if !f.supervised() {
		return handed
	}
	go func() { ended <- attend(ctx, f.job, handed, f.w) }()
	return ended
}

// look asks the lake how far a live job is. It is over once everything is sealed,
// once it is to be recycled, and when that cannot be found out: a supervised job goes
// on without its lake.
func (f *following) look(ctx context.Context) (over bool, err error) {
	done := false
	if f.begun.IsZero() {
		var begun bool
		if begun, err = f.ending.Begun(ctx); begun {
			f.begun = time.Now()
		}
	}
	if !f.begun.IsZero() && err == nil {
		done, err = f.ending.Sealed(ctx)
	}
	switch {
	case ctx.Err() != nil:
		return false, nil // whoever interrupted it has it cancelled
	case err != nil && f.supervised():
		if !f.silent {
			f.w.Say("waiting until the lake answers: %v", err)
		}
		f.silent = true
		return false, nil
	case err != nil:
		return true, err
	}
	f.silent = false
	reads := !f.begun.IsZero()
	if !reads && !f.told && time.Since(f.submitted) > patience {
		f.told = true
		f.w.Say("nothing has been read yet, %v after the job was submitted; millrace status %s tells whether it runs, and the Flink UI whether it has the slots it needs", patience, f.job.name)
	}
	recycle := f.plan.req.Flink.recycle()
	switch {
	case done:
		f.leaving.Store(true)
		return true, f.job.cancel(ctx)
	// Its start does not count, however long it took: else a job whose start takes longer
	// would be stopped again and again before it has read anything.
	case reads && recycle > 0 && time.Since(f.begun) > recycle:
		f.leaving.Store(true)
		savepoint, err := f.job.stop(ctx)
		if err != nil {
			return true, fmt.Errorf("recycling the job: %w", err)
		}
		return true, &recycledError{savepoint}
	}
	return false, nil
}
