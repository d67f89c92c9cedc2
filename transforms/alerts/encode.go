package alerts

import (
	"encoding/binary"
	"fmt"
	"math"

	"millrace/transforms/internal/wire"
)

// The encoded form: a version; flags; next, if begun; cells and past windows, each
// a count and then start after the one before, flags, numbers; the bits of broken
// windows; of a firing alert since, pending, peak, breaches, windows in order;
// the end of the cool-down and the last reading, as far as the flags say. Floats
// are their 8 bytes.
const (
	stateVersion = 1

	flagBegun  = 1
	flagFiring = 2
	flagCool   = 4
	flagSeen   = 8

	flagNumber = 1
)

// AppendEncoded writes what DecodeWatch reads.
func (w *Watch) AppendEncoded(dst []byte) []byte {
	dst = append(dst, stateVersion, flag(w.begun, flagBegun)|flag(w.firing, flagFiring)|flag(w.coolTo != 0, flagCool)|flag(w.hasSeen, flagSeen))
	if w.begun {
		dst = binary.AppendVarint(dst, w.next)
	}
	dst = binary.AppendUvarint(dst, uint64(len(w.cells)))
	for i := range w.cells {
		c := &w.cells[i]
		dst = binary.AppendVarint(dst, c.start)
		dst = append(dst, flag(c.hasNumber, flagNumber))
		dst = appendFloat(dst, c.value)
		dst = appendFloat(dst, c.while)
		dst = binary.AppendVarint(dst, c.lastTime)
	}
	dst = binary.AppendUvarint(dst, uint64(len(w.past)))
	for _, p := range w.past {
		dst = binary.AppendVarint(dst, p.start)
		dst = appendFloat(dst, p.value)
		dst = appendFloat(dst, p.while)
	}
	dst = binary.AppendUvarint(dst, w.broken)
	if w.firing {
		dst = binary.AppendVarint(dst, w.since)
		dst = binary.AppendVarint(dst, w.pending)
		dst = appendFloat(dst, w.peak)
		dst = binary.AppendVarint(dst, w.breaches)
		dst = binary.AppendUvarint(dst, uint64(w.clear))
	}
	if w.coolTo != 0 {
		dst = binary.AppendVarint(dst, w.coolTo)
	}
	if w.hasSeen {
		dst = binary.AppendVarint(dst, w.seen)
	}
	return dst
}

func flag(on bool, f byte) byte {
	if on {
		return f
	}
	return 0
}

func appendFloat(dst []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
}

// DecodeWatch reads what AppendEncoded wrote of a watch with this rule and key.
func DecodeWatch(b []byte, r *Rule, key string, by Replayer) (*Watch, error) {
	in := reader{wire.NewReader(b), r.Every}
	w := NewWatch(r, key, by)
	if v := in.Byte(); v != stateVersion {
		in.Fail("a watch of version %d", v)
	}
	flags := in.Byte()
	if flags&^(flagBegun|flagFiring|flagCool|flagSeen) != 0 {
		in.Fail("flags %#x", flags)
	}
	if w.begun = flags&flagBegun != 0; w.begun {
		w.next = in.window()
	}
	in.cells(w)
	in.past(w)
	if w.broken = in.Uvarint(); w.broken&^(1<<r.Of-1) != 0 {
		in.Fail("more windows than the rule looks at")
	}
	if w.firing = flags&flagFiring != 0; w.firing {
		w.since, w.pending, w.peak = in.time(), in.time(), in.float()
		w.breaches, w.clear = in.Varint(), int(in.Limited(uint64(r.ClearFor)))
	}
	if flags&flagCool != 0 {
		if w.coolTo = in.time(); w.coolTo == 0 {
			in.Fail("no cool-down")
		}
	}
	if w.hasSeen = flags&flagSeen != 0; w.hasSeen {
		w.seen = in.window()
	}
	if err := in.Close(); err != nil {
		return nil, fmt.Errorf("decoding the state of alert rule %s: %w", r.Name, err)
	}
	return w, nil
}

type reader struct {
	*wire.Reader
	every int64
}

func (in reader) time() int64 {
	t := in.Varint()
	if t < -2*maxTime || t > 2*maxTime {
		in.Fail("time %d", t)
		return 0
	}
	return t
}

func (in reader) window() int64 {
	t := in.time()
	if t%in.every != 0 {
		in.Fail("a window at %d", t)
	}
	return t
}

func (in reader) float() float64 {
	b := in.Bytes(8)
	if b == nil {
		return 0
	}
	f := math.Float64frombits(binary.LittleEndian.Uint64(b))
	if math.IsNaN(f) || math.IsInf(f, 0) {
		in.Fail("%v", f)
		return 0
	}
	return f
}

func (in reader) cells(w *Watch) {
	n := in.Count(19)
	if n > maxCells {
		in.Fail("%d windows wait", n)
	}
	for i := 0; i < n && in.Err() == nil; i++ {
		c := cell{start: in.window()}
		f := in.Byte()
		c.hasNumber = f == flagNumber
		c.value, c.while, c.lastTime = in.float(), in.float(), in.time()
		if f&^flagNumber != 0 || w.begun && c.start < w.next || i > 0 && c.start <= w.cells[i-1].start {
			in.Fail("window %d", i)
		}
		w.cells = append(w.cells, c)
	}
}

func (in reader) past(w *Watch) {
	n := in.Count(17)
	if n > maxWindows+1 || n > 0 && !w.rule.looksBack() {
		in.Fail("%d windows to look back at", n)
	}
	for i := 0; i < n && in.Err() == nil; i++ {
		p := past{in.window(), in.float(), in.float()}
		if !w.begun || p.start >= w.next || i > 0 && p.start <= w.past[i-1].start {
			in.Fail("past window %d", i)
		}
		w.past = append(w.past, p)
	}
}
