package lakeio

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"millrace/io/driver"
)

// Source reads raw log files, plain or gzip, as blocks of whole lines. It
// guarantees:
//
//   - Every line of every file is read exactly once, with the byte offset in the
//     decompressed content and the content identity of its file as its origin.
//   - Blocks and splits depend on content and parameters alone, not on cores,
//     read sizes, compression or names.
//   - Copies of a log (rotated, renamed, compressed) have one identity; the
//     longest is read, the records of the others are marked as duplicates.
//   - A file is read up to the size it had when it was planned. If it is replaced
//     or cut after that, reading fails with driver.ErrChanged.
//
// Files of a raw archive (Parquet of the schema raw) are read as the records they
// hold, each with the origin and the times it had when it was first read, sealed
// or not. Planning them reads their columns source and key_id too. Name a whole
// archive, or only its days of interest with --from and --to: sessions reach over
// midnight, and an event can lie in another day of the archive than its own.
// Equal origins are found inside a file; two files that could have records in
// common are refused. Where the archive is a lake's own, LAKE/raw, only those files
// are read that count by the lake's books.
//
// A folder means the files in it and below it, except what begins with . or _ ;
// a pattern matches with *, ? and [...] within one folder level, and a folder it
// matches means the files in that. In URLs write ? as %3F.
type Source struct {
	place  place
	tree   tree
	detect driver.Inspect
	format string
	cut    cutting

	mu    sync.Mutex
	notes []string
}

var (
	_ driver.Source = (*Source)(nil)
	_ driver.Noter  = (*Source)(nil)
)

// cutting is how content is cut, in bytes.
type cutting struct {
	split   int64 // of a plain file; a multiple of block
	block   int64
	maxLine int64
}

const (
	defaultSplit   = 64 << 20
	defaultBlock   = 1 << 20
	defaultMaxLine = 1 << 20
	maxCutting     = 256 << 20 // of block and maxLine: they are held in memory
)

// tree is a place with files in it, behind which lie a disk or S3.
type tree interface {
	// find lists the files the source means, by name. Nothing is ErrNotFound.
	find(ctx context.Context) (files []logFile, notes []string, err error)
	// means tells whether find would list a file of that name.
	means(name string) bool
	// lake is the lake with a root as the names of files have it: empty, or with a
	// slash at its end.
	lake(root string) Store
	// digest tells the bytes of a file from others.
	digest(ctx context.Context, f logFile) (string, error)
	// open reads n bytes of a version of a file; fewer are an error.
	open(ctx context.Context, name, version string, off, n int64) (io.ReadCloser, error)
}

type logFile struct {
	name    string // as split names
	size    int64
	version string
}

// OpenSource opens log files named by a path, a file:// URL or an s3:// URL.
// detect tells the decoder for a file by the first bytes of its content (64 KiB
// at most); it is called by Splits only and may be nil. Parameters:
//
//	format=combined   the decoder, instead of what detect says
//	split=64MiB       size of the ranges of a plain file that are read in parallel
//	block=1MiB        about the size of a block
//	max_line=1MiB     a longer line is given as its length and first bytes
//	region=eu-west-1  of an S3 bucket
func OpenSource(ctx context.Context, location string, detect driver.Inspect) (*Source, error) {
	p, err := parsePlace(location)
	if err != nil {
		return nil, err
	}
	s := &Source{place: p, detect: detect}
	s.format = p.Text("format", "")
	s.cut = cutting{split: p.Bytes("split", defaultSplit), block: p.Bytes("block", defaultBlock), maxLine: p.Bytes("max_line", defaultMaxLine)}
	region := ""
	if p.onS3() {
		region = p.Text("region", "")
	}
	if err := p.Done(); err != nil {
		return nil, err
	}
	if s.cut.block > maxCutting || s.cut.maxLine > maxCutting {
		return nil, badPlace(p.String(), "block and max_line can be 256MiB at most", "choose smaller ones")
	}
	s.cut.split = (s.cut.split + s.cut.block - 1) / s.cut.block * s.cut.block
	if !p.onS3() {
		s.tree = fileTree{p.path}
		return s, nil
	}
	store, err := newS3Store(ctx, p.bucket, "", s3Config{region: region})
	if err != nil {
		return nil, err
	}
	s.tree = s3Tree{store: store, key: p.key}
	return s, nil
}

// Notes tells what the last Splits found worth saying: empty files, copies.
func (s *Source) Notes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.notes)
}

// Splits plans: it lists the files, reads the first 64 KiB of each, and all of those on
// a disk once, for their digests; of files that turn out to be copies of one log it
// also finds the decompressed length.
func (s *Source) Splits(ctx context.Context) ([]driver.Split, error) {
	files, found, err := s.find(ctx)
	if err != nil {
		return nil, err
	}
	logs, err := s.inspect(ctx, files)
	if err != nil {
		return nil, err
	}
	copies, err := s.markCopies(ctx, logs)
	if err != nil {
		return nil, err
	}
	if err := refuseOverlap(logs); err != nil {
		return nil, err
	}
	var splits []driver.Split
	notes := slices.Concat(found, copies)
	for _, l := range logs {
		if l.empty {
			notes = append(notes, fmt.Sprintf("%s is empty", l.name))
			continue
		}
		if l.note != "" {
			notes = append(notes, l.name+": "+l.note)
		}
		splits = append(splits, s.splitsOf(l)...)
	}
	s.mu.Lock()
	s.notes = notes
	s.mu.Unlock()
	return splits, nil
}

func (s *Source) splitsOf(l *inspected) []driver.Split {
	split := driver.Split{
		Name: l.name, Source: l.identity, Format: l.format, Near: l.near, Version: l.version, Digest: l.digest,
		Length: l.size, Duplicate: l.copyOf != "",
	}
	if l.archive != nil {
		return []driver.Split{archiveSplit(l, split)}
	}
	id := func(start int64) string {
		if l.copyOf != "" {
			return fmt.Sprintf("%s:%d:copy%d", l.identity, start, l.copyNumber)
		}
		return fmt.Sprintf("%s:%d", l.identity, start)
	}
	if l.gzip {
		split.ID, split.Compression, split.End, split.Size = id(0), gzipName, -1, l.size
		return []driver.Split{split}
	}
	var splits []driver.Split
	for start := int64(0); start < l.size; start += s.cut.split {
		split.Start, split.End = start, min(start+s.cut.split, l.size)
		split.ID, split.Size = id(start), split.End-split.Start
		splits = append(splits, split)
	}
	return splits
}
