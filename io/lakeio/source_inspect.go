package lakeio

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/errgroup"

	"millrace/io/driver"
)

const (
	gzipName      = "gzip"
	identityBytes = 64 << 10 // of decompressed content that make a file's identity
	inspectors    = 16       // files looked at side by side: it is latency, not work
)

// inspected is a file with what its first bytes tell.
type inspected struct {
	logFile
	gzip     bool
	empty    bool // no content, perhaps compressed
	identity string
	digest   string // of the stored bytes
	format   string
	near     int64
	note     string
	archive  *archive // of a file of a raw archive

	copyOf     string // name of the file that is read instead
	copyNumber int    // from 1 on among the copies of that file
}

func (s *Source) inspect(ctx context.Context, files []logFile) ([]*inspected, error) {
	logs := make([]*inspected, len(files))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(inspectors)
	for i, f := range files {
		group.Go(func() error {
			l, err := s.inspectFile(ctx, f)
			if err == nil && !l.empty {
				l.digest, err = s.tree.digest(ctx, f)
			}
			logs[i] = l
			return err
		})
	}
	return logs, group.Wait()
}

func (s *Source) inspectFile(ctx context.Context, f logFile) (*inspected, error) {
	l := &inspected{logFile: f}
	if f.size == 0 {
		l.empty = true
		return l, s.probe(ctx, f)
	}
	raw := newWindows(ctx, s.tree, f, 0, 2*identityBytes)
	defer raw.Close()
	content, compressed, err := decompress(f.name, raw)
	if errors.Is(err, errParquet) {
		return s.inspectArchive(ctx, f)
	}
	if err != nil {
		return nil, err
	}
	l.gzip = compressed
	head := make([]byte, identityBytes)
	n, err := io.ReadFull(content, head)
	// Not errors.Is: a torn gzip file is an ErrUnexpectedEOF inside an error of ours.
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF { //nolint:errorlint // see above
		return nil, err
	}
	head = head[:n]
	if compressed {
		if err := refuseKind(f.name, head, "gzip around "); err != nil {
			return nil, err
		}
	}
	l.empty = n == 0
	sum := sha256.Sum256(head)
	l.identity = hex.EncodeToString(sum[:16])
	l.format = s.format
	if s.detect != nil && n > 0 {
		told := s.detect(head)
		if told.Err != nil {
			return nil, &driver.Error{Doing: "read", Object: f.name, Class: driver.ErrInvalid, Cause: told.Err}
		}
		l.near, l.note = told.Near, told.Note
		if l.format == "" || strings.HasPrefix(told.Format, l.format+" ") { // the file completes it
			l.format = told.Format
		}
	}
	return l, nil
}

// probe opens a file without content: that it cannot be read is an error even so.
func (s *Source) probe(ctx context.Context, f logFile) error {
	r, err := s.tree.open(ctx, f.name, f.version, 0, 0)
	if err == nil {
		err = r.Close()
	}
	return err
}

// decompress looks at the first bytes of a file and gives its content. What
// cannot be a log is refused by name, except that Parquet is errParquet.
func decompress(name string, raw io.Reader) (content io.Reader, compressed bool, err error) {
	buffered := bufio.NewReaderSize(raw, 256<<10)
	magic, err := buffered.Peek(magicBytes)
	if err != nil && err != io.EOF {
		return nil, false, err
	}
	if len(magic) >= 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		g := &gunzip{name: name, counted: counted{r: buffered}}
		return g, true, g.start()
	}
	if bytes.HasPrefix(magic, []byte(parquetMagic)) {
		return nil, false, errParquet
	}
	return buffered, false, refuseKind(name, magic, "")
}

var errParquet = errors.New("a Parquet file")

// gunzip reads all members of a gzip file. Its errors say where and what to do.
type gunzip struct {
	name    string
	counted counted
	z       *gzip.Reader
	out     int64
}

// counted counts the bytes that are taken from a buffered reader. The decoder
// takes it as it is, as it can give single bytes.
type counted struct {
	r *bufio.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *counted) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

func (g *gunzip) start() (err error) {
	if g.z, err = gzip.NewReader(&g.counted); err == nil {
		g.z.Multistream(false)
	}
	return g.explain(err)
}

func (g *gunzip) Read(p []byte) (n int, err error) {
	for n == 0 && err == nil {
		n, err = g.z.Read(p)
		g.out += int64(n)
		if !errors.Is(err, io.EOF) {
			err = g.explain(err)
			break
		}
		if _, end := g.counted.r.Peek(1); end != nil {
			return n, g.explainEnd(end)
		}
		err = g.member()
	}
	return n, err
}

// member begins the next member. The library would do so by itself, but takes a
// member that is cut short in its header for the end of the file.
func (g *gunzip) member() error {
	if err := g.z.Reset(&g.counted); err != nil {
		return g.explain(err)
	}
	g.z.Multistream(false)
	return nil
}

// explainEnd leaves the end of the file as it is.
func (g *gunzip) explainEnd(err error) error {
	if err == io.EOF { //nolint:errorlint // the reader's own
		return err
	}
	return g.explain(err)
}

func (g *gunzip) explain(err error) error {
	var known *driver.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	what := "is corrupt"
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) { // a torn first header reads as plain EOF
		what, err = "is cut short", io.ErrUnexpectedEOF
	}
	return &driver.Error{
		Doing: "read", Object: g.name, Class: driver.ErrCorrupt,
		Cause: fmt.Errorf("the gzip data %s near byte %d, after %d bytes of content: %w", what, g.counted.n, g.out, err),
		Cure:  "check it with gzip -t and fetch or compress it again, or take it out of the source",
	}
}

// markCopies finds files with the same identity. The longest content is the one
// to read, the first name among equals; the others are marked.
func (s *Source) markCopies(ctx context.Context, logs []*inspected) (notes []string, err error) {
	groups := map[string][]*inspected{}
	for _, l := range logs {
		if !l.empty {
			groups[l.identity] = append(groups[l.identity], l)
		}
	}
	for _, l := range logs { // in order of names, so that notes are, too
		group := groups[l.identity]
		delete(groups, l.identity)
		if len(group) < 2 {
			continue
		}
		lengths := map[*inspected]int64{}
		for _, l := range group {
			if lengths[l], err = s.contentLength(ctx, l); err != nil {
				return nil, err
			}
		}
		slices.SortStableFunc(group, func(a, b *inspected) int { return cmp.Compare(lengths[b], lengths[a]) })
		for i, l := range group[1:] {
			l.copyOf, l.copyNumber = group[0].name, i+1
			notes = append(notes, fmt.Sprintf("%s holds the same log as %s; its records count as duplicates", l.name, l.copyOf))
		}
	}
	return notes, nil
}

// contentLength reads a compressed file to its end, which only copies pay for:
// the length that gzip stores is that of the last member, modulo 2^32.
func (s *Source) contentLength(ctx context.Context, l *inspected) (int64, error) {
	if !l.gzip {
		return l.size, nil
	}
	raw := newWindows(ctx, s.tree, l.logFile, 0, l.size)
	defer raw.Close()
	content, _, err := decompress(l.name, raw)
	if err != nil {
		return 0, err
	}
	return io.Copy(io.Discard, content)
}
