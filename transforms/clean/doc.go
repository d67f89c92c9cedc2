// Package clean says what is odd about the readings of one series, taken in order of
// time, and turns counters into rates. It deletes nothing: what it finds are flags.
//
//   - range: the value lies outside its range.
//   - duplicate: a reading of the same time has the same value. It takes part in nothing
//     else.
//   - gap: nothing came for longer than a limit.
//   - reset: a counter fell. It has no rate then.
//   - stuck: so many readings in a row, of a day, have one value, and the value has not changed
//     for so long, as far as today and yesterday tell (UTC). Counters may stand still.
//   - spike: the value, of a counter the rate, lies further from the median of up to
//     eleven before it than six of their scaled median absolute deviations (Hampel's
//     identifier, of the past alone; 1.4826 makes the deviation that of a normal
//     distribution). A deviation counts as at least 2 % of the median: series that hardly
//     move have no spikes in their last digit.
//
// Everything follows from the readings of the 24 hours before and of yesterday, so that a run over one
// day and the one before says of that day what a run over all days says.
package clean
