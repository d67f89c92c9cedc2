// Package sessions cuts the events of a visitor into sessions.
//
// # Meaning
//
// [Split] is the definition in code. The events of a visitor, in order of (time,
// origin), form a gap chain as long as the pause between two is shorter than
// the gap; two events exactly one gap apart belong to two chains. Inside a chain
// further cuts are options: a maximal duration, the midnight of a named zone, a
// change of campaign (unless the event has the very time of the session's first:
// two sessions of that time could not be told apart). One bound is on by default: a chain without a pause over
// the 24 hours before a UTC midnight is cut at that midnight. So a session is
// shorter than 48 hours, and the sessions that start on a UTC day follow from
// the events of that day, the day before and the day after.
//
// What follows a bound is a chain of its own: it has its own count of events,
// and the options begin anew.
//
// The model: a gap of 30 minutes is the default of Google Analytics 4, of Universal
// Analytics and of Matomo (visit_standard_length, 1,800 s). The cuts at midnight and at
// a new campaign are those of Universal Analytics and Matomo, the flag Engaged is that
// of Google Analytics 4; a new referrer cuts in none of them. All as documented in
// November 2026. Times are Unix milliseconds. The cases of testdata/vectors/sessions.json
// are among the tests.
//
// # Fragments
//
// Events do not travel to where a visitor is put together. A [Collector] folds
// them, in any order, into fragments: a fragment sums up events of one visitor
// between which no pause is a gap or longer, and which lie on one UTC day and
// one day of the day-cut zone. Such summaries merge exactly, in any order: an
// event between two others of the fragment cannot change where it is cut. Only
// two options must see single events, MaxDuration and CampaignCut; with them a
// fragment carries its events as well, as far as [Options.MaxEvents] allows.
//
// A [Sessionizer] merges the fragments of the visitors of one shard. It serves
// both modes: Sessions over everything that was added (batch), and Advance as a
// fold over state, new fragments and watermark (live). The sealed sessions are
// the same, whatever the order and the partition of the input.
//
// # Where a session came from
//
// With Options.Attribution a session has three touches, by the order of its events:
// FirstTouch is the first there is, Touch (that of the session) the first that is not
// direct, LastTouch the last that is not direct; where all are direct, each is the
// first. What a touch says is the caller's. It does not cut: Campaign does, with CampaignCut.
//
// # The sessions of a day in a row
//
// With Options.Index a session is numbered among those of its visitor that start
// on the same UTC day, and names the one before. So the numbers of a day follow from the events of the
// day before, the day and the day after, as its sessions do. A session does not
// name the one after. That is known when the next one is sealed or the day ends: to wait for it would
// hold the rows of most visitors, who do not come again, and their state, for up to a day
// in place of a gap, and to go on without it would write sealed rows a second time. It is that whose
// Previous names it, and a query over the lake gives it, beyond the day as well:
//
//	lead(session_id) OVER (PARTITION BY visitor_id ORDER BY start_time)
//
// A provisional session is written again when its own events
// change; so its number can be too low, when an earlier one comes after it, until it is sealed.
//
// # Chains longer than MaxEvents
//
// Events after the first MaxEvents of a chain are counted, and not examined for
// MaxDuration and CampaignCut. Sessions that hold such events say so
// (Truncated); their counters, times, entry, exit and touches are exact.
//
// # Encoding
//
// Fragments and state begin with a version. Attribution and index write the second
// one, and each version is read with every option: who turns one on goes on with
// the state there is, whose events have no touch.
package sessions
