package report

import (
	"context"
	"errors"
	"fmt"

	"millrace/internal/columns"
)

// scan reads the named columns of all files of an output, and no others.
func scan(ctx context.Context, src Source, output string, names []string, each func(columns.Batch) error) error {
	files, err := src.Files(ctx, output)
	if err != nil {
		return fmt.Errorf("list files of output %s: %w", output, err)
	}
	for _, name := range files {
		if err := scanFile(ctx, src, name, names, each); err != nil {
			return fmt.Errorf("read columns of %s: %w", name, err)
		}
	}
	return nil
}

// scanKnown is scan, but passes over files that lack a column: those of a version
// before it was there.
func scanKnown(ctx context.Context, src Source, output string, names []string, each func(columns.Batch) error) error {
	files, err := src.Files(ctx, output)
	if err != nil {
		return fmt.Errorf("list files of output %s: %w", output, err)
	}
	for _, name := range files {
		if err := scanFile(ctx, src, name, names, each); err != nil && !errors.Is(err, columns.ErrNoColumn) {
			return fmt.Errorf("read columns of %s: %w", name, err)
		}
	}
	return nil
}

func scanFile(ctx context.Context, src Source, name string, names []string, each func(columns.Batch) error) error {
	in, err := src.Open(ctx, name)
	if err != nil {
		return err
	}
	defer in.Close()
	return columns.Scan(ctx, in, names, each)
}
