package opensearchio

import (
	"bytes"
	"compress/gzip"

	"millrace/io/calls"
)

// bulk is what goes in one call, or in more where a call takes less. Its buffers
// are used again.
type bulk struct {
	text  []byte
	items []item // in the order of their text, without gaps

	outcomes []outcome
	answer   bytes.Buffer
	zipped   bytes.Buffer
	zipper   *gzip.Writer
}

// item is one row of a bulk.
type item struct {
	calls.Row
	from, to int // in the text
}

func (b *bulk) reset() {
	clear(b.items) // they hold batches
	b.text, b.items = b.text[:0], b.items[:0]
}

// head is the text of the first n items, compressed if zip says so.
func (b *bulk) head(items []item, zip bool) []byte {
	text := b.text[items[0].from:items[len(items)-1].to]
	if !zip {
		return text
	}
	b.zipped.Reset()
	if b.zipper == nil {
		b.zipper, _ = gzip.NewWriterLevel(&b.zipped, gzip.BestSpeed) // the level is one of those there are
	} else {
		b.zipper.Reset(&b.zipped)
	}
	_, _ = b.zipper.Write(text) // a buffer in memory takes all
	_ = b.zipper.Close()
	return b.zipped.Bytes()
}

// keep moves the items of a call that are to be sent again to its end, so that they
// stand before those not sent yet without a gap, and gives how many those are.
func (b *bulk) keep(items []item, again []bool) (kept int) {
	end, to := items[len(items)-1].to, len(items)
	for i := len(items) - 1; i >= 0; i-- {
		if !again[i] {
			continue
		}
		it := items[i]
		size := it.to - it.from
		copy(b.text[end-size:end], b.text[it.from:it.to])
		it.from, it.to = end-size, end
		to--
		items[to] = it
		end -= size
		kept++
	}
	return kept
}
