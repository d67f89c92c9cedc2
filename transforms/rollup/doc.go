// Package rollup aggregates events into the tables of the weblogs job: traffic
// by status class, top pages, visitors of a day, bots.
//
// Each table is an accumulator that belongs to one goroutine. Add folds an event
// in; Parts encodes what was collected, by part: the span of time whose partial
// results meet at one place; Merge adds an encoded part; the rows follow from
// what was added and merged, whatever the order and the partition. All sums are
// of integers, all counts of keys exact, and distinct visitors are counted by
// [millrace/transforms/sketch.Distinct].
//
//	table     part   rows
//	Traffic   hour   a window of any whole number of seconds that divides an hour
//	TopPages  hour   the hour, or such a window
//	Visitors  day    the day
//	Bots      day    the day and bot
//
// Hours and days are UTC. Add takes times in Unix milliseconds and no matter in
// which order.
package rollup
