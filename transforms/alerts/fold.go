package alerts

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"millrace/schemas/alert"
	"millrace/transforms/internal/wire"
)

// Fold takes readings in any order and judges all windows that end at the watermark
// or before. It gives back the readings of later windows. However many windows the
// readings are of, few of them wait at a time.
func (w *Watch) Fold(readings []Reading, watermark int64) (rows []alert.Row, rest []Reading) {
	slices.SortFunc(readings, func(a, b Reading) int { return cmp.Compare(a.Time, b.Time) })
	to := floor(min(max(watermark, -maxTime), maxTime), w.rule.Every)
	rest = readings
	for len(rest) > 0 && rest[0].Time < to {
		rows = append(rows, w.Seal(floor(rest[0].Time, w.rule.Every))...)
		sealed, _ := w.Add(rest[0])
		rows = append(rows, sealed...)
		rest = rest[1:]
	}
	return append(rows, w.Seal(watermark)...), rest
}

// WindowEnd is the end of the window that a time falls in.
func (r *Rule) WindowEnd(t int64) int64 { return floor(t, r.Every) + r.Every }

// The encoded form of readings: a version, flags, a count, and of each how many
// milliseconds after the one before it comes, the bits of the value and, if the
// flags say so, those of the while field.
const (
	readingsVersion = 1
	waitingVersion  = 1

	flagWhile = 1
)

// AppendReadings writes what DecodeReadings reads. A while field that is 0
// everywhere takes no room.
func AppendReadings(dst []byte, readings []Reading) []byte {
	withWhile := slices.ContainsFunc(readings, func(r Reading) bool { return math.Float64bits(r.While) != 0 })
	dst = append(dst, readingsVersion, flag(withWhile, flagWhile))
	dst = binary.AppendUvarint(dst, uint64(len(readings)))
	last := int64(0)
	for _, r := range readings {
		dst = binary.AppendVarint(dst, r.Time-last)
		last = r.Time
		if dst = appendFloat(dst, r.Value); withWhile {
			dst = appendFloat(dst, r.While)
		}
	}
	return dst
}

// DecodeReadings appends what AppendReadings wrote to readings.
func DecodeReadings(readings []Reading, b []byte) ([]Reading, error) {
	in := wire.NewReader(b)
	if v := in.Byte(); v != readingsVersion {
		in.Fail("readings of version %d", v)
	}
	flags := in.Byte()
	size := 8
	if flags == flagWhile {
		size = 16
	}
	if flags&^flagWhile != 0 {
		in.Fail("flags %#x", flags)
	}
	last := int64(0)
	for n := in.Count(1 + size); n > 0 && in.Err() == nil; n-- {
		last += in.Varint()
		r := Reading{Time: last}
		if b := in.Bytes(size); b != nil {
			r.Value = math.Float64frombits(binary.LittleEndian.Uint64(b))
			if size == 16 {
				r.While = math.Float64frombits(binary.LittleEndian.Uint64(b[8:]))
			}
		}
		readings = append(readings, r)
	}
	if err := in.Close(); err != nil {
		return nil, fmt.Errorf("decoding readings of an alert rule: %w", err)
	}
	return readings, nil
}

// AppendState writes a version, a watch and the readings that it has not taken yet.
func (w *Watch) AppendState(dst []byte, rest []Reading) []byte {
	return AppendReadings(wire.AppendText(append(dst, waitingVersion), w.AppendEncoded(nil)), rest)
}

// DecodeState reads what AppendState wrote of a watch with this rule and key.
func DecodeState(b []byte, r *Rule, key string, by Replayer) (*Watch, []Reading, error) {
	in := wire.NewReader(b)
	if v := in.Byte(); v != waitingVersion {
		in.Fail("a watch with readings of version %d", v)
	}
	encoded := in.Text()
	if err := in.Err(); err != nil {
		return nil, nil, fmt.Errorf("decoding the state of alert rule %s: %w", r.Name, err)
	}
	w, err := DecodeWatch(encoded, r, key, by)
	if err != nil {
		return nil, nil, err
	}
	rest, err := DecodeReadings(nil, b[len(b)-in.Rest():])
	return w, rest, err
}
