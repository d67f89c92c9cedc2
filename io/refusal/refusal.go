// Package refusal keeps rows that a sink has refused as rows of the output refused,
// and brings them back to be sent again.
package refusal

import (
	"crypto/sha1" //nolint:gosec // a UUID v5 is made of it
	"fmt"
	"strings"

	"millrace/io/driver"
	"millrace/io/rowjson"
	"millrace/schemas/refused"
	"millrace/schemas/table"
)

// Output is the name that refused rows have among the outputs of a job.
const Output = "refused"

// Sink is where rows of an output went.
type Sink struct {
	Output string
	URL    string
}

// maxMessage bounds what is kept of a sink's words, in bytes.
const maxMessage = 500

// Append adds what a sink says of a row it refused, of which the row is the only
// one. Provisional rows are left out (false): the sealed one that takes their place
// is refused likewise, and would be listed twice.
func (s Sink) Append(into *table.Batch, r driver.RefusedRow) bool {
	if r.Rows.Kind == table.Provisional {
		return false
	}
	b := r.Rows.Batch
	text := rowjson.AppendRow(nil, b, 0)
	row := refused.Row{
		RefusedID: s.id(r.Rows.Kind, b.Schema(), text), RowTime: table.Millis(rowTime(b)), Output: s.Output, Sink: s.URL,
		Reason: string(r.Reason), Attempts: int32(min(r.Attempts, 1<<30)), Kind: kinds[r.Rows.Kind], Schema: b.Schema().ID(), Row: string(text), //nolint:gosec // bounded
	}
	if r.Err != nil {
		row.Message = strings.ToValidUTF8(cut(r.Err.Error()), "\ufffd")
	}
	if r.Code != "" {
		row.Code = &r.Code
	}
	if col, ok := b.Schema().Index("version"); ok && b.Schema().Columns[col].Kind == table.Int64 {
		v := b.Int(col, 0)
		row.Version = &v
	}
	into.Append(&row)
	return true
}

func cut(text string) string {
	if len(text) > maxMessage {
		return text[:maxMessage] + " ..."
	}
	return text
}

var kinds = map[table.RowKind]string{table.Sealed: "sealed", table.Withdrawn: "withdrawn"}

// rowTime is the time of a row in Unix milliseconds, the start of its day where it
// has no other.
func rowTime(b *table.Batch) int64 {
	day := b.Schema().DayBy
	if b.Schema().Columns[day].Kind == table.Date {
		return b.Int(day, 0) * 24 * 60 * 60 * 1000
	}
	return b.Int(day, 0)
}

// namespace is that of the ids of refusals.
var namespace = table.ID{0x3b, 0x0e, 0x5d, 0x11, 0x90, 0x7c, 0x4b, 0x5a, 0x8e, 0x2d, 0x61, 0x0c, 0x55, 0x1f, 0xa7, 0x94}

// ID is the id under which a row that is alone in its batch is listed: UUID v5 of
// everything that makes up a refusal, but why and how often it was tried.
func (s Sink) ID(r table.Rows) table.ID {
	return s.id(r.Kind, r.Batch.Schema(), rowjson.AppendRow(nil, r.Batch, 0))
}

func (s Sink) id(kind table.RowKind, schema *table.Schema, row []byte) table.ID {
	h := sha1.New() //nolint:gosec // see the import
	h.Write(namespace[:])
	for _, part := range []string{s.Output, s.URL, kinds[kind], schema.ID()} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	h.Write(row)
	id := table.ID(h.Sum(nil)[:16])
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	return id
}

// Read gives the row that was refused, as it was when it was sent.
func Read(r *refused.Row) (table.Rows, error) {
	schema, ok := table.Lookup(r.Schema)
	if !ok {
		return table.Rows{}, fmt.Errorf("a refused row of %s follows %s, which this program does not know; use the version that wrote it", r.Output, r.Schema)
	}
	rows := table.Rows{Batch: table.NewBatch(schema)}
	switch r.Kind {
	case kinds[table.Sealed]:
	case kinds[table.Withdrawn]:
		rows.Kind = table.Withdrawn
	default:
		return table.Rows{}, fmt.Errorf("a refused row of %s is of the unknown kind %q", r.Output, r.Kind)
	}
	if err := rowjson.ReadRow(rows.Batch, []byte(r.Row)); err != nil {
		return table.Rows{}, fmt.Errorf("a refused row of %s: %w", r.Output, err)
	}
	return rows, nil
}
