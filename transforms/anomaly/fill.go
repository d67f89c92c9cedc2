package anomaly

import "iter"

// Fill adds a zero for each window of the length every that is missing between the
// last point and until: in a series of counts a window without events is a zero,
// where it is nothing in a series of shares or means. It may be called at any time
// and as often as one likes, as the watermark goes on: results depend on the points
// alone. Before the first point there is nothing to fill.
func (d *Detector) Fill(until, every int64) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		for d.any && every > 0 && until <= maxTime && d.last+every < until {
			if !yield(d.Add(Point{Time: d.last + every})) {
				return
			}
		}
	}
}
