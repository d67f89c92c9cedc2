package kinesisio

import "millrace/io/driver"

// Parameters are what URLs of streams can say, for the reference and --help.
func Parameters() []driver.Parameter {
	source := []driver.Parameter{
		{Name: "start", Type: "trim_horizon, latest, a time or positions", Default: "trim_horizon", Source: true, Doc: "where the shards that exist begin: with the oldest record, with the next, with what arrived at a time (2026-01-31T12:00:00Z), or after saved positions"},
		{Name: "positions", Type: "file", Source: true, Doc: "file that millrace positions wrote, for start=positions; it is read where the run is submitted"},
		{Name: "until", Type: "tip or a time", Source: true, Doc: "end with what had arrived at the start, or before a time; without it, the stream goes on"},
		{Name: "region", Type: "text", Source: true, Sink: true, Doc: "region of the stream; without it, that of the AWS configuration"},
		{Name: "format", Type: "format", Source: true, Doc: "format of the lines, as --format takes it; without it, each line's is detected among common, combined and vhost_combined"},
		{Name: "poll", Type: "duration", Default: defaultPoll.String(), Source: true, Doc: "pause between two calls for records of a shard"},
		{Name: "rate", Type: "size", Default: driver.FormatBytes(defaultRate), Source: true, Doc: "bytes a second that are asked of a shard"},
		{Name: "ahead", Type: "size", Default: driver.FormatBytes(defaultAhead), Source: true, Doc: "bytes that one reader holds, about"},
		{Name: "block", Type: "size", Default: driver.FormatBytes(defaultBlock), Source: true, Doc: "about how much one block holds"},
		{Name: "max_line", Type: "size", Default: driver.FormatBytes(defaultMaxLine), Source: true, Doc: "a longer line becomes a bad row"},
	}
	return append(source, sinkParameters()...)
}
