package influxio

import (
	"bytes"
	"compress/gzip"

	"github.com/cespare/xxhash/v2"

	"millrace/io/calls"
)

// batch is what goes in one call, or in more where a call takes less. Its buffers are
// used again.
type batch struct {
	lane  int
	text  []byte
	items []item           // in the order of their text, without gaps
	index map[uint64]int32 // places of items by their point, see find; for rows with versions

	answer bytes.Buffer
	zipped bytes.Buffer
	zipper *gzip.Writer
}

// item is one row of a batch.
type item struct {
	calls.Row
	key      uint32 // bytes of the text that are measurement and tags
	from, to int    // in the text
	time     int64  // as in the text
	rank     int64  // of the row's version; 0 where rows have none
	dead     bool   // is not to be sent
}

func (b *batch) reset() {
	clear(b.items) // they hold batches
	clear(b.index)
	b.text, b.items = b.text[:0], b.items[:0]
}

func (b *batch) series(it *item) []byte { return b.text[it.from : it.from+int(it.key)] }

// pointHash is where the index looks first for a point.
func pointHash(series uint64, time int64) uint64 {
	h := series ^ uint64(time)*0x9e3779b97f4a7c15 //nolint:gosec // any bits do
	return h ^ h>>32
}

// find gives the place in the index of a point, and the item there, nil for none.
func (b *batch) find(series []byte, hash uint64, time int64) (place uint64, found *item) {
	for place = pointHash(hash, time); ; place++ {
		i, ok := b.index[place]
		if !ok {
			return place, nil
		}
		if it := &b.items[i]; it.time == time && bytes.Equal(b.series(it), series) {
			return place, it
		}
	}
}

// newest leaves, of items of one point, the one that is to stay; clash is told of those
// that another row has the point of, and gives an error to stop. It fills the index.
func (b *batch) newest(clash func(it, other *item) (bool, error)) (stale int64, err error) {
	if b.index == nil {
		b.index = make(map[uint64]int32, len(b.items))
	}
	for i := range b.items {
		it := &b.items[i]
		series := b.series(it)
		place, other := b.find(series, xxhash.Sum64(series), it.time)
		if other != nil {
			if clashes, err := clash(it, other); err != nil {
				return stale, err
			} else if clashes {
				it.dead = true
				continue
			}
			stale++
			if other.rank > it.rank {
				it.dead = true
				continue
			}
			other.dead = true
		}
		b.index[place] = int32(i)
	}
	return stale, nil
}

// compact takes what is dead out of items and text. The index is gone.
func (b *batch) compact() {
	clear(b.index)
	kept, end := 0, 0
	for _, it := range b.items {
		if it.dead {
			continue
		}
		size := copy(b.text[end:], b.text[it.from:it.to])
		it.from, it.to = end, end+size
		end += size
		b.items[kept] = it
		kept++
	}
	clear(b.items[kept:])
	b.items, b.text = b.items[:kept], b.text[:end]
}

// lines is the text of items that follow each other, compressed if zip says so.
func (b *batch) lines(items []item, zip bool) []byte {
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
