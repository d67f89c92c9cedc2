package kinesisio

import "millrace/io/driver"

// sinkParameters are what URLs of streams can say when rows are put there, beside
// the region.
func sinkParameters() []driver.Parameter {
	return []driver.Parameter{
		{Name: "key", Type: "a column, or text with {column}", Default: "the first id of the row", Sink: true, Doc: "partition key of a row, for example key={visitor_id}/{day}; {day} is the row's UTC day"},
		{Name: "aggregate", Type: "boolean", Default: "false", Sink: true, Doc: "pack many rows into one record, in the format of the Kinesis Producer Library"},
		{Name: "order", Type: "key or none", Default: "key", Sink: true, Doc: "key: rows of a key keep their order, one of them on its way at a time unless aggregated; none: they may overtake each other"},
	}
}
