package lakeio

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"millrace/io/driver"
)

// addLive adds the files of live jobs to what batch runs wrote. A file counts
// unless the day was replaced by a backfill, which shows in its greater revision.
// With every, outputs that no batch run wrote are added, too.
func addLive(ctx context.Context, s Store, all map[string]Current, every bool) error {
	adding := map[string]*liveAdder{}
	for output, c := range all {
		c.stored = c.Days
		c.Days = maps.Clone(c.Days)
		adding[output] = &liveAdder{Current: c}
	}
	err := walkLedger(ctx, s, func(r *liveRecord) error {
		for _, p := range r.Parts {
			a := adding[p.Output]
			if a == nil && every {
				a = &liveAdder{Current: Current{Output: p.Output, Days: map[string]CurrentDay{}, stored: map[string]CurrentDay{}}}
				adding[p.Output] = a
			}
			if a != nil {
				a.add(r, p)
			}
		}
		return nil
	})
	for output, a := range adding {
		a.settle()
		all[output] = a.Current
	}
	return err
}

// liveAdder adds the parts of commit records to an output, in whatever order.
type liveAdder struct {
	Current
	touched map[string]map[string]bool // keys that _current names, by day
}

func (a *liveAdder) add(r *liveRecord, p livePart) {
	before := a.stored[p.Day]
	known, ok := a.touched[p.Day]
	if !ok {
		if a.touched == nil {
			a.touched = map[string]map[string]bool{}
		}
		known = before.keys()
		a.touched[p.Day] = known
		d := a.Days[p.Day]
		d.live, d.Files, d.Sources = true, slices.Clone(d.Files), slices.Clone(d.Sources)
		a.Days[p.Day] = d
	}
	if p.Revision < before.Revision {
		return
	}
	d := a.Days[p.Day]
	for _, f := range p.Files {
		if known[f.Key] {
			continue // a backfill that did not know it has kept it
		}
		d.Files = append(d.Files, f)
		d.Rows += f.Rows
		d.Run, d.Revision = r.Run, max(d.Revision, p.Revision)
		if r.Source != "" && !slices.Contains(d.Sources, r.Source) {
			d.Sources = append(d.Sources, r.Source)
		}
		if a.Schema == "" {
			a.Schema = p.Schema
		} else if a.Schema != p.Schema {
			a.mixed = p.Schema
		}
	}
	a.Days[p.Day] = d
}

// settle puts what was added in order, which records have none of.
func (a *liveAdder) settle() {
	for day := range a.touched {
		d := a.Days[day]
		if _, stored := a.stored[day]; !stored && len(d.Files) == 0 {
			delete(a.Days, day)
			continue
		}
		slices.SortFunc(d.Files, func(a, b CurrentFile) int { return strings.Compare(a.Key, b.Key) })
		slices.Sort(d.Sources)
		a.Days[day] = d
	}
}

func (d CurrentDay) keys() map[string]bool {
	keys := map[string]bool{}
	for _, f := range d.Files {
		keys[f.Key] = true
	}
	return keys
}

// adopt keeps what live jobs put into a day while the backfill that replaces it
// was under way: it has not read these rows, so they must stay. The day then names
// their files. A live job, for its part, looks at _current after it has put a
// record, so that of the two who meet at least one notices.
func (c commit) adopt(ctx context.Context, s Store) error {
	type replacing struct {
		key         string
		before, now Current
		changed     bool
	}
	outputs := map[string]*replacing{}
	for _, d := range c.Put {
		if !strings.HasPrefix(d.Key, currentDir+"/") || d.Key == viewsKey {
			continue
		}
		r := &replacing{key: d.Key}
		if err := d.decode(&r.before, &r.now); err != nil {
			return err
		}
		outputs[r.now.Output] = r
	}
	removed := map[string]bool{}
	for _, key := range c.Remove {
		removed[key] = true
	}
	found := false
	err := walkLedger(ctx, s, func(r *liveRecord) error {
		found = true
		for _, p := range r.Parts {
			o := outputs[p.Output]
			if o == nil {
				continue
			}
			d, ok := o.now.Days[p.Day]
			// What is older than the day was before is replaced for long.
			if !ok || p.Revision >= d.Revision || p.Revision < o.before.Days[p.Day].Revision {
				continue
			}
			known := d.keys()
			for _, f := range p.Files {
				if removed[f.Key] || known[f.Key] {
					continue
				}
				d.Files = append(d.Files, f)
				d.Rows += f.Rows
				d.Run = r.Run // so that the backfill's own repetition does not take it for its own
				if r.Source != "" && !slices.Contains(d.Sources, r.Source) {
					d.Sources = append(d.Sources, r.Source)
					slices.Sort(d.Sources)
				}
				o.changed = true
			}
			slices.SortFunc(d.Files, func(a, b CurrentFile) int { return strings.Compare(a.Key, b.Key) })
			o.now.Days[p.Day] = d
		}
		return nil
	})
	if err != nil || !found {
		return err
	}
	for _, output := range slices.Sorted(maps.Keys(outputs)) {
		if o := outputs[output]; o.changed {
			if err := WriteJSON(ctx, s, o.key, o.now); err != nil {
				return err
			}
		}
	}
	return RefreshViews(ctx, s)
}

// RefreshViews writes the views anew, over what the outputs consist of now. Live
// jobs add files all the time; a view shows them after it was refreshed.
func RefreshViews(ctx context.Context, s Store) error {
	for {
		opt := PutOptions{IfNoneMatch: true}
		before, info, err := ReadAll(ctx, s, viewsKey, maxJSON)
		if err == nil {
			opt = PutOptions{IfMatch: info.Version}
		} else if !errors.Is(err, driver.ErrNotFound) {
			return err
		}
		all, err := LoadOutputs(ctx, s)
		if err != nil {
			return err
		}
		outputs := slices.SortedFunc(maps.Values(all), func(a, b Current) int { return cmp.Compare(a.Output, b.Output) })
		text := Views(viewRoot(s), outputs)
		if text == string(before) && opt.IfMatch != "" {
			return nil
		}
		// Under a condition, as what was read first may be replaced by now.
		if _, err = s.Put(ctx, viewsKey, strings.NewReader(text), opt); !errors.Is(err, driver.ErrConflict) {
			return err
		}
	}
}
