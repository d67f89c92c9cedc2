package run

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"millrace/internal/maskkey"
	"millrace/io/driver"
	"millrace/io/lakeio"
)

// keysKey is where a lake remembers its masking keys: ids and check values,
// never a key.
const keysKey = "_keys.json"

// lakeKeys is the content of keysKey.
type lakeKeys struct {
	Keys []lakeKey `json:"keys"`
}

type lakeKey struct {
	ID    string `json:"id"`
	Check string `json:"check"`
}

func (k lakeKeys) ids() string {
	var ids []string
	for _, key := range k.Keys {
		ids = append(ids, key.ID)
	}
	return strings.Join(ids, ", ")
}

// resolveKey finds the masking key and holds it against what the lake knows.
func (p *Plan) resolveKey(ctx context.Context, configDir string) error {
	var err error
	p.KeyRef = p.req.MaskKey
	if p.KeyRef == "" {
		path := maskkey.DefaultPath(configDir)
		p.KeyRef = maskkey.FileRef(path)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			p.NewKey = true
			return p.checkNoKey(ctx, path)
		}
	}
	if p.Key, err = maskkey.Resolve(ctx, p.KeyRef); err != nil {
		return &UsageError{err}
	}
	return p.checkKey(ctx)
}

// checkNoKey refuses to make a key for a lake that was masked with another.
func (p *Plan) checkNoKey(ctx context.Context, path string) error {
	known, err := loadKeys(ctx, p.store)
	if err != nil || len(known.Keys) == 0 {
		return err
	}
	return usage("lake %s was masked with key %s, which is not at %s: put it there or give it with --mask-key, or use another lake", p.Lake, known.ids(), path)
}

// checkKey refuses a key that would give other tokens than those in the lake, unless
// it comes in the place of the lake's key: then the ring has that one, too, as an
// older key, and what was written under it can still be joined and opened.
func (p *Plan) checkKey(ctx context.Context) error {
	known, err := loadKeys(ctx, p.store)
	if err != nil {
		return err
	}
	return checkRing(p.Lake, known, p.Key)
}

func checkRing(lake string, known lakeKeys, ring maskkey.Ring) error {
	if len(known.Keys) == 0 {
		return nil
	}
	for _, k := range known.Keys {
		if given, ok := ring.Lookup(k.ID); ok && given.Check() != k.Check {
			return usage("lake %s was masked with another key that is also called %s: tokens would not match; give that key with --mask-key, or use another lake", lake, k.ID)
		}
	}
	active, last := ring.Active(), known.Keys[len(known.Keys)-1]
	_, kept := ring.Lookup(last.ID)
	switch {
	case active.ID() == last.ID:
		return nil
	case slices.ContainsFunc(known.Keys, func(k lakeKey) bool { return k.ID == active.ID() }):
		return usage("lake %s has gone on from key %s to key %s: tokens would not match; make %s the key in use, with %s as an older one, or use another lake", lake, active.ID(), last.ID, last.ID, active.ID())
	case !kept:
		return usage("lake %s was masked with key %s, not with %s: tokens would not match; give that key with --mask-key, to go on with %s give %s as an older one behind it, or use another lake", lake, known.ids(), active.ID(), active.ID(), last.ID)
	}
	return nil
}

// checkSeals refuses an archive that no key of the ring opens, before anything
// is read of it. That a key of the right id is the right one shows in the run.
func (p *Plan) checkSeals() error {
	for _, s := range p.Splits {
		for _, id := range s.Keys {
			if _, ok := p.Key.Lookup(id); ok {
				continue
			}
			given := "there is none"
			if !p.NewKey {
				given = "what is given is " + p.Key.String()
			}
			return usage("%s is sealed under key %s, and %s; give that key with --mask-key, as the key or as an older one", s.Name, id, given)
		}
	}
	return nil
}

func loadKeys(ctx context.Context, s lakeio.Store) (lakeKeys, error) {
	var known lakeKeys
	err := lakeio.ReadJSON(ctx, s, keysKey, &known)
	if errors.Is(err, driver.ErrNotFound) {
		return known, nil
	}
	return known, err
}

// knownKeys are the lake's keys with the active one among them, and whether it
// is new to the lake.
func (p *Plan) knownKeys(ctx context.Context) (keys lakeKeys, changed bool, err error) {
	known, err := loadKeys(ctx, p.store)
	if err != nil {
		return known, false, err
	}
	active := p.Key.Active()
	if slices.ContainsFunc(known.Keys, func(k lakeKey) bool { return k.ID == active.ID() }) {
		return known, false, nil
	}
	known.Keys = append(known.Keys, lakeKey{ID: active.ID(), Check: active.Check()})
	return known, true, nil
}

// makeKey makes the user's own key.
func (p *Plan) makeKey(configDir string) (string, error) {
	ring, path, created, err := maskkey.Default(configDir)
	if err != nil {
		return "", err
	}
	p.Key, p.NewKey = ring, false
	if !created {
		return "", nil
	}
	return fmt.Sprintf("made a masking key for you: %s (key id %s). Keep it: without it new data gets other tokens.", path, ring.Active().ID()), nil
}
