package lakeio

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"millrace/internal/parquetlimit"
	"millrace/io/driver"
	"millrace/schemas/raw"
	"millrace/schemas/table"
)

// A raw archive is a source, too: Parquet files of the schema raw, whose rows are
// records with the origins they had when they were first read.

const parquetMagic = "PAR1"

// archive is what planning finds out about a file of a raw archive.
type archive struct {
	sources, keys []string // sorted
	day           int64    // that its first row is filed under
}

// inspectArchive reads the footer of a Parquet file and, of a raw archive, the
// columns that say where the records come from and what seals them: they hold
// few values and are a small part of the file.
func (s *Source) inspectArchive(ctx context.Context, f logFile) (l *inspected, err error) {
	defer recoverParquet(f.name, &err)
	r := &ranges{ctx: ctx, tree: s.tree, file: f}
	head, err := r.keep(0, identityBytes)
	if err != nil {
		return nil, err
	}
	tail, err := r.keep(max(0, f.size-identityBytes), identityBytes)
	if err != nil {
		return nil, err
	}
	file, err := archiveFile(r)
	if err != nil {
		return nil, err
	}
	a := &archive{}
	if a.sources, err = distinct(r, file, raw.Source); err != nil {
		return nil, err
	}
	if a.keys, err = distinct(r, file, raw.KeyID); err != nil {
		return nil, err
	}
	if groups := file.RowGroups(); len(groups) > 0 {
		if first, _, ok := chunkOf(file, groups[0], raw.NotedTime).Bounds(); ok {
			a.day = table.FloorDay(first.Int64())
		}
	}
	// The end names all row groups with their sizes and bounds: two files that
	// begin and end alike are one.
	sum := sha256.Sum256(slices.Concat(head, tail))
	return &inspected{
		logFile: f, empty: file.NumRows() == 0, identity: hex.EncodeToString(sum[:16]), format: s.format, archive: a,
	}, nil
}

// archiveFile opens a file and refuses what is not a raw archive.
func archiveFile(r *ranges) (*parquet.File, error) {
	file, err := parquetlimit.Open(r, r.file.size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(laterWindow))
	if err != nil {
		return nil, r.explain(err)
	}
	refuse := func(what, cure string) error {
		return &driver.Error{
			Doing: "read", Object: r.file.name, Class: driver.ErrInvalid, Cause: errors.New("it is a Parquet file of " + what + ", and a source is log files or a raw archive"), Cure: cure,
		}
	}
	schema, ok := file.Lookup(schemaKey)
	switch name, _, _ := strings.Cut(schema, "/"); {
	case !ok:
		return nil, refuse("another program", "name log files, or the folder raw of a lake written with --raw")
	case name == raw.Rows.Name && schema != raw.Rows.ID():
		return nil, refuse("schema "+schema, "read it with the version of the program that wrote it")
	case schema != raw.Rows.ID():
		return nil, refuse("schema "+schema, "name log files, or the lake's folder raw if it was written with --raw")
	}
	for col, want := range raw.Rows.Columns {
		leaf, ok := file.Schema().Lookup(want.Name)
		if !ok && want.Null {
			continue // it was added later
		}
		if !ok || leaf.Node.Type().Kind() != parquetNode(want, lakeFlavor).Type().Kind() || leaf.MaxRepetitionLevel > 0 {
			return nil, r.explain(fmt.Errorf("column %s is not that of a raw archive", raw.Rows.Columns[col].Name))
		}
	}
	return file, nil
}

// chunkOf is a column of a row group; nil when the file does not have it.
func chunkOf(file *parquet.File, group parquet.RowGroup, col int) *parquet.FileColumnChunk {
	leaf, ok := file.Schema().Lookup(raw.Rows.Columns[col].Name)
	if !ok {
		return nil
	}
	return group.ColumnChunks()[leaf.ColumnIndex].(*parquet.FileColumnChunk)
}

// distinct lists the texts of a column, sorted. Pages with a dictionary are not
// looked at value by value.
func distinct(r *ranges, file *parquet.File, col int) ([]string, error) {
	seen := map[string]bool{}
	for _, group := range file.RowGroups() {
		chunk := chunkOf(file, group, col)
		if chunk == nil {
			continue
		}
		if err := distinctOf(chunk, seen); err != nil {
			return nil, r.explain(err)
		}
	}
	return slices.Sorted(maps.Keys(seen)), nil
}

