// Package refused lists rows that a sink will not take as they are: which, why,
// and the masked row itself, so that it can be sent again.
package refused

import "millrace/schemas/table"

// Row is one row that a sink has refused. The lake has the row in its output, too.
type Row struct {
	RefusedID table.ID     `col:"refused_id" doc:"UUID v5 of output, sink and row: the same refusal always gets the same id"`
	RowTime   table.Millis `col:"row_time,sort1,day" doc:"time of the row, that of its day column, UTC"`
	Output    string       `col:"output,sort2" mask:"none" doc:"output of the job that the row belongs to"`
	Sink      string       `col:"sink" mask:"none" doc:"URL of the sink, as the run was given it"`
	Reason    string       `col:"reason" mask:"none" ecs:"error.type" doc:"invalid: its values do not fit what is there; too_large: for the service or a call; overload: put off by the service attempt after attempt"`
	Code      *string      `col:"code,null" mask:"none" ecs:"error.code" doc:"the service's own word; null when it was not asked"`
	Message   string       `col:"message" mask:"scanned" ecs:"error.message" doc:"what the sink says in full; may repeat values of the row, which are masked"`
	Attempts  int32        `col:"attempts" doc:"calls that had the row; 0 when it was refused before any"`
	Kind      string       `col:"kind" mask:"none" doc:"sealed, or withdrawn when the row was to take another one back"`
	Schema    string       `col:"schema" mask:"none" doc:"schema of the row, with its version"`
	Version   *int64       `col:"version,null" doc:"the row's version; null when its rows have none"`
	Row       string       `col:"row,plain,sort3" mask:"scanned" doc:"the row as a JSON object, masked as it was stored: its columns in their order, without nulls"`
}

// Columns of Row.
const (
	RefusedID = iota
	RowTime
	Output
	Sink
	Reason
	Code
	Message
	Attempts
	Kind
	Schema
	Version
	RowText
)

// Rows is the schema of Row.
var Rows = table.MustOf[Row]("refused", 1)
