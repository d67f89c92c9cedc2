// Package record defines what a source hands to a job: blocks of raw records
// that know their origin.
package record

import "bytes"

// Block is a run of consecutive raw records of one source, about 1,000 lines or
// more. It is the element that crosses the runner; single records never do.
type Block struct {
	// Source is the identity of the file or stream shard the records come from.
	// A file's is content-based: 32 hex digits of SHA-256 over the first 64 KiB
	// of decompressed content. It never depends on a path.
	Source string
	// Name is what a person calls the source (a path or URL), for errors only.
	Name string
	// Format is the decoder's name and what it has to know of the source, in full:
	// "combined", or "json" and its mapping.
	Format string
	// Base is the byte offset of Data[0] in the decompressed content.
	Base int64
	// Data holds whole lines with their line ends; the last may lack one. With
	// Ends it holds records without line ends, one behind the other.
	Data []byte
	// Ends, for records that do not lie in a file of lines, is where each record
	// ends in Data; it never falls. Positions, as long, are their origins' byte
	// offsets; Base then means nothing.
	Ends      []int   `json:"-"`
	Positions []int64 `json:"-"`
	// Noted, as long as Ends or nil, is the time in Unix milliseconds under which
	// each record was filed when it was first read. One that cannot become an
	// event is filed there again, as its neighbours are others now.
	Noted []int64 `json:"-"`
	// KeyID names the masking key under which the records are sealed; empty when
	// they are plain.
	KeyID string `json:",omitempty"`
	// Sequences, as long as Ends or nil, are the sequence numbers of the stream
	// records that the records came in, as Sequence writes them: their order is
	// that of the shard. Files have none.
	Sequences []string `json:"-"`
	// Arrival is when the records reached us, in Unix milliseconds; 0 when the
	// source does not know.
	Arrival int64
	// Arrivals, as long as Ends or nil, is Arrival for each record.
	Arrivals []int64 `json:"-"`
	// Behind, as long as Ends or nil, says of a late record how far it lay behind
	// the watermark of its shard and the allowed lateness, in milliseconds; 0 of
	// one that came in time.
	Behind []int64 `json:"-"`
	// Roll names the roll that the records of a live source belong to: the run of
	// records of one shard that become files together. It begins with the shard's
	// identity and a slash. The records of a block are of one roll.
	Roll string `json:",omitempty"`
	// Close, when set, says that the block is the last of its roll.
	Close *Close `json:",omitempty"`
	// Near is an event time near the beginning of the source, in Unix
	// milliseconds. What cannot be read is filed under it where no neighbour in
	// the block has a time; 0 when there is none.
	Near int64
	// Duplicate marks records whose origins this run reads elsewhere: they are
	// counted and dropped.
	Duplicate bool
	// Oversize, when positive, is the length of a single record too long to
	// carry; Data is then its first bytes only.
	Oversize int64
}

// Records is the number of records in the block.
func (b *Block) Records() int {
	switch {
	case b.Ends != nil:
		return len(b.Ends)
	case b.Oversize > 0:
		return 1
	}
	n := bytes.Count(b.Data, newline)
	if len(b.Data) > 0 && b.Data[len(b.Data)-1] != '\n' {
		n++
	}
	return n
}

var newline = []byte{'\n'}

// Close tells what a roll consists of, so that whoever collects its parts, in
// whatever order they come, knows when he has all.
type Close struct {
	Records int64  // of the roll, as the ledger counts them
	First   string // sequence number of the first stream record, as Sequence writes it
	Last    string // and of the last
	// After is the sequence number up to which the shard had been read before;
	// empty where reading began. It is the Last of the shard's roll before.
	After string `json:",omitempty"`
	// Lost says that records between After and First were gone from the stream
	// before they were read.
	Lost bool `json:",omitempty"`
	// FirstArrival and LastArrival are Unix milliseconds.
	FirstArrival, LastArrival int64
	// End says that the shard was closed and this is its last roll. It is a roll of
	// nothing, without First and Last, when all records were in rolls before.
	End bool `json:",omitempty"`
	// Next is what the source needs to read on behind the roll, in its own words.
	// Read again, the same roll can have another.
	Next string `json:",omitempty"`
}

// Same tells whether two closes are of the same records.
func (c Close) Same(o Close) bool {
	c.Next, o.Next = "", ""
	return c == o
}
