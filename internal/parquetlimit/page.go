package parquetlimit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
)

// maxHeader is for a header with the least and the largest value of its page, each
// written twice: a record of a stream may have 10 MiB.
const maxHeader = 44 << 20

// page is what the header of a page says.
type page struct {
	kind                 format.PageType
	of                   int16 // the field that tells the rest; -1 where several do
	compressed, unpacked int
	values               int
	encoding, levels     format.Encoding
	nulls, repeats       int  // bytes of levels, of version 2
	asIs                 bool // of version 2: it is not packed, whatever the column
}

// readHeader reads a header and tells how many bytes it has. It is errShort when it is
// not whole.
func readHeader(in []byte) (p page, size int, err error) {
	w := walker{in: in, truth: p.setTruth}
	var bad int64
	err = w.structure(0, func(path []int16, v int64) {
		if p.set(path, v) && (v < 0 || v > maxPage) {
			bad = v
		}
	})
	if err == nil && bad != 0 {
		err = fmt.Errorf("it has the number %d", bad)
	}
	return p, w.at, err
}

// set takes a number of a header, if it is one that matters.
func (p *page) set(path []int16, v int64) bool {
	switch {
	case len(path) == 1 && path[0] == 1:
		p.kind = format.PageType(v) //nolint:gosec // readHeader refuses what is out of range
	case len(path) == 1 && path[0] == 2:
		p.unpacked = int(v)
	case len(path) == 1 && path[0] == 3:
		p.compressed = int(v)
	case len(path) != 2 || path[0] != ofPage && path[0] != ofDictionary && path[0] != ofVersion2:
		return false
	case p.of != 0 && p.of != path[0]: // the library reads each, and takes that of the kind
		p.of = -1
		return false
	default:
		p.of = path[0]
		return p.setOf(path[1], v)
	}
	return true
}

// Fields of a header of which one is there, by the kind of its page.
const ofPage, ofDictionary, ofVersion2 = 5, 7, 8

// setOf takes a number of that field.
func (p *page) setOf(field int16, v int64) bool {
	switch {
	case p.of == ofVersion2:
		return p.setVersion2(field, v)
	case field == 1:
		p.values = int(v)
	case field == 2:
		p.encoding = format.Encoding(v) //nolint:gosec // see above
	case field == 3:
		p.levels = format.Encoding(v) //nolint:gosec // see above
	default:
		return false
	}
	return true
}

// setVersion2 takes a number of the header of a page of version 2.
func (p *page) setVersion2(field int16, v int64) bool {
	switch field {
	case 1:
		p.values = int(v)
	case 4:
		p.encoding = format.Encoding(v) //nolint:gosec // readHeader refuses what is out of range
	case 5:
		p.nulls = int(v)
	case 6:
		p.repeats = int(v)
	default:
		return false
	}
	return true
}

// setTruth takes whether a page of version 2 is packed.
func (p *page) setTruth(path []int16, yes bool) {
	if len(path) == 2 && path[0] == 8 && path[1] == 7 {
		p.asIs = !yes
	}
}

// told tells whether the field of its kind says what a page has, and no other.
func (p page) told() bool {
	return p.kind == format.DataPage && p.of == ofPage || p.kind == format.DictionaryPage && p.of == ofDictionary || p.kind == format.DataPageV2 && p.of == ofVersion2
}

// check finds what is not read, or not believed, in a page of a column.
func (p page) check(c *chunk) error {
	if c.table {
		return p.checkTable(c)
	}
	switch {
	case p.kind != format.DataPage && p.kind != format.DictionaryPage:
		return refused("a page of kind %s", p.kind)
	case !p.told():
		return refused("a page of kind %s with the header of another", p.kind)
	case p.encoding != format.Plain && p.encoding != format.RLEDictionary && p.encoding != format.RLE:
		return refused("a page with the encoding %s", p.encoding)
	case p.kind == format.DictionaryPage && p.encoding != format.Plain:
		return refused("a dictionary with the encoding %s", p.encoding)
	case p.kind == format.DataPage && c.null && p.levels != format.RLE:
		return refused("levels with the encoding %s", p.levels)
	case p.values > maxValues:
		return refused("a page of %d values", p.values)
	case c.codec == format.Uncompressed && p.compressed != p.unpacked:
		return refused("a page of %d bytes that says %d", p.compressed, p.unpacked)
	}
	return nil
}

