// Package funnels follows visitors through steps: how many get how far, and how long
// it takes them.
//
// # ClickHouse's functions
//
// [WindowFunnel] with its modes, [Retention], and [Pattern] for sequences, over [Hit]s
// of one user. They mean what ClickHouse's windowFunnel, retention, sequenceMatch,
// sequenceCount and sequenceMatchEvents mean in ClickHouse 25.12, the first with
// allow_reentry (its pull request 86916), as its tests
// 00632_aggregation_window_funnel and 00222_sequence_aggregate_function_family hold
// them; the cases of both are among the tests here. Times are whole numbers of any unit,
// and windows have the same; a window includes its last moment.
// Two times in a row in a pattern, which ClickHouse refuses, hold together here; a
// time at the beginning or at the end of a pattern, which there compares with an
// event that is not in the pattern, is refused here. Matching takes time in
// proportion to events times items, whatever the pattern.
//
// # Funnels
//
// A [Definition] names steps, each a predicate over the columns of the events (see
// package predicate), and a window. Every event that satisfies step 1 begins an
// attempt. What an attempt reaches depends on the order (the model are
// PostHog's funnels, https://posthog.com/docs/product-analytics/funnels, as they were in
// November 2026; the cases of its tests of conversion times are among the tests here):
//
//   - ordered: each step is the earliest event that satisfies it, after the step
//     before and within the window of the attempt's first event, the last millisecond
//     included. Events of one time come in whatever order serves. This is
//     WindowFunnel with StrictOnce.
//   - strict: the events of the visitor that follow the first one at once, in order of
//     (time, origin), satisfy one step after another.
//   - any: an attempt begins with an event that satisfies any step; its level is how
//     many steps can be given an event each from there within the window. Step k has
//     the time at which k steps had happened.
//
// An event serves at most one step of an attempt.
//
// An exclusion is an event strictly between the times of two steps, or, where the
// later one is not reached, after the earlier one and within the window. An attempt
// with one is excluded: it counts for no step at all, not even those before.
//
// Attempts whose windows overlap (a start at most a window after the start before)
// and that began on one UTC day are a group. A group gives one [Row], its best
// attempt: the deepest; of equally deep ones one that is not excluded, and of those
// the earliest. The same rule picks among a visitor's rows: [BestOfDays] for a day,
// [Best] for all of a range. So the rows of a day follow from the events of that day
// and of a window after it; nothing before matters.
//
// The breakdown value of an attempt is the first one that is neither null nor empty
// among the events of its steps, or the last, or that of one step. Where several
// events of one time satisfy an ordered step, that of the first in order of origin.
//
// # Fragments
//
// Events do not travel to where a visitor is put together, only what funnels need of
// them: time, origin, bits of the steps and exclusions it satisfies, breakdown value;
// about 13 bytes. A [Collector] evaluates the predicates on batches of rows and folds
// events, in any order, into fragments; events that satisfy nothing are left out,
// except for strict funnels, where they stand between others. An [Evaluator] merges
// the fragments of the visitors of one shard. It serves both modes: Rows over
// everything that was added (batch), and Advance as a fold over state, new fragments
// and watermark (live). The sealed rows are the same, whatever the order and the
// partition of the input. A [Tally] counts rows by day and step; counts, sums, medians
// and bytes do not depend on how its parts were merged.
//
// # Live
//
// A row is written provisionally when what it says changes, and withdrawn when
// another attempt of its group becomes the best. It is sealed when the watermark is
// later than the end of the last window of its group. Its version is revision * 2^32 +
// the number of events in the group's windows: it grows with each of them, and a
// withdrawal carries that of the group which took its events. AdvanceSettled does so for
// sinks that a job tells of rows before it knows that it need not start again. The best row of a
// visitor's day comes (Update.Days) when no attempt of that day can change any more: a
// window after midnight, rounded up to the hour.
//
// # Questions
//
// A [Question] asks one of ClickHouse's functions of all events of each visitor, over
// everything that was added: by levels with WindowFunnel's modes, by conditions
// with Retention, or for a [Pattern], whose times are in seconds there. [Questions]
// travel as funnels do, by the collectors and evaluators of a Set of their own; so
// late events do not count, and events of one time are in order of origin. Of a
// retention a collector keeps only events that add a condition to what it knows of
// the visitor, so that no bound cuts it short. Of a window funnel with strict_order it
// keeps all events. The time of a sequence is from the first to the last numbered
// event of a visitor's first match.
//
// # Bounds
//
// Of each visitor, funnel and hour (UTC) the first Options.MaxEvents events, in order
// of time and origin, are looked at. Later ones of that hour are counted only. A row
// whose windows hold such events says so (Truncated); to its version they count
// twice, and it is sealed when the hour is over. They are taken for starts, so a group
// with them may be longer. State of a visitor is at most MaxEvents an hour over a day
// and a window. An answer to a question says of how many visitors such events were
// left out. Nothing else is approximate.
package funnels
