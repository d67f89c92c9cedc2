package transforms

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/timers"
	"github.com/cespare/xxhash/v2"
)

// kept is what a live key keeps: fragments that came since they were last folded, and
// what the fold left open. Its states are fields of the DoFn too, where Beam looks for
// them.
//
// A call of state is a message to the runner and an answer, which on Flink is most of what
// a small element costs. So there is no count of fragments, and what is known together
// is one value.
type kept struct {
	Fragments state.Bag[[]byte]   // that came since the last fold
	Open      state.Value[[]byte] // watermark of the last fold, and what can still change; see packOpen
}

func newKept() kept {
	return kept{Fragments: state.MakeBagState[[]byte]("fragments"), Open: state.MakeValueState[[]byte]("open")}
}

// isFold tells of one fragment in about so many, by its content, that those are to be
// folded which wait: where no round comes, they take many times the room.
func isFold(packed []byte, every uint64) bool { return xxhash.Sum64(packed)%every == 0 }

// add keeps fragments. When they are to be folded, because they are many by now or
// because always says so, it gives the watermark of the last fold.
func (k kept) add(sp state.Provider, packed []byte, always bool) (watermark int64, fold bool, err error) {
	if err := k.Fragments.Add(sp, packed); err != nil {
		return 0, false, err
	}
	if !always && !isFold(packed, mostFragments) {
		return 0, false, nil
	}
	watermark, _, err = k.open(sp)
	return watermark, true, err
}

// open is what the last fold left, and its watermark: none, and 0, when it left nothing.
func (k kept) open(sp state.Provider) (watermark int64, open []byte, err error) {
	packed, _, err := k.Open.Read(sp)
	if err != nil {
		return 0, nil, err
	}
	return unpackOpen(packed)
}

// read gives what is open and the fragments to be folded into it, and takes these out.
func (k kept) read(sp state.Provider) (before int64, open []byte, blobs [][]byte, err error) {
	if before, open, err = k.open(sp); err != nil {
		return 0, nil, nil, err
	}
	packed, _, err := k.Fragments.Read(sp)
	if err != nil {
		return 0, nil, nil, err
	}
	blobs = make([][]byte, len(packed))
	for i, p := range packed {
		if blobs[i], err = unpack(p); err != nil {
			return 0, nil, nil, err
		}
	}
	if len(packed) > 0 {
		err = k.Fragments.Clear(sp)
	}
	return before, open, blobs, err
}

// never is no time at all, for those that wait for more alone.
const never = math.MaxInt64

// write keeps what a fold as of a watermark left open, nil for nothing, and sets the
// alarm for when more of it can be sealed: at next the first, and about latest the last,
// where that is known and else the watermark.
func (k kept) write(sp state.Provider, tp timers.Provider, a *alarm, watermark int64, open []byte, next, latest int64) error {
	if open == nil {
		return k.Open.Clear(sp)
	}
	if err := k.Open.Write(sp, packOpen(watermark, open)); err != nil || next == never {
		return err
	}
	return a.next(sp, tp, watermark, a.sealsAt(next), latest)
}

// packOpen writes a watermark and what a fold as of it left open.
func packOpen(watermark int64, open []byte) []byte {
	return packState(append(binary.AppendVarint(nil, watermark), open...))
}

func unpackOpen(packed []byte) (watermark int64, open []byte, err error) {
	if len(packed) == 0 {
		return 0, nil, nil
	}
	b, err := unpackState(packed)
	if err != nil {
		return 0, nil, err
	}
	watermark, n := binary.Varint(b)
	if n <= 0 {
		return 0, nil, errors.New("state without a watermark: resume with the version of the program that wrote it")
	}
	return watermark, b[n:], nil
}
