package lakeio

import (
	"errors"
	"fmt"
	"os"

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
		return run, fileError("create a file in", string(d), err)
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

func (d folderRuns) flush() ([]Run, error) { return nil, nil }

func (d folderRuns) discard(runs []Run) {
	for _, r := range runs {
		_ = os.Remove(r.Path)
	}
}
