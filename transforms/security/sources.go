package security

import (
	"cmp"
	"encoding/binary"
	"slices"

	"millrace/transforms/internal/wire"
)

// Minute is the length of a window in milliseconds.
const Minute = 60_000

// Row is the counts of one source in one minute.
type Row struct {
	Start  int64 // Unix milliseconds
	Source string
	Counts
}

// Sources adds up rows. The zero value is empty.
type Sources struct{ rows map[sourceKey]*Counts }

type sourceKey struct {
	start  int64
	source string
}

// Add counts what a source did at a time.
func (s *Sources) Add(time int64, source string, c *Counts) {
	start := time - time%Minute
	if start > time {
		start -= Minute
	}
	k := sourceKey{start, source}
	if s.rows == nil {
		s.rows = map[sourceKey]*Counts{}
	}
	if s.rows[k] == nil {
		s.rows[k] = &Counts{}
	}
	s.rows[k].Add(c)
}

// Rows are all counts, by minute and source.
func (s *Sources) Rows() []Row {
	out := make([]Row, 0, len(s.rows))
	for k, c := range s.rows {
		out = append(out, Row{k.start, k.source, *c})
	}
	slices.SortFunc(out, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Source, b.Source))
	})
	return out
}

// The encoded form: a version, a count of rows, each with how many minutes after
// the one before it, its source, which counts it has as bits, and these.
const sourcesVersion = 1

// AppendEncoded writes what MergeEncoded reads.
func (s *Sources) AppendEncoded(dst []byte) []byte {
	rows := s.Rows()
	dst = append(dst, sourcesVersion)
	dst = binary.AppendUvarint(dst, uint64(len(rows)))
	last := int64(0)
	for i := range rows {
		r := &rows[i]
		dst = binary.AppendVarint(dst, (r.Start-last)/Minute)
		last = r.Start
		dst = wire.AppendText(dst, r.Source)
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
		in.Fail("counts of sources of version %d", v)
	}
	last := int64(0)
	for n := in.Count(3); n > 0 && in.Err() == nil; n-- {
		if last += in.Varint() * Minute; last < -1<<52 || last > 1<<52 {
			in.Fail("minute %d", last)
			break
		}
		source := string(in.Text())
		var c Counts
		has := in.Limited(1<<numFields - 1)
		for f, n := range c.fields() {
			if has&(1<<f) != 0 {
				*n = int64(in.Limited(most))
			}
		}
		if in.Err() == nil {
			s.Add(last, source, &c)
		}
	}
	return in.Close()
}
