package anomaly

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"millrace/transforms/internal/wire"
)

// The encoded form of a board: a version, whether it has begun and the next window,
// a count of series, each with its kind, key, last window with data and detector, and
// then a count of parts that wait. A part is the time after the one before it, kind,
// key, flags, value and, if the flags say so, what it is a share of.
const (
	boardVersion = 1
	partsVersion = 1

	flagOpens = 1
	flagOf    = 2
)

// AppendState writes what DecodeBoard reads: the board and parts that it has not
// taken yet.
func (b *Board) AppendState(dst []byte, rest []Part) []byte {
	dst = append(dst, boardVersion, flag(b.begun, 1))
	dst = binary.AppendVarint(dst, b.next)
	dst = binary.AppendUvarint(dst, uint64(len(b.series)))
	for _, s := range b.series {
		dst = binary.AppendUvarint(dst, uint64(s.kind))
		dst = wire.AppendText(dst, s.key)
		dst = binary.AppendVarint(dst, s.seen)
		dst = wire.AppendText(dst, s.detector.AppendEncoded(nil))
	}
	return AppendParts(dst, rest)
}

// DecodeBoard reads what AppendState wrote of a board with the same windows and
// kinds.
func DecodeBoard(encoded []byte, every int64, kinds []Kind) (*Board, []Part, error) {
	in := reader{wire.NewReader(encoded)}
	b := NewBoard(every, kinds)
	if v := in.Byte(); v != boardVersion {
		in.Fail("a board of version %d", v)
	}
	b.begun = in.bool()
	if b.next = in.time(); b.next%every != 0 {
		in.Fail("a window at %d", b.next)
	}
	for n := in.Count(4); n > 0 && in.Err() == nil; n-- {
		s := &series{kind: int(in.Limited(uint64(max(len(kinds)-1, 0)))), key: string(in.Text()), seen: in.time()}
		d, err := Decode(in.Text(), Options{})
		if err != nil {
			in.Fail("series %q: %v", s.key, err)
			break
		}
		s.detector = d
		if len(b.series) > 0 && compareSeries(b.series[len(b.series)-1], s) >= 0 {
			in.Fail("series are not in order")
		}
		b.series = append(b.series, s)
	}
	if err := in.Err(); err != nil {
		return nil, nil, fmt.Errorf("decoding a board of detectors: %w", err)
	}
	rest, err := DecodeParts(nil, encoded[len(encoded)-in.Rest():], len(kinds))
	return b, rest, err
}

// AppendParts writes what DecodeParts reads.
func AppendParts(dst []byte, parts []Part) []byte {
	dst = append(dst, partsVersion)
	dst = binary.AppendUvarint(dst, uint64(len(parts)))
	last := int64(0)
	for _, p := range parts {
		dst = binary.AppendVarint(dst, p.Time-last)
		last = p.Time
		dst = binary.AppendUvarint(dst, uint64(p.Kind))
		dst = wire.AppendText(dst, p.Key)
		dst = append(dst, flag(p.Opens, flagOpens)|flag(p.Of != 0, flagOf))
		if dst = appendFloats(dst, p.Value); p.Of != 0 {
			dst = appendFloats(dst, p.Of)
		}
	}
	return dst
}

// DecodeParts appends what AppendParts wrote, of so many kinds, to parts.
func DecodeParts(parts []Part, b []byte, kinds int) ([]Part, error) {
	in := reader{wire.NewReader(b)}
	if v := in.Byte(); v != partsVersion {
		in.Fail("parts of version %d", v)
	}
	last := int64(0)
	n := in.Count(12)
	parts = slices.Grow(parts, n)
	for ; n > 0 && in.Err() == nil; n-- {
		if last += in.Varint(); last < -maxTime || last > maxTime {
			in.Fail("time %d", last)
		}
		p := Part{Time: last, Kind: int(in.Limited(uint64(max(kinds-1, 0)))), Key: string(in.Text())}
		flags := in.Byte()
		if flags&^(flagOpens|flagOf) != 0 {
			in.Fail("flags %#x", flags)
		}
		p.Opens = flags&flagOpens != 0
		if p.Value = in.within(math.MaxFloat64); flags&flagOf != 0 {
			p.Of = in.within(math.MaxFloat64)
		}
		parts = append(parts, p)
	}
	if err := in.Close(); err != nil {
		return nil, fmt.Errorf("decoding parts of series: %w", err)
	}
	return parts, nil
}
