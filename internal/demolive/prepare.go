package main

import (
	"context"
	"os"
	"path/filepath"

	"millrace/internal/localservers"
	"millrace/internal/maskkey"
	"millrace/internal/testenv/install"
)

// prepare installs what is missing and makes the folder of the demo.
func (d *demo) prepare(ctx context.Context) (err error) {
	if d.millrace, err = localservers.Binary(d.millrace); err != nil {
		return err
	}
	if d.out, err = filepath.Abs(d.options.out); err != nil {
		return err
	}
	if d.servers.flink, err = localservers.Flink(ctx, d.say); err != nil {
		return err
	}
	if d.servers.kinesisLocal, err = install.KinesisLocal(ctx, d.say); err != nil {
		return err
	}
	if d.python, err = install.Python(ctx, d.say); err != nil {
		return err
	}
	if err := d.clear(); err != nil {
		return err
	}
	ring, path, _, err := maskkey.Default(d.out)
	if err != nil {
		return err
	}
	d.key = maskkey.FileRef(path)
	d.step("masking key %s in %s", ring.Active().ID(), d.shown(path))
	return nil
}

// clear removes what an earlier demo has left, and nothing else.
func (d *demo) clear() error {
	for _, name := range []string{"lake", "batch", "logs", "millrace"} {
		if err := os.RemoveAll(filepath.Join(d.out, name)); err != nil {
			return err
		}
	}
	return os.MkdirAll(d.path("logs"), 0o755)
}

func (d *demo) path(names ...string) string {
	return filepath.Join(append([]string{d.out}, names...)...)
}

// shown is a path as the reader of this terminal would write it.
func (d *demo) shown(path string) string {
	if inside, err := filepath.Rel(d.out, path); err == nil && filepath.IsLocal(inside) {
		return filepath.Join(d.options.out, inside)
	}
	return path
}
