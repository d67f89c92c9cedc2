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
	Code       Reason = "code"        // a code that the table of codes does not have; the column detail names it
	Unit       Reason = "unit"        // a unit that is not known, or does not measure what the code means; detail names it
	Version    Reason = "version"     // a version of the format that this program does not know
	Name       Reason = "event"       // an event of a name that the format does not have
	Currency   Reason = "currency"    // an amount without a currency, or one that is not in ISO 4217
	Limit      Reason = "limit"       // more parts, or a longer one, than an event may have
	Panic      Reason = "panic"       // decoding this one record panicked
)
