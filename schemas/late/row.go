// Package late lists events that came too late for the windows they belong to.
package late

import "millrace/schemas/table"

// Row is one late event. It is in events too, marked late, and is left out of
// window outputs until a backfill of its day.
type Row struct {
	EventID   table.ID     `col:"event_id" ecs:"event.id" doc:"id of the event"`
	EventTime table.Millis `col:"event_time,sort1,day" ecs:"@timestamp" doc:"time of the event, UTC"`
	Source    string       `col:"source,sort2" mask:"hash" ecs:"log.file.fingerprint" doc:"identity of the file or shard"`
	Position  int64        `col:"position,sort3" ecs:"log.offset" doc:"byte offset or sequence position of the record"`
	DelayMs   int64        `col:"delay_ms" doc:"how far the event lay behind the watermark, in milliseconds"`
}

// Rows is the schema of Row.
var Rows = table.MustOf[Row]("late", 1)
