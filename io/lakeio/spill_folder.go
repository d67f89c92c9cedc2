package lakeio

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"millrace/io/driver"
	"millrace/schemas/table"
)

// folderRuns writes runs into a folder, each as a file of its own.
type folderRuns string

func (d folderRuns) write(b *table.Batch, parts []partRows, frame int) (runs []Run, err error) {
	for _, p := range parts {
		run, err := d.one(b, p, frame)
		if err != nil {
			return runs, err
		}
		runs = append(runs, run)
	}
	return runs, nil
}

func (d folderRuns) one(b *table.Batch, p partRows, frame int) (run Run, err error) {
	f, err := os.CreateTemp(string(d), fmt.Sprintf("%s-%d-%d-*.run", p.Output, p.Day, p.Shard))
	if err != nil {
		return run, newFileError(string(d), err)
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	run = p.run(b)
	run.Path = f.Name()
	return run, writeFrames(f, b, p.rows, frame)
}

// newFileError is the error of making a file in a staging area. The folders of it are
// made where the run was planned.
func newFileError(dir string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &driver.Error{
			Doing: "create a file in", Object: dir, Class: driver.ErrNotFound, Cause: fmt.Errorf("it is not on this machine: %w", syscall.ENOENT),
			Cure: "rows have to wait where all workers reach it: give --staging an s3:// URL, or a folder that all machines share",
		}
	}
	return fileError("create a file in", dir, err)
}

func (d folderRuns) flush() ([]Run, error) { return nil, nil }

func (d folderRuns) discard(runs []Run) {
	for _, r := range runs {
		_ = os.Remove(r.Path)
	}
}
