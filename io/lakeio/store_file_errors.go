package lakeio

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"millrace/io/driver"
)

// FileError gives an error of the operating system that reached the surface bare
// what fileError gives to those of a store: one object, its class and its cure.
// Errors of other kinds stay as they are.
func FileError(doing, object string, err error) error {
	var path *fs.PathError
	var link *os.LinkError
	if errors.As(err, &path) || errors.As(err, &link) {
		return fileError(doing, object, err)
	}
	return err
}

// fileError gives an error of the operating system its class and its cure.
func fileError(doing, object string, err error) error {
	var known *driver.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	class, cure := driver.ErrUnavailable, ""
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		class, cure = driver.ErrFull, "free some space there (or raise the quota), then run the same command again"
	case errors.Is(err, syscall.EROFS):
		class, cure = driver.ErrReadOnly, "the filesystem is mounted read-only; choose another place"
	case errors.Is(err, fs.ErrPermission):
		class, cure = driver.ErrPermission, "give the user who runs this the right to it (see ls -ld), or choose another place"
	case errors.Is(err, fs.ErrNotExist):
		class, cure = driver.ErrNotFound, "check the spelling of the path"
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR), errors.Is(err, fs.ErrExist):
		class, cure = driver.ErrInvalid, "a file is in the place of a folder or the other way round; move it away"
	case errors.Is(err, syscall.EFBIG):
		class, cure = driver.ErrFull, "raise the limit of file sizes (ulimit -f)"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		cure = "raise the limit of open files (ulimit -n)"
	}
	// The object is named once: the wrapped error's own path may be a temporary one.
	var path *fs.PathError
	var link *os.LinkError
	if errors.As(err, &path) {
		err = path.Err
	} else if errors.As(err, &link) {
		err = link.Err
	}
	return &driver.Error{Doing: doing, Object: object, Class: class, Cause: err, Cure: cure}
}
