// Package alerts watches values by rules and says when one is broken, and when it
// is in order again.
//
// A [Rule] watches one field of an input: a rollup, a score or single readings. A
// [Watch] is the state of one rule for one key (for all the values of one source,
// say). It collects readings in windows, in any order, and judges a window when it
// is sealed: when the watermark has passed its end. So what it says depends on the
// readings alone, never on the order in which they came.
//
// # States
//
//	quiet     nothing is wrong, or not for long enough
//	pending   windows broke the rule, but fewer than it asks for; no row
//	firing    at least n of the last m windows broke it; a row
//	resolved  clear_for windows in a row were in order again; the row once more
//
// At most one alert is open for a rule and key. To be in order a value has to pass
// the limit of clearing, which may be further in than that of breaking
// (hysteresis). After an alert is resolved none begins until the cool-down is over.
// What is compared may be a ratio, the sum of some rows by that of others; without the
// others there is none. A window without data breaks nothing; it counts as in order, unless the rule says
// missing: keep.
//
// An alert's id is a hash of rule, key and the first window in which it fired; a
// replay gives it again.
package alerts
