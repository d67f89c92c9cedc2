// Package vault has what reversible tokens stand for, sealed, so that who may can take
// them back. Readers of the other outputs need no right to this one.
package vault

import "millrace/schemas/table"

// Row is one reversible token of one event. A token that many events have has a row for
// each: so rows come and go with the days of their events. To forget what a token
// stands for, delete all its rows.
type Row struct {
	EventTime table.Millis `col:"event_time,sort1,day" ecs:"@timestamp" doc:"time of the event, UTC"`
	Token     string       `col:"token,sort2" mask:"token" doc:"keyed token, as the event has it"`
	EventID   table.ID     `col:"event_id,sort3" ecs:"event.id" doc:"id of the event"`
	KeyID     string       `col:"key_id" mask:"none" doc:"id of the vault's key"`
	Sealed    []byte       `col:"sealed" mask:"sealed" doc:"what the token stands for, in its normal form: nonce of 12 bytes and AES-256-GCM, with the token as additional data"`
}

// Rows is the schema of Row.
var Rows = table.MustOf[Row]("vault", 1)

// Columns of Row.
const (
	EventTime = iota
	Token
	EventID
	KeyID
	Sealed
)
