// Package anomaly scores the points of a numeric series as they come: how strange
// is this value, after all that was seen before it?
//
// A [Detector] belongs to one series. It has one set of parameters, which fits
// series of any unit and pace, looks never ahead, and its state is bounded. Equal
// points in equal order give equal bits, in batch and live, on every processor:
// all is float64 in a fixed order, no product is fused into a sum, and logarithms
// are our own. Its state can be encoded between any two points.
//
// # How a point is judged
//
// The first 150 points (warm-up) give the centre, their median, and the scale, the
// median distance from it. From then on each of several views turns the value
// into a distance from what it expects:
//
//	level      from the centre
//	day        from the mean of this quarter of an hour of the day
//	week       from the mean of this hour of the week
//	envelope   from the range seen at about this time of day
//	rolling    mean of the last 12 values, from the centre
//	shape      of the last 48 values from the most similar 48 before (an option)
//
// Days and weeks are those of UTC. A distance is ranked among all distances of its
// view before (conformal: no distribution is assumed). One that is not above 1.2
// times an old one counts as equal to it. The rank is -log(share of distances as
// great) / log(number of distances), 1 for a new record, and grows by the logarithm
// of how far a record is beyond the old one. The views have equal weight: the
// strangeness is their root mean square, so that no single view decides, and none
// that has nothing to say silences the others.
//
// The score is the strangeness where it is news and 0 elsewhere: within 100 points
// after a score above 0, only what is 1.15 times as strange is news. One episode
// gives one score, and another one if it gets worse.
//
// # What a point can be
//
// NaN and infinities are missing values: no score, nothing learned. So is a point
// at the time of the one before (a duplicate) or earlier. After a pause of more
// than 12 usual steps, the views of last values begin anew; what is known of days,
// weeks and ranks stays. A series whose warm-up was constant is quiet until its
// first other value, which is as strange as can be; with it the warm-up begins anew.
//
// # State
//
// Encoded, at most 16 KiB a series without the view of shapes and 48 KiB with it,
// whatever comes; a series that uses every bin of the ranks has half of that, and 40 KiB.
package anomaly
