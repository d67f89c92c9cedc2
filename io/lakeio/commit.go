package lakeio

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"millrace/io/driver"
	"millrace/schemas/table"
)

// Change is what a run does to a lake.
type Change struct {
	Run       string
	Standing  Standing                 // what the lake holds before
	Schemas   map[string]*table.Schema // by output
	Touched   []int64                  // days that the run replaces, in every output
	Kept      []string                 // outputs that stay as they are all the same
	Revisions map[int64]int32          // of the touched days; 0 when absent
	Staging   string                   // location of the area in which the files wait
	Files     []File                   // finished
	// Notes are further bookkeeping files by key, written as JSON: the run's
	// manifest, the lake's keys.
	Notes map[string]any
}

// commitKey holds a commit from the moment it is decided until it is done.
const commitKey = "_commit.json"

const viewsKey = currentDir + "/views.sql"

// commit is the redo log of one run's changes to a lake, and its undo log until
// the first file is removed.
type commit struct {
	Run     string     `json:"run"`
	Staging string     `json:"staging,omitempty"` // none is a folder: its files have paths
	Place   []File     `json:"place"`
	Put     []document `json:"put"`
	Remove  []string   `json:"remove"`
}

// document is a small file of bookkeeping, with what it was before.
type document struct {
	Key    string  `json:"key"`
	Text   string  `json:"text"`
	Before *string `json:"before"` // nil when there was none
}

// decode reads a JSON document as it was and as it is to be.
func (d document) decode(before, now any) error {
	if d.Before != nil {
		if err := json.Unmarshal([]byte(*d.Before), before); err != nil {
			return fmt.Errorf("reading what %s was before: %w", d.Key, err)
		}
	}
	if err := json.Unmarshal([]byte(d.Text), now); err != nil {
		return fmt.Errorf("reading what %s is to be: %w", d.Key, err)
	}
	return nil
}

// Commit makes the staged files of a run appear in the lake, in place of what
// the outputs held for the touched days, together with the notes. What fails is
// undone: after an error, a cancellation included, the lake is as it was. A commit
// that is killed, or that lost its lease, is carried through by Recover.
func Commit(ctx context.Context, s Store, ch Change) error {
	if err := CompactLedger(ctx, s, time.Now().AddDate(0, 0, -keptApart)); err != nil {
		return err
	}
	c, err := ch.plan(ctx, s)
	if err != nil {
		return err
	}
	if err := WriteJSON(ctx, s, commitKey, c); err != nil {
		return err
	}
	if err := c.appear(ctx, s); err != nil {
		ctx = unlessLeaseLost(ctx)
		if undo := c.undo(ctx, s); undo != nil {
			return fmt.Errorf("%w (and undoing the rest: %w; the next run on this lake carries the change through or undoes it)", err, undo)
		}
		return err
	}
	return c.clear(unlessLeaseLost(ctx), s)
}

