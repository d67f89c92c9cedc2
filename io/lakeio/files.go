package lakeio

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"time"

	"millrace/schemas/table"
)

// settled is how many row groups back a file's size is known for certain,
// however many cores encode: the cut must not depend on them.
const settled = 4

// File is one Parquet file of the lake.
type File struct {
	Part   Part   `json:"part"`
	Key    string `json:"key"`    // place in the lake, for example events/year=2015/month=05/day=17/...
	Staged string `json:"staged"` // where in its staging area the finished file waits: a path, or a key
	Schema string `json:"schema"`
	Rows   int64  `json:"rows"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	// Sources are the identities of the inputs whose records are in the part.
	Sources []string `json:"sources,omitempty"`
}

// DayText writes a day as 2006-01-02.
func DayText(day int64) string { return time.Unix(day*86400, 0).UTC().Format(time.DateOnly) }

// PartitionKey is the folder of an output's day: output/year=YYYY/month=MM/day=DD.
func PartitionKey(output string, day int64) string {
	t := time.Unix(day*86400, 0).UTC()
	return fmt.Sprintf("%s/year=%04d/month=%02d/day=%02d", output, t.Year(), t.Month(), t.Day())
}

// fileKey names a file by its data: day, shard, revision and a hash of the first
// row's sort columns.
func fileKey(p Part, revision int32, first []byte) string {
	sum := sha256.Sum256(first)
	return fmt.Sprintf("%s/%s-s%02d-r%d-%s.parquet", PartitionKey(p.Output, p.Day), DayText(p.Day), p.Shard, revision, hex.EncodeToString(sum[:8]))
}

// MergeRuns merges the runs of one part into finished Parquet files in dir, each
// of about 256 MiB at most, and tells written of rows as it goes. Nothing
// appears in the lake yet.
func MergeRuns(ctx context.Context, s *table.Schema, p Part, revision int32, runs []Run, dir string, written func(rows int)) ([]File, error) {
	m := &fileMerger{ctx: ctx, cut: lakeCut, schema: s, part: p, revision: revision, to: folderFiles(dir), written: written}
	return m.merge(localRuns(runs))
}

func (m *fileMerger) merge(runs []runSource) ([]File, error) {
	err := mergeSources(m.ctx, m.schema, runs, m.add)
	if err == nil {
		err = m.finish()
	}
	if err != nil {
		m.abandon()
		return nil, fmt.Errorf("writing %s of %s: %w", m.part.Output, DayText(m.part.Day), err)
	}
	return m.files, nil
}

type fileMerger struct {
	ctx      context.Context
	cut      cut
	schema   *table.Schema
	part     Part
	revision int32
	to       stagedFiles
	files    []File
	open     *lakeFile
	written  func(rows int)
	// create begins the part's next file, which starts with a row of the given sort
	// columns; nil for files that are staged.
	create func(first []byte) (key string, to destination, err error)
}

// stagedFiles is a place where finished files wait.
type stagedFiles interface {
	// create begins a file. What it gives is a waiting one.
	create(ctx context.Context) (destination, error)
	// discard removes a finished file, by its place.
	discard(ctx context.Context, staged string)
}

// waiting is the destination of a file that waits for its commit.
type waiting interface {
	destination
	// staged is its place.
	staged() string
}

// destination is where a file is written to. It shows nothing of it yet.
type destination interface {
	io.Writer
	// finish says that the file is complete.
	finish() error
	// abandon drops the file.
	abandon()
}

// add cuts pieces at row groups, so that a file ends at the same row however the
// rows were cut into pieces.
func (m *fileMerger) add(rows piece) error {
	m.written(rows.to - rows.from)
	for rows.from < rows.to {
		if m.open != nil && m.open.w.rows == 0 && m.open.w.settledBytes() >= m.cut.fileBytes {
			if err := m.finish(); err != nil {
				return err
			}
		}
		if m.open == nil {
			create := m.create
			if create == nil {
				create = m.stage
			}
			key, to, err := create(sortKey(nil, rows.batch, rows.from))
			if err != nil {
				return err
			}
			m.open = newLakeFile(key, to, m.schema, m.cut.groupRows)
		}
		part := rows
		part.to = min(rows.to, rows.from+m.cut.groupRows-m.open.w.rows)
		if err := m.open.w.add(part); err != nil {
			return err
		}
		rows.from = part.to
	}
	return nil
}

// stage begins a file that is to wait.
func (m *fileMerger) stage(first []byte) (string, destination, error) {
	to, err := m.to.create(m.ctx)
	if err != nil {
		return "", nil, err
	}
	return m.name(first), to, nil
}

// name is the key of a file that begins with the given row. Two files of a part
// begin alike only where more rows than a file holds have equal sort columns.
func (m *fileMerger) name(first []byte) string {
	for {
		key := fileKey(m.part, m.revision, first)
		if !slices.ContainsFunc(m.files, func(f File) bool { return f.Key == key }) {
			return key
		}
		first = append(first, '+')
	}
}

func (m *fileMerger) finish() error {
	if m.open == nil {
		return nil
	}
	f := m.open
	m.open = nil
	if err := f.close(); err != nil {
		f.abandon()
		return err
	}
	m.files = append(m.files, File{
		Part: m.part, Key: f.key, Staged: stagedName(f.to), Schema: m.schema.ID(),
		Rows: f.w.total, Bytes: f.out.n, SHA256: hex.EncodeToString(f.out.sum.Sum(nil)),
	})
	return nil
}

func (m *fileMerger) abandon() {
	if m.open != nil {
		m.open.abandon()
	}
	for _, f := range m.files {
		if f.Staged != "" {
			m.to.discard(m.ctx, f.Staged)
		}
	}
}

// lakeFile is a Parquet file being written, not in the lake's folders yet.
type lakeFile struct {
	key string
	to  destination
	out *hashingWriter
	buf *bufio.Writer
	w   *parquetWriter
}

func newLakeFile(key string, to destination, s *table.Schema, groupRows int) *lakeFile {
	out := &hashingWriter{w: to, sum: sha256.New()}
	buf := bufio.NewWriterSize(out, 1<<20)
	return &lakeFile{key: key, to: to, out: out, buf: buf, w: newParquetWriter(buf, s, groupRows)}
}

func (f *lakeFile) close() error {
	if err := f.w.close(); err != nil {
		return err
	}
	if err := f.buf.Flush(); err != nil {
		return err
	}
	return f.to.finish()
}

func (f *lakeFile) abandon() {
	f.w.abandon()
	f.to.abandon()
}

// stagedName is the place of a file that waits, else empty.
func stagedName(to destination) string {
	if f, ok := to.(waiting); ok {
		return f.staged()
	}
	return ""
}

// hashingWriter counts and hashes what passes through.
type hashingWriter struct {
	w   io.Writer
	sum interface {
		io.Writer
		Sum([]byte) []byte
	}
	n int64
}

func (h *hashingWriter) Write(p []byte) (int, error) {
	n, err := h.w.Write(p)
	h.n += int64(n)
	_, _ = h.sum.Write(p[:n]) // a hash never fails
	return n, err
}
