package lakeio

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"millrace/io/driver"
	"millrace/schemas/vault"
)

// fileWriter writes to a temporary file and renames it into place: after fsync,
// so that a crash of the machine cannot leave a name without content, and with
// an fsync of the folder, so that the name stays.
type fileWriter struct {
	store *fileStore
	key   string
	opt   PutOptions
	file  *os.File // nil once ended
	buf   *bufio.Writer
	sum   hash.Hash // nil unless asked for
}

func (s *fileStore) Create(ctx context.Context, key string, opt PutOptions) (Writer, error) {
	if err := checkKey(s, key); err != nil {
		return nil, err
	}
	f, err := s.stage()
	if err != nil {
		return nil, err
	}
	w := &fileWriter{store: s, key: key, opt: opt, file: f, buf: bufio.NewWriterSize(f, 256<<10)}
	if opt.SHA256 != "" {
		w.sum = sha256.New()
	}
	return w, nil
}

// stage makes a temporary file and locks it. Until it is locked a Sweep may take
// it for abandoned, and a writer that ends may remove the folder: then again.
func (s *fileStore) stage() (*os.File, error) {
	dir := s.path(stagingDir)
	for {
		var f *os.File
		err := inFolder(filepath.Join(dir, "x"), func() (err error) {
			f, err = os.CreateTemp(dir, "")
			return err
		})
		if err != nil {
			return nil, fileError("create a file in", dir, err)
		}
		err = flock(f, syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			err = sameName(f)
		}
		if err == nil || errors.Is(err, errors.ErrUnsupported) {
			return f, nil
		}
		_ = f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, fs.ErrNotExist) {
			return nil, noLocks(dir, err)
		}
	}
}

// sameName makes sure that an open file still has its name.
func sameName(f *os.File) error {
	held, err := f.Stat()
	if err != nil {
		return err
	}
	now, err := os.Stat(f.Name())
	if err == nil && !os.SameFile(held, now) {
		err = fs.ErrNotExist
	}
	return err
}

func (w *fileWriter) Write(p []byte) (int, error) {
	if w.file == nil {
		return 0, fs.ErrClosed
	}
	n, err := w.buf.Write(p)
	if w.sum != nil {
		w.sum.Write(p[:n])
	}
	if err != nil {
		err = fileError("write", w.store.path(w.key), err)
	}
	return n, err
}

// modeOf is who may read the file of a key: everybody, but what reversible tokens stand
// for is for its owner alone.
func modeOf(key string) fs.FileMode {
	if strings.HasPrefix(key, vault.Rows.Name+"/") {
		return 0o600
	}
	return 0o644
}

func (w *fileWriter) Commit(ctx context.Context) (Info, error) {
	if w.file == nil {
		return Info{}, fs.ErrClosed
	}
	defer w.Abort()
	final := w.store.path(w.key)
	if err := context.Cause(ctx); err != nil {
		return Info{}, err
	}
	if err := checkSum(final, w.sum, w.opt.SHA256); err != nil {
		return Info{}, err
	}
	for _, step := range []func() error{w.buf.Flush, func() error { return w.file.Chmod(modeOf(w.key)) }, w.file.Sync} {
		if err := step(); err != nil {
			return Info{}, fileError("write", final, err)
		}
	}
	st, err := w.file.Stat()
	if err != nil {
		return Info{}, fileError("write", final, err)
	}
	if err := w.publish(final); err != nil {
		return Info{}, err
	}
	if err := syncDir(filepath.Dir(final)); err != nil {
		return Info{}, fileError("write", final, err)
	}
	return fileInfo(w.key, st), nil
}

// publish gives the finished file its name, under the write's condition. Link
// refuses an existing name by itself; comparing versions needs a lock, which is
// taken on the root folder and so leaves no file behind.
func (w *fileWriter) publish(final string) error {
	rename := func() error { return os.Rename(w.file.Name(), final) }
	switch {
	case w.opt.IfNoneMatch:
		rename = func() error { return os.Link(w.file.Name(), final) }
	case w.opt.IfMatch != "":
		root, err := os.Open(w.store.root)
		if err != nil {
			return fileError("write", final, err)
		}
		defer root.Close()
		if err := flock(root, syscall.LOCK_EX); err != nil {
			return fileError("lock", w.store.root, err)
		}
		st, err := os.Stat(final)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fileError("write", final, err)
		}
		if err != nil || fileInfo(w.key, st).Version != w.opt.IfMatch {
			return conflict(final)
		}
	}
	err := inFolder(final, rename)
	if errors.Is(err, fs.ErrExist) && w.opt.IfNoneMatch {
		return conflict(final)
	}
	if err != nil {
		return fileError("write", final, err)
	}
	return nil
}

// Abort drops the temporary file, whose name is gone already after a rename.
func (w *fileWriter) Abort() {
	if w.file == nil {
		return
	}
	_ = os.Remove(w.file.Name())
	_ = w.file.Close()
	w.store.prune(filepath.Dir(w.file.Name()))
	w.file = nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	// Some network filesystems cannot sync a folder; their rename is as durable as it gets.
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

func checkSum(object string, sum hash.Hash, want string) error {
	if sum == nil {
		return nil
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		return &driver.Error{
			Doing: "write", Object: object, Class: driver.ErrCorrupt,
			Cause: fmt.Errorf("its SHA-256 is %s, not %s as it should be", got, want),
		}
	}
	return nil
}

func conflict(object string) error {
	return &driver.Error{
		Doing: "write", Object: object, Class: driver.ErrConflict,
		Cause: errors.New("another writer was there first"),
	}
}
