package badrow

import "millrace/schemas/table"

// Row is a record that could not become an event. It never holds text of the
// record: names in an unparsable line cannot be masked. Source, sequence
// and position find the text in the file or in the raw archive.
type Row struct {
	BadRowID  table.ID     `col:"bad_row_id" doc:"UUID v5 of the record's origin"`
	NotedTime table.Millis `col:"noted_time,sort1,day" doc:"arrival time, or without one the time of the nearest readable record before it in its block, else after it, else of the first in its file; 1970 when there is none; an over-long record has the time of its own beginning, if that can be read"`
	Stage     string       `col:"stage" mask:"none" doc:"step that refused the record"`
	Reason    string       `col:"reason" mask:"none" ecs:"error.code" doc:"code from the fixed taxonomy"`
	Source    string       `col:"source,sort2" mask:"hash" ecs:"log.file.fingerprint" doc:"identity of the file or shard, 32 hex digits of SHA-256: over the first 64 KiB of the file, or over the names of stream and shard"`
	Position  int64        `col:"position,sort4" ecs:"log.offset" doc:"byte offset of the record in the decompressed file, or its number in the stream record"`
	Length    int64        `col:"length" doc:"length of the record in bytes, without line end"`
	Skeleton  string       `col:"skeleton" mask:"skeleton" doc:"character classes of the record's beginning: its shape without its text"`
	Sequence  *string      `col:"sequence,null,sort3" mask:"none" doc:"sequence number of the stream record, with leading zeros; null for files"`
	Detail    *string      `col:"detail,null" mask:"scanned" doc:"what the record named that is not known, for the reasons code and unit, at most 64 bytes; findings masked"`
}

// Rows is the schema of Row.
var Rows = table.MustOf[Row]("bad_rows", 1)
