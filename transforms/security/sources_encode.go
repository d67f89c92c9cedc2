package security

import (
	"encoding/binary"
	"slices"
	"strconv"
	"time"

	"millrace/transforms/internal/wire"
	"millrace/transforms/sketch"
)

// Part is the encoded counts of one shard and span of time.
type Part struct {
	Key  string // shard, a slash and the span: "3/2015-05-17T10", or "3/2015-05-17T10:04" for a minute
	Blob []byte
}

// Parts encodes the counts, an hour a part.
func (s *Sources) Parts() []Part { return s.parts(60*Minute, "2006-01-02T15") }

// MinuteParts is Parts, with a part for each minute: live, what is a part is sealed
// at once.
func (s *Sources) MinuteParts() []Part { return s.parts(Minute, "2006-01-02T15:04") }

func (s *Sources) parts(span int64, layout string) []Part {
	groups := map[cellKey][]Row{}
	for _, r := range s.Rows() {
		k := cellKey{r.Start - (r.Start%span+span)%span, r.Shard}
		groups[k] = append(groups[k], r)
	}
	parts := make([]Part, 0, len(groups)) // in no order: a shuffle follows
	for k, rows := range groups {
		key := strconv.Itoa(k.shard) + "/" + time.UnixMilli(k.start).UTC().Format(layout)
		parts = append(parts, Part{key, appendRows(nil, rows)})
	}
	return parts
}

// The encoded form: a version, a count of rows, each with how many minutes after
// the one before it, its token or the name of others, its network, which counts it
// has as bits, and these.
const sourcesVersion = 1

// AppendEncoded writes what MergeEncoded reads.
func (s *Sources) AppendEncoded(dst []byte) []byte { return appendRows(dst, s.Rows()) }

func appendRows(dst []byte, rows []Row) []byte {
	dst = append(dst, sourcesVersion)
	dst = binary.AppendUvarint(dst, uint64(len(rows)))
	last := int64(0)
	for i := range rows {
		r := &rows[i]
		dst = binary.AppendVarint(dst, (r.Start-last)/Minute)
		last = r.Start
		dst = wire.AppendText(dst, r.Token)
		dst = wire.AppendText(dst, r.Network)
		var has uint64
		for f, n := range r.fields() {
			if *n != 0 {
				has |= 1 << f
			}
		}
		dst = binary.AppendUvarint(dst, has)
		for _, n := range r.fields() {
			if *n != 0 {
				dst = binary.AppendUvarint(dst, uint64(*n))
			}
		}
	}
	return dst
}

// MergeEncoded adds what AppendEncoded wrote. After an error s is not to be used.
func (s *Sources) MergeEncoded(b []byte) error {
	const most = 1 << 50
	in := wire.NewReader(b)
	if v := in.Byte(); v != sourcesVersion {
		in.Fail("counts of sources of version %d, this program reads %d", v, sourcesVersion)
	}
	last := int64(0)
	for n := in.Count(4); n > 0 && in.Err() == nil; n-- {
		minutes := in.Varint()
		if minutes < -1<<40 || minutes > 1<<40 || max(last, -last) > 1<<52 {
			in.Fail("%d minutes after %d", minutes, last)
			break
		}
		last += minutes * Minute
		token, network := in.Text(), in.Text()
		var c Counts
		has := in.Limited(1<<numFields - 1)
		for f, n := range c.fields() {
			if has&(1<<f) != 0 {
				*n = int64(in.Limited(most))
			}
		}
		if in.Err() != nil {
			break
		}
		if shard := slices.Index(others[:], string(token)); shard >= 0 {
			into := s.cell(cellKey{last, shard})
			into.others.Add(&c)
			into.full = true
			continue
		}
		hash := sketch.Hash(token)
		s.cell(cellKey{last, int(hash % Shards)}).add(Source{string(token), string(network)}, hash, &c)
	}
	return in.Close()
}
