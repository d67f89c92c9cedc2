package driver

import "millrace/schemas/table"

// SinkOptions are what whoever opens a sink hands in.
type SinkOptions struct {
	// Refused is told of each row that the sink will never take as it is; the others
	// go on. It is called from within Write, Flush and Close, by the goroutine that
	// calls them, and must not call the sink. When Flush returns without error, it has
	// been told of all.
	//
	// Without it the first such row is an error of the sink: none is dropped.
	Refused func(RefusedRow)
}

// RefusedRow is a row that a sink will never take as it is.
type RefusedRow struct {
	Rows     table.Rows    // that row alone, so that it can be written again
	Reason   RefusalReason // in a word of ours
	Code     string        // in the service's word; empty when it was not asked
	Err      error         // in full, at most some hundred bytes; may repeat values of the row
	Attempts int           // how many calls had the row
}

// RefusalReason says in a word why a row was refused.
type RefusalReason string

// The reasons.
const (
	RefusedInvalid  RefusalReason = "invalid"   // its values do not fit what is there
	RefusedTooLarge RefusalReason = "too_large" // for the service or for a call
	RefusedOverload RefusalReason = "overload"  // attempt after attempt, while others of its calls were taken or refused for good
)
