// Package raw keeps records as they came, so that a backfill can read them
// again under the same origins.
package raw

import "millrace/schemas/table"

// Row is one record of the raw archive.
type Row struct {
	Source      string       `col:"source,sort2" mask:"hash" ecs:"log.file.fingerprint" doc:"identity of the file or shard the record came from"`
	Position    int64        `col:"position,sort4" ecs:"log.offset" doc:"byte offset of the record in the decompressed file, or its number in the stream record"`
	NotedTime   table.Millis `col:"noted_time,sort1,day" doc:"arrival time, or without one the time in the record; a record without either takes that of its neighbour"`
	ArrivalTime *int64       `col:"arrival_time,null" doc:"arrival time in Unix milliseconds; null when the source did not know"`
	KeyID       *string      `col:"key_id,null" mask:"none" doc:"masking key whose derived key seals the payload; null when it is plain"`
	Payload     []byte       `col:"payload,plain" mask:"sealed" doc:"the record without its line end; sealed with AES-256-GCM unless --raw plain"`
	Format      *string      `col:"format,null" mask:"none" doc:"layout by which the record was read, that of its file; null when nobody could tell"`
	Length      *int64       `col:"length,null" doc:"length in bytes of a record too long to keep, of which payload has the beginning; null when it is whole"`
	Sequence    *string      `col:"sequence,null,sort3" mask:"none" doc:"sequence number of the stream record that the record came in, with leading zeros; null for files"`
}

// Columns of Row.
const (
	Source = iota
	Position
	NotedTime
	ArrivalTime
	KeyID
	Payload
	Format
	Length
	Sequence
)

// Rows is the schema of Row.
var Rows = table.MustOf[Row]("raw", 1)
