package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A Source is a lake as the report sees it.
type Source interface {
	// Files names the current Parquet files of an output, in the order of their
	// days. An output the lake does not have has no files.
	Files(ctx context.Context, output string) ([]string, error)
	// Open opens a file by a name that Files returned.
	Open(ctx context.Context, name string) (File, error)
}

// A File is read at random, from several places in turn, and then closed.
type File interface {
	io.ReaderAt
	io.Closer
	Size() int64 // bytes
}

// Dir is the Source of a lake in a local folder. An output with a list of
// current files (_current/<output>.json) is read by it; without one, every
// Parquet file under the output's folder counts.
func Dir(root string) Source { return dir(root) }

type dir string

func (d dir) Files(_ context.Context, output string) ([]string, error) {
	names, err := d.current(output)
	if !errors.Is(err, fs.ErrNotExist) {
		return names, err
	}
	names = nil
	err = filepath.WalkDir(filepath.Join(string(d), output), func(p string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && strings.HasPrefix(e.Name(), "_"):
			return fs.SkipDir
		case e.IsDir() || path.Ext(p) != ".parquet":
			return nil
		}
		rel, err := filepath.Rel(string(d), p)
		names = append(names, filepath.ToSlash(rel))
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list files of output %s: %w", output, err)
	}
	slices.Sort(names)
	return names, nil
}

// current reads the list of current files: days, each with the files it
// consists of, by their path inside the lake.
func (d dir) current(output string) ([]string, error) {
	name := filepath.Join(string(d), "_current", output+".json")
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var list struct {
		Days map[string]struct {
			Files []struct {
				Key string `json:"key"`
			} `json:"files"`
		} `json:"days"`
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	var names []string
	for _, day := range slices.Sorted(maps.Keys(list.Days)) {
		for _, f := range list.Days[day].Files {
			if !filepath.IsLocal(filepath.FromSlash(f.Key)) {
				return nil, fmt.Errorf("read %s: file %q is not inside the lake", name, f.Key)
			}
			names = append(names, f.Key)
		}
	}
	return names, nil
}

func (d dir) Open(_ context.Context, name string) (File, error) {
	f, err := os.Open(filepath.Join(string(d), filepath.FromSlash(name)))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return sizedFile{f, info.Size()}, nil
}

type sizedFile struct {
	*os.File
	size int64
}

func (f sizedFile) Size() int64 { return f.size }
