// Package badrow defines records that could not become events: why, where they
// stand, and what they looked like without saying what they said.
package badrow

// Reason is a code of the fixed taxonomy. Codes are stable: dashboards and
// replays filter on them.
type Reason string

// The taxonomy.
const (
	None       Reason = ""            // not bad
	Format     Reason = "format"      // does not follow the log format
	Truncated  Reason = "truncated"   // a quoted field is never closed, or the line stops early
	Timestamp  Reason = "timestamp"   // the time field cannot be read
	TimeBounds Reason = "time_bounds" // the time lies before 1995 or more than a day after arrival
	Number     Reason = "number"      // status or size is not a number in range
	TooLong    Reason = "too_long"    // longer than the record size limit
	Reference  Reason = "reference"   // reference data is missing or broken where the policy is bad_row
	Panic      Reason = "panic"       // decoding this one record panicked
)
