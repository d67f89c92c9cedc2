package lakeio

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"millrace/io/driver"
)

// adopter is a Store that can take over a finished file of the same file system
// without copying it.
type adopter interface {
	adopt(path, key string) error
}

// placeFile puts a staged file where it belongs. A file that is there already was
// placed by an interrupted attempt.
func placeFile(ctx context.Context, s Store, from *Staging, f File) error {
	waits, err := from.holds(ctx, f)
	if err != nil {
		return err
	}
	if !waits {
		there, err := placed(ctx, s, f)
		if err == nil && !there {
			err = fs.ErrNotExist
		}
		return err
	}
	return from.place(ctx, s, f)
}

// placed tells whether a file is where it belongs; an error leaves that open.
func placed(ctx context.Context, s Store, f File) (bool, error) {
	info, err := s.Stat(ctx, f.Key)
	if errors.Is(err, driver.ErrNotFound) {
		return false, nil
	}
	return err == nil && info.Size == f.Bytes, err
}

// ParseDay reads a day written by DayText.
func ParseDay(text string) (int64, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, err
	}
	return t.Unix() / 86400, nil
}

// adopt moves a finished file of the same file system to its key.
func (s *fileStore) adopt(from, key string) error {
	to := s.path(key)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fileError("write", to, err)
	}
	if err := os.Rename(from, to); err != nil {
		return fileError("write", to, err)
	}
	if err := syncDir(filepath.Dir(to)); err != nil {
		return fileError("write", to, err)
	}
	return nil
}