func distinctOf(chunk *parquet.FileColumnChunk, seen map[string]bool) error {
	pages := chunk.Pages()
	defer pages.Close()
	known := false
	values := make([]parquet.Value, 1024)
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if d := page.Dictionary(); d != nil {
			if !known { // all pages of a chunk share one
				for i := range int32(d.Len()) { //nolint:gosec // a page has 2^20 values at most
					seen[string(d.Index(i).ByteArray())] = true
				}
			}
			known = true
			parquet.Release(page)
			continue
		}
		for in := page.Values(); err == nil; {
			var n int
			n, err = in.ReadValues(values)
			for _, v := range values[:n] {
				if !v.IsNull() {
					seen[string(v.ByteArray())] = true
				}
			}
		}
		parquet.Release(page)
		if !errors.Is(err, io.EOF) {
			return err
		}
	}
}

// refuseOverlap finds records that two inputs hold: a log beside its archive, or
// two archives of one day of a log. Which of them to read is not ours to guess,
// and reading both would count each record twice. The files of one archive's day
// do not overlap; they lie in one folder and are of one revision. A live archive
// has many of them, each of some rolls, which have no record in common.
func refuseOverlap(logs []*inspected) error {
	type day struct {
		source string
		day    int64
	}
	archived, days := map[string]string{}, map[day]*inspected{}
	for _, l := range logs {
		if l.archive == nil || l.copyOf != "" {
			continue
		}
		for _, source := range l.archive.sources {
			archived[source] = l.name
			d := day{source, l.archive.day}
			if other := days[d]; other != nil && writtenWith(other.name) != writtenWith(l.name) {
				return overlap(l.name, fmt.Sprintf("both it and %s hold records of %s from %s", other.name, source, DayText(d.day)))
			}
			days[d] = l
		}
	}
	for _, l := range logs {
		if name := archived[l.identity]; name != "" && l.archive == nil {
			return overlap(l.name, fmt.Sprintf("its records are also in the raw archive, in %s", name))
		}
	}
	return nil
}

func overlap(name, what string) error {
	return &driver.Error{Doing: "read", Object: name, Class: driver.ErrInvalid, Cause: errors.New(what), Cure: "name one of the two as the source: their records would count twice"}
}

// writtenWith is equal for the files that a run, live or not, wrote into an
// archive for one day: their folder and revision.
func writtenWith(name string) string {
	name = strings.ReplaceAll(name, `\`, "/")
	parts := strings.Split(path.Base(name), "-") // 2006-01-02-s00-r0-hash.parquet
	if len(parts) != 6 || !strings.HasPrefix(parts[4], "r") {
		return path.Dir(name)
	}
	return path.Dir(name) + " " + parts[4]
}

// archiveSplit is one whole file.
func archiveSplit(l *inspected, split driver.Split) driver.Split {
	split.Schema, split.Sources, split.Keys = raw.Rows.ID(), l.archive.sources, l.archive.keys
	split.ID, split.End, split.Size = l.identity+":rows", l.size, l.size
	if l.copyOf != "" {
		split.ID += fmt.Sprintf(":copy%d", l.copyNumber)
	}
	return split
}

// explain puts the errors of the Parquet library in words.
func (r *ranges) explain(err error) error {
	if first := cmp.Or(r.fault(), context.Cause(r.ctx)); first != nil {
		return first
	}
	return corruptParquet(r.file.name, err)
}

func corruptParquet(name string, err error) error {
	return &driver.Error{
		Doing: "read", Object: name, Class: driver.ErrCorrupt, Cause: fmt.Errorf("the Parquet file is damaged: %w", err),
		Cure: "fetch it again, or take it out of the source",
	}
}

// recoverParquet makes an error of a panic: the library trusts what a file says
// of itself.
func recoverParquet(name string, err *error) {
	if p := recover(); p != nil {
		*err = corruptParquet(name, fmt.Errorf("%v", p))
	}
}
