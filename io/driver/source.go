package driver

import (
	"context"

	"millrace/schemas/record"
)

// Split is one unit of bounded work: a range of one file, or a whole one. It is
// a pure function of the stored data and the source's parameters, so two plans
// of the same data are equal, and it is serialisable as JSON.
type Split struct {
	// ID is unique in a plan and free of paths: origin of the first byte, and
	// for duplicates which copy it is.
	ID string `json:"id"`
	// Name is the file or object as a person knows it; Open finds the data by it.
	Name string `json:"name"`
	// Source is the content identity that records carry as their origin.
	Source string `json:"source"`
	// Format names the decoder for the records, see record.Block; empty when nobody
	// could tell.
	Format string `json:"format,omitempty"`
	// Near is an event time near the beginning of the file, in Unix milliseconds;
	// 0 when nobody could tell. See record.Block.
	Near int64 `json:"near,omitempty"`
	// Version pins the stored bytes (an ETag, an inode). Open refuses another.
	Version string `json:"version,omitempty"`
	// Digest tells the stored bytes of the whole file from others: a hash, or an
	// ETag. Unlike Source it sees what lies beyond the beginning.
	Digest string `json:"digest,omitempty"`
	// Compression is "" or "gzip".
	Compression string `json:"compression,omitempty"`
	// Start and End bound the split in decompressed bytes: it holds the records
	// that begin at an offset in [Start, End). End is -1 for "to the end" where
	// the decompressed length is not known.
	Start int64 `json:"start"`
	End   int64 `json:"end"`
	// Length is the stored size of the whole file in bytes when it was planned.
	// What is appended later is not read.
	Length int64 `json:"length"`
	// Size is how many stored bytes reading this split takes, for progress.
	Size int64 `json:"size"`
	// Schema is empty for records that lie in lines. Else it is that of the rows
	// they lie in ("raw/1"), each with its own origin: Source is then the content
	// identity of the file that holds them, and Start and End count its bytes.
	Schema string `json:"schema,omitempty"`
	// Sources are the origins of such records, Keys the ids of the masking keys
	// that seal them, both sorted. They serve the plan; Open does without.
	Sources []string `json:"sources,omitempty"`
	Keys    []string `json:"keys,omitempty"`
	// Duplicate marks a copy of records that another split reads: its records
	// are to be counted as duplicates and dropped.
	Duplicate bool `json:"duplicate,omitempty"`
}

// Origins are the sources that the split's records carry.
func (s Split) Origins() []string {
	if s.Schema == "" {
		return []string{s.Source}
	}
	return s.Sources
}

// Head is what the first bytes of a file tell a decoder.
type Head struct {
	Format string // name of the decoder; empty when unknown
	Near   int64  // event time of the first readable record in Unix milliseconds; 0 when there is none
	Note   string // what the person who plans should know of the file; mostly empty
	Err    error  // why the file cannot be read; the source names the file
}

// Inspect tells what a file is by the first bytes of its content. A format that a
// parameter of the source names is known to it; it can add what the file says, behind
// a space.
type Inspect func(head []byte) Head

// Source is somewhere bounded records come from. It is safe for concurrent use.
type Source interface {
	// Splits plans the work, in a deterministic order. It reads as little as it
	// can and changes nothing. No data at all is not an error; a place that is
	// missing, or that matches nothing, is (ErrNotFound).
	Splits(ctx context.Context) ([]Split, error)
	// Open starts reading a split; it need not come from this Source value, only
	// from one with the same parameters. The reader stops when ctx is cancelled.
	Open(ctx context.Context, split Split) (Reader, error)
}

// Reader gives the blocks of one split in order. One goroutine uses it.
type Reader interface {
	// Next returns the next block, io.EOF after the last. The block owns its
	// Data: it stays valid after later calls. The blocks of a split are the same
	// whenever and wherever it is read.
	Next(ctx context.Context) (record.Block, error)
	// Close frees what the reader holds, at any time.
	Close() error
}

// Noter is a Source with something to tell the person who planned the run, such
// as a file that is empty or a copy of another. Notes are those of the latest
// Splits.
type Noter interface{ Notes() []string }

// Progress is a Reader that knows how far it is: the stored bytes it has
// consumed, comparable with Split.Size. It may be called from any goroutine.
type Progress interface{ Progress() int64 }
