package lakeio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"millrace/io/driver"
	"millrace/schemas/raw"
)

// The folder raw of a lake can hold more than the lake's archive: files of a run
// that died before its commit, and such as a backfill has replaced and not removed
// yet. What counts is in the lake's books, _current and _ledger. So of files that
// lie where a lake has its archive, those are read that its books name; elsewhere,
// as in a copy of the folder, all are.

// archivePlace takes the name of a file apart: the lake's root, with a slash at its
// end unless it is empty, and the file's key.
var archivePlace = regexp.MustCompile(`^(.*/)?(` + raw.Rows.Name + `/year=\d{4}/month=\d{2}/day=\d{2}/[^/]+\.parquet)$`)

// findAttempts is how often files are listed again that books name and a listing
// has not: a commit came in between.
const findAttempts = 3

// find lists the files that the source means and that count.
func (s *Source) find(ctx context.Context) (files []logFile, notes []string, err error) {
	for attempt := 1; ; attempt++ {
		if files, notes, err = s.tree.find(ctx); err != nil {
			return nil, nil, err
		}
		kept, left, missing, err := s.byBooks(ctx, files)
		switch {
		case err != nil:
			return nil, nil, err
		case len(missing) > 0 && attempt < findAttempts:
			continue
		case len(missing) > 0:
			return nil, nil, &driver.Error{
				Doing: "read", Object: missing[0], Class: driver.ErrNotFound,
				Cause: fmt.Errorf("it is not there, and the books of its lake name it (%d such files)", len(missing)),
				Cure:  "restore what was removed from the lake, or write the day anew",
			}
		case len(kept) == 0:
			return nil, nil, &driver.Error{
				Doing: "find logs in", Object: s.place.String(), Class: driver.ErrNotFound,
				Cause: errors.New("the books of the lake (_current and _ledger) name none of its files: the run that wrote them did not finish, or another has replaced them"),
				Cure:  "finish the run by the same command; or copy the files out of the lake to read them all the same",
			}
		}
		return kept, append(notes, left...), nil
	}
}

// byBooks keeps of files those that count, with a note for each lake that has
// others, and names those of a lake that are missing.
func (s *Source) byBooks(ctx context.Context, files []logFile) (kept []logFile, notes, missing []string, err error) {
	lakes := map[string]map[string]bool{} // by root: the files that count; nil where is no lake
	left := map[string]int{}
	for _, f := range files {
		parts := archivePlace.FindStringSubmatch(filepath.ToSlash(f.name))
		if parts == nil {
			kept = append(kept, f)
			continue
		}
		root, key := parts[1], parts[2]
		counts, known := lakes[root]
		if !known {
			if counts, err = booksOf(ctx, s.tree.lake(root)); err != nil {
				return nil, nil, nil, err
			}
			lakes[root] = counts
		}
		switch {
		case counts == nil || counts[key]:
			kept = append(kept, f)
			delete(counts, key) // what stays is missing
		default:
			left[root]++
		}
	}
	for _, root := range slices.Sorted(maps.Keys(lakes)) {
		for _, key := range slices.Sorted(maps.Keys(lakes[root])) {
			if name := filepath.FromSlash(root + key); s.tree.means(name) {
				missing = append(missing, name)
			}
		}
		if n := left[root]; n > 0 {
			notes = append(notes, fmt.Sprintf("%d files in %s are left out: the lake's books do not name them, as the run that wrote them did not finish or was replaced", n, root+raw.Rows.Name))
		}
	}
	return kept, notes, missing, nil
}

// booksOf is which files a lake's archive consists of; nil where there is no lake.
func booksOf(ctx context.Context, lake Store) (map[string]bool, error) {
	found := false
	for _, folder := range []string{currentDir, ledgerDir} {
		infos, err := lake.List(ctx, folder+"/")
		if err != nil {
			return nil, err
		}
		if found = len(infos) > 0; found {
			break
		}
	}
	if !found {
		return nil, nil //nolint:nilnil // no lake, and no error
	}
	c, err := LoadCurrent(ctx, lake, raw.Rows.Name)
	if err != nil {
		return nil, err
	}
	counts := map[string]bool{}
	for _, d := range c.Days {
		for key := range d.keys() {
			counts[key] = true
		}
	}
	return counts, nil
}

func (t fileTree) lake(root string) Store {
	return newFileStore(filepath.Clean(cmp.Or(filepath.FromSlash(root), ".")))
}

func (t fileTree) means(name string) bool {
	if name == t.path || t.path == "." && !filepath.IsAbs(name) {
		return true
	}
	if strings.HasPrefix(name, strings.TrimSuffix(t.path, string(filepath.Separator))+string(filepath.Separator)) {
		return true
	}
	pattern, name := filepath.ToSlash(t.path), filepath.ToSlash(name)
	ok, err := matchSteps(pattern, name)
	return err == nil && ok && !hiddenBelow(pattern, name)
}

func (t s3Tree) lake(root string) Store {
	s := *t.store
	s.prefix = strings.TrimPrefix(root, t.store.Name(""))
	return &s
}

func (t s3Tree) means(name string) bool {
	key := strings.TrimPrefix(name, t.store.Name(""))
	return key == t.key || t.wants(key)
}