// unlessLeaseLost is a context for what must not stop halfway because somebody
// pressed Ctrl-C. When the lake is another's by now, it is not ours to tidy.
func unlessLeaseLost(ctx context.Context) context.Context {
	if errors.Is(context.Cause(ctx), driver.ErrLeaseLost) {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

// plan writes down what is to be done.
func (ch Change) plan(ctx context.Context, s Store) (commit, error) {
	c := commit{Run: ch.Run, Staging: ch.Staging, Place: ch.Files}
	documents := map[string]any{}
	maps.Copy(documents, ch.Notes)
	var now []Current
	for _, output := range slices.Sorted(maps.Keys(ch.Standing)) {
		if slices.Contains(ch.Kept, output) {
			now = append(now, ch.Standing[output])
			continue
		}
		cur, shown, stale := ch.Standing[output].replaced(ch.Run, ch.Schemas[output].ID(), ch.Touched, ch.Revisions, ch.Files)
		documents[currentKey(output)] = cur
		c.Remove = append(c.Remove, stale...)
		now = append(now, shown)
	}
	for _, key := range slices.Sorted(maps.Keys(documents)) {
		text, err := indent(documents[key])
		if err != nil {
			return c, fmt.Errorf("writing %s: %w", s.Name(key), err)
		}
		c.Put = append(c.Put, document{Key: key, Text: string(text)})
	}
	c.Put = append(c.Put, document{Key: viewsKey, Text: Views(viewRoot(s), now)})
	for i, d := range c.Put {
		before, _, err := ReadAll(ctx, s, d.Key, maxJSON)
		if errors.Is(err, driver.ErrNotFound) {
			continue
		}
		if err != nil {
			return c, err
		}
		text := string(before)
		c.Put[i].Before = &text
	}
	return c, nil
}

// appear puts what is new; nothing old is gone yet, so it can be undone. It can
// be interrupted anywhere and repeated.
func (c commit) appear(ctx context.Context, s Store) error {
	from, err := c.staging(ctx)
	if err != nil {
		return err
	}
	for _, f := range c.Place {
		if err := placeFile(ctx, s, from, f); err != nil {
			return fmt.Errorf("placing %s: %w", s.Name(f.Key), err)
		}
	}
	for _, d := range c.Put {
		if _, err := s.Put(ctx, d.Key, strings.NewReader(d.Text), PutOptions{}); err != nil {
			return err
		}
	}
	return c.adopt(ctx, s)
}

// staging opens the area in which the files wait.
func (c commit) staging(ctx context.Context) (*Staging, error) {
	return OpenStaging(ctx, cmp.Or(c.Staging, "."))
}

// clear removes what is no longer named, then the log.
func (c commit) clear(ctx context.Context, s Store) error {
	if err := s.Delete(ctx, c.Remove...); err != nil {
		return fmt.Errorf("the new rows are in place, but old files are not removed yet, which the next run on this lake does: %w", err)
	}
	return s.Delete(ctx, commitKey)
}

// undo takes back what appeared: the bookkeeping first, so that no reader follows
// it to a file that is gone. On a full disk that may fail until the files gave
// their space back. It can be interrupted anywhere and repeated.
func (c commit) undo(ctx context.Context, s Store) error {
	named, err := c.namedBefore()
	if err != nil {
		return err
	}
	full := c.restore(ctx, s)
	var stray []string
	for _, d := range c.Put {
		if d.Before == nil {
			stray = append(stray, d.Key)
		}
	}
	for _, f := range c.Place {
		if !named[f.Key] {
			stray = append(stray, f.Key)
		}
	}
	if err := s.Delete(ctx, stray...); err != nil {
		return err
	}
	if full != nil {
		if err := c.restore(ctx, s); err != nil {
			return err
		}
	}
	return s.Delete(ctx, commitKey)
}

// restore gives the bookkeeping that was there before its content back.
func (c commit) restore(ctx context.Context, s Store) error {
	for _, d := range c.Put {
		if d.Before == nil {
			continue
		}
		if now, _, err := ReadAll(ctx, s, d.Key, maxJSON); err == nil && string(now) == *d.Before {
			continue
		}
		if _, err := s.Put(ctx, d.Key, strings.NewReader(*d.Before), PutOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// namedBefore lists the files that the lake consisted of: a run that is repeated
// places its files where they are.
func (c commit) namedBefore() (map[string]bool, error) {
	named := map[string]bool{}
	for _, d := range c.Put {
		if d.Before == nil || !strings.HasPrefix(d.Key, currentDir+"/") || d.Key == viewsKey {
			continue
		}
		var before Current
		if err := json.Unmarshal([]byte(*d.Before), &before); err != nil {
			return nil, fmt.Errorf("reading what %s was before: %w", d.Key, err)
		}
		for _, day := range before.Days {
			for _, f := range day.Files {
				named[f.Key] = true
			}
		}
	}
	return named, nil
}

// Recover carries through a commit that was interrupted. When its staged files
// are gone (they may have lain on another machine) it is undone instead.
func Recover(ctx context.Context, s Store) (note string, err error) {
	var c commit
	if err := ReadJSON(ctx, s, commitKey, &c); errors.Is(err, driver.ErrNotFound) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	from, err := c.staging(ctx)
	if err != nil {
		return "", err
	}
	for _, f := range c.Place {
		waits, err := from.holds(ctx, f)
		if err != nil {
			return "", err
		}
		if waits {
			continue
		}
		there, err := placed(ctx, s, f)
		if err != nil {
			return "", err
		}
		if !there {
			return fmt.Sprintf("undid the interrupted commit of run %s: its staged files are gone, or on another machine", c.Run), c.undo(ctx, s)
		}
	}
	if err := c.appear(ctx, s); err != nil {
		return "", err
	}
	return fmt.Sprintf("finished the interrupted commit of run %s", c.Run), c.clear(ctx, s)
}
