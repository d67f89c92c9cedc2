package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os/exec"
	"path/filepath"
)

//go:embed compare.py
var compareScript string

// batch runs the job over what the live run has kept of the stream.
func (d *demo) batch(ctx context.Context) error {
	d.step("the batch job reads the raw archive %s", d.shown(d.path("lake", "raw")))
	run, err := d.place().Start(ctx, "batch", nil, d.millrace, "run", "weblogs",
		"--source", d.path("lake", "raw"), "--lake", d.path("batch"), "--mask-key", d.key, "--progress", "none")
	if err != nil {
		return err
	}
	if err := run.Wait(); err != nil {
		return err
	}
	d.step("the batch run is over")
	fmt.Fprintf(d.say, "\n%s\n\n", indent(run.Stdout.String()))
	return nil
}

// compare holds the rows of both lakes against each other, in DuckDB.
func (d *demo) compare(ctx context.Context) error {
	c := exec.CommandContext(ctx, d.python, "-c", compareScript, d.path("lake"), d.path("batch")) //nolint:gosec // our script
	c.Stdout = d.say
	var fault bytes.Buffer
	c.Stderr = &fault
	if err := c.Run(); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if fault.Len() == 0 {
			return fmt.Errorf("the lakes %s and %s differ", filepath.Join(d.options.out, "lake"), filepath.Join(d.options.out, "batch"))
		}
		return fmt.Errorf("comparing the lakes: %w\n%s", err, fault.Bytes())
	}
	return nil
}
