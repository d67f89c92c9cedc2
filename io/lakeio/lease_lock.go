package lakeio

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"millrace/io/driver"
)

// lock is a lease in a folder: a locked file that says who locked it. The file
// is removed with the lease; whoever had opened it meanwhile sees by its inode
// that what it locked has no name any more.
type lock struct {
	store *fileStore
	file  *os.File
}

func acquireLock(s *fileStore, name string, owner Owner) (holding, error) {
	path := filepath.Join(s.root, leaseDir, filepath.FromSlash(name)+".lock")
	for {
		var f *os.File
		err := inFolder(path, func() (err error) {
			f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
			return err
		})
		if err != nil {
			return nil, fileError("lock", path, err)
		}
		l := &lock{store: s, file: f}
		err = flock(f, syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			holder, _ := io.ReadAll(io.LimitReader(f, 4096)) // may be empty still
			_ = f.Close()
			return nil, leaseBusy(s.Name(""), holder, "")
		}
		if err != nil {
			_ = f.Close()
			return nil, noLocks(path, err)
		}
		if l.named() != nil {
			_ = f.Close()
			continue // released between our open and our lock
		}
		if err := l.sign(owner); err != nil {
			_ = l.release(context.Background())
			return nil, fileError("write", path, err)
		}
		return l, nil
	}
}

func noLocks(path string, err error) error {
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.ENOLCK) {
		return &driver.Error{
			Doing: "lock", Object: path, Class: driver.ErrInvalid, Cause: err,
			Cure: "this filesystem has no locks; put the lake on a local disk or on S3",
		}
	}
	return fileError("lock", path, err)
}

func (l *lock) sign(owner Owner) error {
	text, err := json.Marshal(owner)
	if err != nil {
		return err
	}
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err = l.file.WriteAt(append(text, '\n'), 0)
	return err
}

// named finds out whether the locked file still has its name.
func (l *lock) named() error {
	err := sameName(l.file)
	if errors.Is(err, fs.ErrNotExist) {
		return leaseLost(l.store.Name(""), errors.New("its lock file "+l.file.Name()+" was removed"))
	}
	return fileError("stat", l.file.Name(), err)
}

func (l *lock) confirm(context.Context) error { return l.named() }

// expired: a lock does not, as long as its process lives.
func (l *lock) expired() bool { return false }

func (l *lock) release(context.Context) error {
	err := l.named()
	if err == nil {
		err = fileError("remove", l.file.Name(), os.Remove(l.file.Name())) // while it is locked
	}
	_ = l.file.Close()
	l.store.prune(filepath.Dir(l.file.Name()))
	return err
}
