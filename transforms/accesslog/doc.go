// Package accesslog turns blocks of access-log lines into masked rows and
// mergeable aggregates: decode, flag bots, mask, pre-aggregate, in one pass over
// the bytes. It is the only place of the weblogs job where unmasked data exists.
//
// A Worker serves one goroutine and keeps caches of what repeats: user agents,
// visitors, referrers, paths. What it produces is a function of the lines alone,
// not of how they were cut into blocks or spread over workers; only the order of
// rows differs, and the sink sorts.
package accesslog
