package transforms

import (
	"math"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/state"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/timers"
)

// kept is what a live key keeps: fragments that came since they were last folded, and
// what the fold left open. Its states are fields of the DoFn too, where Beam looks for
// them.
type kept struct {
	Fragments state.Bag[[]byte]   // that came since the last fold
	Held      state.Value[int64]  // how many
	Open      state.Value[[]byte] // what can still change
	Until     state.Value[int64]  // watermark of the last fold
}

func newKept() kept {
	return kept{
		Fragments: state.MakeBagState[[]byte]("fragments"), Held: state.MakeValueState[int64]("held"),
		Open: state.MakeValueState[[]byte]("open"), Until: state.MakeValueState[int64]("until"),
	}
}

// add keeps fragments. When they are so many that they are to be folded, or when
// always says so, it gives the watermark of the last fold.
func (k kept) add(sp state.Provider, packed []byte, always bool) (watermark int64, fold bool, err error) {
	if err := k.Fragments.Add(sp, packed); err != nil {
		return 0, false, err
	}
	held, _, err := k.Held.Read(sp)
	if err != nil {
		return 0, false, err
	}
	if held++; held < mostFragments && !always {
		return 0, false, k.Held.Write(sp, held)
	}
	watermark, _, err = k.Until.Read(sp)
	return watermark, true, err
}

// read gives what is open and the fragments to be folded into it.
func (k kept) read(sp state.Provider) (open []byte, blobs [][]byte, err error) {
	if open, _, err = k.Open.Read(sp); err != nil {
		return nil, nil, err
	}
	if open, err = unpackState(open); err != nil {
		return nil, nil, err
	}
	packed, _, err := k.Fragments.Read(sp)
	if err != nil {
		return nil, nil, err
	}
	blobs = make([][]byte, len(packed))
	for i, p := range packed {
		if blobs[i], err = unpack(p); err != nil {
			return nil, nil, err
		}
	}
	return open, blobs, nil
}

// never is no time at all, for those that wait for more alone.
const never = math.MaxInt64

// write keeps what a fold as of a watermark left open, nil for nothing, and sets the
// alarm for when more of it can be sealed: at next the first, and about latest the last,
// where that is known and else the watermark.
func (k kept) write(sp state.Provider, tp timers.Provider, a *alarm, watermark int64, open []byte, next, latest int64) error {
	if err := k.Fragments.Clear(sp); err != nil {
		return err
	}
	if err := k.Held.Clear(sp); err != nil {
		return err
	}
	if err := k.Until.Write(sp, watermark); err != nil {
		return err
	}
	if open == nil {
		return k.Open.Clear(sp)
	}
	if err := k.Open.Write(sp, packState(open)); err != nil {
		return err
	}
	if next == never {
		return nil
	}
	return a.next(sp, tp, watermark, sealsAt(next), latest)
}
