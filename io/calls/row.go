package calls

import (
	"millrace/io/driver"
	"millrace/schemas/table"
)

// Row is a row that a call brings.
type Row struct {
	Rows     table.Rows
	Row      uint32
	Attempts int32 // calls that had it
}

// Refused is the row as one that is refused, in a batch of its own.
func (r *Row) Refused(reason driver.RefusalReason, code string, err error) driver.RefusedRow {
	b := table.NewBatch(r.Rows.Batch.Schema())
	b.Gather(r.Rows.Batch, []uint32{r.Row})
	alone := table.Rows{Batch: b, Kind: r.Rows.Kind, Group: r.Rows.Group}
	return driver.RefusedRow{Rows: alone, Reason: reason, Code: code, Err: err, Attempts: int(r.Attempts)}
}

// Short bounds a text of a service that goes into an error.
func Short(text []byte) string {
	const most = 300
	if len(text) > most {
		text = append(text[:most:most], "..."...)
	}
	return string(toValid(text))
}