// checkBody looks at the bytes of a page: what they unpack to, and how many values
// its runs have.
func (p page) checkBody(c *chunk, body []byte) error {
	if c.table {
		return p.checkTableBody(c, body)
	}
	if c.codec == format.Zstd {
		if err := checkFrame(body, p.unpacked); err != nil {
			return refused("a page of %d bytes unpacked: %v", p.unpacked, err)
		}
	}
	runs := p.encoding != format.Plain
	if p.kind == format.DictionaryPage || !c.null && !runs {
		return nil
	}
	if c.codec == format.Zstd {
		var err error
		if body, err = unpack(body, p.unpacked); err != nil {
			return refused("a page: %v", err)
		}
	}
	if c.null {
		if len(body) < 4 {
			return refused("a page has no levels")
		}
		n := binary.LittleEndian.Uint32(body)
		if uint64(n) > uint64(len(body)-4) {
			return refused("levels of %d bytes in a page of %d", n, len(body))
		}
		if err := checkRuns(body[4:4+n], 1, p.values); err != nil {
			return err
		}
		body = body[4+n:]
	}
	switch {
	case p.encoding == format.RLE: // of truths; its length comes first
		if len(body) < 4 {
			return nil // the library finds it
		}
		return checkRuns(body[4:], 1, p.values)
	case runs && len(body) > 0:
		return checkRuns(body[1:], int(body[0]), p.values)
	}
	return nil
}

// checkRuns adds up the values of runs, the last of which may fill up to eight.
func checkRuns(in []byte, width, values int) error { return checkRunsUpTo(in, width, values, 8) }

// checkRunsUpTo is the same where the last may fill up to some more.
func checkRunsUpTo(in []byte, width, values, more int) error {
	if width > 32 {
		return refused("values of %d bits", width)
	}
	total := uint64(0)
	for len(in) > 0 {
		head, n := binary.Uvarint(in)
		if n <= 0 {
			return refused("a run without a head")
		}
		in = in[n:]
		count, size := head>>1, uint64(width+7)/8
		if head&1 != 0 {
			if count > maxValues {
				return refused("a run of %d groups", count)
			}
			size = count * uint64(width)
			count *= 8
		}
		if total += count; count > maxValues+uint64(more) || total > uint64(values)+uint64(more) {
			return refused("runs of more values than the %d of their page", values)
		}
		if size > uint64(len(in)) {
			return refused("a run of %d bytes where %d are left", size, len(in))
		}
		in = in[size:]
	}
	return nil
}

var (
	errFrames = errors.New("it is not one frame of that size")
	errTorn   = errors.New("a block is cut short")
)

// checkFrame makes sure that zstd data unpacks to so many bytes, or to one block where
// it does not tell; its decoder holds it to that. There must be one frame alone: each
// of many could have as much.
func checkFrame(in []byte, size int) error {
	var h zstd.Header
	if err := h.Decode(in); err != nil {
		return err
	}
	if h.Skippable || h.HasFCS && h.FrameContentSize != uint64(size) {
		return errFrames
	}
	at, blocks := h.HeaderSize, 0
	for last := false; !last; blocks++ {
		if at+3 > len(in) {
			return errTorn
		}
		head := uint32(in[at]) | uint32(in[at+1])<<8 | uint32(in[at+2])<<16
		last = head&1 != 0
		bytes := int(head >> 3)
		if head>>1&3 == 1 { // one byte, repeated
			bytes = 1
		}
		at += 3 + bytes
	}
	if h.HasCheckSum {
		at += 4
	}
	if at != len(in) || !h.HasFCS && blocks > 1 {
		return errFrames
	}
	return nil
}

var decoder = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxPage))
})

// tableDecoder is that of tables, whose pages have less.
var tableDecoder = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxTablePage))
})

func unpack(in []byte, size int) ([]byte, error) {
	d, err := decoder()
	if err != nil {
		return nil, err
	}
	return d.DecodeAll(in, make([]byte, 0, size))
}
