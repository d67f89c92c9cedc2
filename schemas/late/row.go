// Package late lists events that came too late for the windows they belong to.
package late

import "millrace/schemas/table"

// Row is one late event. It is in events too, marked late, and is left out of
// window outputs until a backfill of its day.
type Row struct {
	EventID   table.ID     `col:"event_id" ecs:"event.id" doc:"id of the event"`
	EventTime table.Millis `col:"event_time,sort1,day" ecs:"@timestamp" doc:"time of the event, UTC"`
	Source    string       `col:"source,sort2" mask:"hash" ecs:"log.file.fingerprint" doc:"identity of the file or shard"`
	Position  int64        `col:"position,sort4" ecs:"log.offset" doc:"byte offset of the line in the decompressed file, or number of the line in the stream record"`
	DelayMs   int64        `col:"delay_ms" doc:"how much too late the event came: how far it lay behind the watermark of its shard less the allowed lateness, in milliseconds"`
	Sequence  *string      `col:"sequence,null,sort3" mask:"none" doc:"sequence number of the stream record, with leading zeros; null for files"`
}

// Rows is the schema of Row.
var Rows = table.MustOf[Row]("late", 1)
