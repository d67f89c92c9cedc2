package lakeio

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// inFolder makes the folder of a path and does something in it. Whoever removes
// the last file of a folder removes the folder, too, perhaps between the two;
// then it is done again.
func inFolder(path string, do func() error) error {
	var err error
	for range 100 { // no race is lost so often: it is a broken link
		err = os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = do()
		} else if errors.Is(err, fs.ErrExist) {
			err = fs.ErrNotExist // MkdirAll saw it appear and vanish
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return err
}

// prune removes empty folders from dir upwards, the root excepted.
func (s *fileStore) prune(dir string) {
	root := filepath.Clean(s.root)
	for dir != root && len(dir) > len(root) && os.Remove(dir) == nil {
		dir = filepath.Dir(dir)
	}
}
