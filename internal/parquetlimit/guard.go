package parquetlimit

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// guard reads a file and looks at the pages that pass by. The library reads a column
// from its beginning on; so what it gets was looked at, and a page is decoded only
// when the last of its bytes was.
type guard struct {
	r      io.ReaderAt
	chunks []*chunk // by their begin
	table  bool     // of another program
}

// chunk is a column of a row group.
type chunk struct {
	begin, end int64
	null       bool // its values can be null
	codec      format.CompressionCodec
	table      bool // of another program

	mu      sync.Mutex
	seen    int64  // up to where it was looked at
	pending []byte // a header that is not whole
	page    page
	body    []byte // of the page, as far as read
	err     error
}

// watch learns where the columns are.
func (g *guard) watch(file *parquet.File) error {
	meta := file.Metadata()
	for _, e := range meta.Schema[1:] {
		if e.NumChildren.Valid && e.NumChildren.V > 0 || e.RepetitionType.V == format.Repeated {
			return refused("column %s is nested or repeated", e.Name)
		}
	}
	for i := range meta.RowGroups {
		columns := meta.RowGroups[i].Columns
		if len(columns) != len(meta.Schema)-1 {
			return refused("row group %d has %d columns of %d", i, len(columns), len(meta.Schema)-1)
		}
		for j := range columns {
			m := &columns[j].MetaData
			c := &chunk{begin: m.DataPageOffset, codec: m.Codec, table: g.table, null: meta.Schema[1+j].RepetitionType.V == format.Optional}
			if m.DictionaryPageOffset != 0 {
				c.begin = m.DictionaryPageOffset
			}
			if c.begin < 0 || m.TotalCompressedSize < 0 || c.begin > file.Size()-m.TotalCompressedSize {
				return refused("column %d of row group %d has %d bytes from %d on, of %d", j, i, m.TotalCompressedSize, c.begin, file.Size())
			}
			if c.codec != format.Zstd && c.codec != format.Uncompressed && (!g.table || !slices.Contains(tableCodecs, c.codec)) {
				return refused("column %d of row group %d is packed with %s", j, i, c.codec)
			}
			c.end, c.seen = c.begin+m.TotalCompressedSize, c.begin
			g.chunks = append(g.chunks, c)
		}
	}
	slices.SortFunc(g.chunks, func(a, b *chunk) int { return cmp.Compare(a.begin, b.begin) })
	for i, c := range g.chunks {
		if i > 0 && c.begin < g.chunks[i-1].end {
			return refused("two columns have the bytes from %d on", c.begin)
		}
	}
	return nil
}

// ReadAt implements io.ReaderAt.
func (g *guard) ReadAt(p []byte, at int64) (int, error) {
	n, err := g.r.ReadAt(p, at)
	i, found := slices.BinarySearchFunc(g.chunks, at, func(c *chunk, at int64) int {
		switch {
		case c.end <= at:
			return -1
		case c.begin > at:
			return 1
		}
		return 0
	})
	if !found {
		if len(g.chunks) > 0 && i < len(g.chunks) && g.chunks[i].begin < at+int64(n) {
			return 0, refused("it is read from %d on, between columns", at)
		}
		return n, err
	}
	if look := g.chunks[i].look(p[:n], at); look != nil {
		return 0, look
	}
	return n, err
}

// look takes what was read of a chunk at some place.
func (c *chunk) look(p []byte, at int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	if at > c.seen {
		return refused("a column is read out of order")
	}
	p = p[min(int64(len(p)), c.seen-at):]
	p = p[:min(int64(len(p)), c.end-c.seen)]
	for len(p) > 0 && c.err == nil {
		n := 0
		if n, c.err = c.take(p); c.err == nil {
			p = p[n:]
			c.seen += int64(n)
		}
	}
	return c.err
}

// take takes some bytes and tells how many.
func (c *chunk) take(p []byte) (int, error) {
	if left := c.page.compressed - len(c.body); left > 0 {
		n := min(left, len(p))
		c.body = append(c.body, p[:n]...)
		if n < left {
			return n, nil
		}
		return n, c.endPage()
	}
	had := len(c.pending)
	if cap(c.pending) == 0 { // most headers lie in one piece
		c.pending = p[:min(len(p), maxHeader)]
	} else {
		c.pending = append(c.pending, p[:min(len(p), maxHeader)]...)
	}
	h, size, err := readHeader(c.pending)
	if errors.Is(err, errShort) && len(c.pending) < maxHeader {
		n := len(c.pending) - had
		if had == 0 { // it is the caller's
			c.pending = bytes.Clone(c.pending)
		}
		return n, nil
	}
	c.pending = nil
	if err != nil {
		return 0, refused("the header of a page: %v", err)
	}
	if left := c.end - c.seen + int64(had) - int64(size); int64(h.compressed) > left {
		return 0, refused("a page of %d bytes where its column has %d", h.compressed, left)
	}
	if err := h.check(c); err != nil {
		return 0, err
	}
	c.page, c.body = h, c.body[:0]
	if h.compressed == 0 {
		err = c.endPage()
	}
	return size - had, err
}

func (c *chunk) endPage() error {
	err := c.page.checkBody(c, c.body)
	c.page, c.body = page{}, c.body[:0]
	return err
}
