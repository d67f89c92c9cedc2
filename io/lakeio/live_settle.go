package lakeio

import (
	"context"
	"errors"

	"millrace/io/driver"
)

// settle ends a commit whose record is there: a backfill that replaced a day without
// knowing of the record is made up for, and files of attempts at other revisions go.
func (l *Live) settle(ctx context.Context, r *liveRecord, done Committed) (Committed, error) {
	for {
		raised, err := l.raise(ctx, r)
		if err != nil {
			return done, err
		}
		if !raised {
			return done, l.removeOthers(ctx, r)
		}
		if err := putRecord(ctx, l.store, r, PutOptions{}); err != nil {
			return done, err
		}
	}
}

// removeOthers removes files that attempts at a commit left which never came to it,
// because a backfill replaced the day in between.
func (l *Live) removeOthers(ctx context.Context, r *liveRecord) error {
	named := r.names()
	var stray []string
	for _, p := range r.Parts {
		day, err := ParseDay(p.Day)
		if err != nil {
			return err
		}
		for revision := range p.Revision + 1 {
			for n := range p.Files {
				if key := liveKey(p.Output, day, revision, r.name(), n); !named[key] {
					stray = append(stray, key)
				}
			}
		}
	}
	return l.store.Delete(ctx, stray...)
}

// raise gives parts of a record the revision of their day where a backfill has
// replaced the day without knowing of them: it planned before the record was put,
// and did not find it when it committed. What a backfill has replaced knowingly,
// it removes.
func (l *Live) raise(ctx context.Context, r *liveRecord) (raised bool, err error) {
	for i := range r.Parts {
		p := &r.Parts[i]
		c, err := l.standing(ctx, p.Output)
		if err != nil {
			return false, err
		}
		now := c.Days[p.Day]
		if p.Revision >= now.Revision {
			continue
		}
		missed, err := l.missed(ctx, p, now)
		if err != nil {
			return false, err
		}
		if missed {
			p.Revision, raised = now.Revision, true
		}
	}
	return raised, nil
}

// missed tells whether a backfill that replaced a day did not know of a part's
// files: then neither does it name them, nor will it remove them, nor has it.
func (l *Live) missed(ctx context.Context, p *livePart, now CurrentDay) (bool, error) {
	if len(p.Files) == 0 {
		return false, nil
	}
	first := p.Files[0].Key // a backfill knows all files of a record or none
	if now.keys()[first] {
		return false, nil
	}
	var c commit
	err := ReadJSON(ctx, l.store, commitKey, &c)
	if err == nil {
		for _, key := range c.Remove {
			if key == first {
				return false, nil
			}
		}
	} else if !errors.Is(err, driver.ErrNotFound) {
		return false, err
	}
	// When no commit is under way, what the last one removes is gone.
	_, err = l.store.Stat(ctx, first)
	if errors.Is(err, driver.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
