package lakeio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"golang.org/x/sync/errgroup"

	"millrace/io/driver"
)

// fetches is how many objects are read at once: a roll has hundreds of segments,
// and an answer of S3 takes many milliseconds.
const fetches = 16

// scratch is a copy of segments on this machine: a file without a name, so that
// nothing is left of it, however the process ends.
type scratch struct{ f *os.File }

func newScratch() (scratch, error) {
	f, err := os.CreateTemp("", "millrace-roll-*")
	if err != nil {
		return scratch{}, fileError("write to", os.TempDir(), err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return scratch{}, fileError("write to", os.TempDir(), errors.Join(err, f.Close()))
	}
	return scratch{f}, nil
}

func (s scratch) Close() error { return s.f.Close() }

// goneError says that segments are not where they were staged.
type goneError struct {
	keys []string
}

func (e *goneError) Error() string { return fmt.Sprintf("%d segments are gone", len(e.keys)) }

// fetch copies segments of one output and gives their runs by day. Segments that
// are gone are a goneError.
func (s scratch) fetch(ctx context.Context, store Store, segments []Segment) (map[int64][]runSource, error) {
	runs := map[int64][]runSource{}
	missing := make([]bool, len(segments))
	g, fetching := errgroup.WithContext(ctx)
	g.SetLimit(fetches)
	at := int64(0)
	for i, seg := range segments {
		if len(seg.Parts) == 0 {
			continue
		}
		last := seg.Parts[len(seg.Parts)-1]
		from, n, to := seg.Parts[0].Offset, last.Offset+last.Length-seg.Parts[0].Offset, at
		at += n
		g.Go(func() error {
			err := s.copy(fetching, store, seg.Key, from, n, to)
			if errors.Is(err, driver.ErrNotFound) {
				missing[i] = true
				return nil
			}
			return err
		})
		for _, p := range seg.Parts {
			section := io.NewSectionReader(s.f, to+p.Offset-from, p.Length)
			runs[p.Day] = append(runs[p.Day], runSource{
				Run:    Run{Part: Part{Output: seg.Output, Day: p.Day}, Path: seg.Key, Rows: p.Rows, First: p.First},
				frames: func() (io.ReadCloser, int64, error) { return io.NopCloser(section), section.Size(), nil },
			})
		}
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	gone := &goneError{}
	for i, seg := range segments {
		if missing[i] {
			gone.keys = append(gone.keys, seg.Key)
		}
	}
	if len(gone.keys) > 0 {
		slices.Sort(gone.keys)
		return nil, gone
	}
	return runs, nil
}

// copy takes a range of an object to a place in the file.
func (s scratch) copy(ctx context.Context, store Store, key string, from, n, to int64) error {
	r, err := store.GetRange(ctx, key, from, n, "")
	if err != nil {
		return err
	}
	defer r.Close()
	copied, err := io.Copy(io.NewOffsetWriter(s.f, to), r)
	if err == nil && copied != n {
		err = io.ErrUnexpectedEOF
	}
	return FileError("write to", os.TempDir(), err)
}
