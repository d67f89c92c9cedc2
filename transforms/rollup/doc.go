// Package rollup aggregates events into the tables of the weblogs job: traffic
// by status class, top pages, visitors of a day, bots, properties of clients.
//
// Each table is an accumulator that belongs to one goroutine. Add folds an event
// in; Parts encodes what was collected, by part: the span of time whose partial
// results meet at one place; Merge adds an encoded part; the rows follow from
// what was added and merged, whatever the order and the partition. All sums are
// of integers, all counts of keys exact but for top pages beyond a limit, and distinct
// visitors are counted by [millrace/transforms/sketch.Distinct].
//
//	table     part   rows
//	Traffic   hour   a window of any whole number of seconds that divides an hour
//	TopPages  hour   the hour, or such a window
//	Visitors  day    the day
//	Bots      day    the day and bot
//	Minutes   hour   the minute: its visitors, for scores of anomalies
//	Clients   day    the day, property and value
//
// Top pages count exactly up to a limit of paths in a window, [DefaultPages] unless given,
// and that takes memory for each. A window with more is counted by
// [millrace/transforms/sketch.Heavy] with as many counters, so that a table, a part and what
// waits in state have no more paths than the limit, however many addresses somebody makes
// up. Its rows say so (Exact) and by how much Views can be too great (Error, at most the
// requests of the window divided by the limit); a path that came more often than that
// is among the counters. Whether a window is exact depends on its paths alone; what an inexact
// one gives depends also on how its requests were divided and in which order parts were
// merged: a batch and a stream, and two batches, may differ, each within its errors. Version,
// the number of requests, is exact always.
//
// Top pages can have sketches ([NewSketchedTopPages]): of each page the different
// visitors, by HyperLogLog (standard error 0.81 %), and quantiles of the bytes of its
// responses and of its latency, by DDSketch (within 1 %). Views and ranks stay exact. A page
// takes some 20 bytes more in a part while it has one request there, then 3 for each visitor,
// size and duration, and at most 16 KiB for visitors, from 1,024 registers on. In a window beyond the limit they are of the pages
// whose count has no error; others have lost requests, and are not estimated.
//
// A response without a logged size counts as one of 0 bytes: that is what servers write
// so. A request without a logged duration is left out of the latency, and a page has none
// where no request tells how long it took.
//
// Traffic has no quantiles: its rows are seconds and minutes by status class, some
// 3,600 sketches an hour that mostly hold a few values each, and whose rows could not be added
// up as views and bytes are. Quantiles of the whole site in any window follow from the events.
//
// Hours and days are UTC. Add takes times in Unix milliseconds and no matter in
// which order.
package rollup
