package rowjson

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"millrace/schemas/table"
)

// AppendRow writes a row as an object: its columns in their order, nulls left out.
func AppendRow(dst []byte, b *table.Batch, row int) []byte {
	dst = append(dst, '{')
	for col, c := range b.Schema().Columns {
		if b.Null(col, row) {
			continue
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(AppendString(dst, []byte(c.Name)), ':')
		dst = AppendValue(dst, b, col, row)
	}
	return append(dst, '}')
}

// ReadRow adds to a batch the row that AppendRow has written. It fails for text that
// is no such row of the batch's schema, which leaves the batch as it was; of columns
// that were added to the schema since, only those that may be null can be missing.
func ReadRow(into *table.Batch, text []byte) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(text, &values); err != nil {
		return fmt.Errorf("reading a row of %s: %w", into.Schema().ID(), err)
	}
	rows := into.Len()
	for col, c := range into.Schema().Columns {
		value, ok := values[c.Name]
		delete(values, c.Name)
		err := errors.New("it is missing")
		switch {
		case ok:
			err = put(into, col, c.Kind, value)
		case c.Null:
			into.PutNull(col)
			err = nil
		}
		if err != nil {
			into.Rewind(rows)
			return fmt.Errorf("reading a row of %s: column %s: %w", into.Schema().ID(), c.Name, err)
		}
	}
	for name := range values {
		into.Rewind(rows)
		return fmt.Errorf("reading a row of %s: it has no column %s", into.Schema().ID(), name)
	}
	into.EndRow()
	return nil
}

// put adds a value to a column.
func put(b *table.Batch, col int, kind table.Kind, value []byte) error {
	switch kind {
	case table.Int32, table.Int64:
		var n int64
		if err := json.Unmarshal(value, &n); err != nil {
			return err
		}
		if kind == table.Int32 && int64(int32(n)) != n { //nolint:gosec // that is the question
			return fmt.Errorf("%d is beyond 32 bits", n)
		}
		b.PutInt(col, n)
		return nil
	case table.Bool:
		var yes bool
		if err := json.Unmarshal(value, &yes); err != nil {
			return err
		}
		b.PutBool(col, yes)
		return nil
	case table.Float64:
		f, err := readFloat(value)
		if err != nil {
			return err
		}
		b.PutFloat(col, f)
		return nil
	default:
		var text string
		if err := json.Unmarshal(value, &text); err != nil {
			return err
		}
		return putText(b, col, kind, text)
	}
}

// putText adds a value that JSON has as a text.
func putText(b *table.Batch, col int, kind table.Kind, text string) error {
	switch kind {
	case table.Time:
		t, err := time.Parse("2006-01-02T15:04:05.000Z", text)
		if err != nil {
			return err
		}
		b.PutInt(col, t.UnixMilli())
	case table.Date:
		t, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return err
		}
		b.PutInt(col, table.FloorDay(t.UnixMilli()))
	case table.UUID:
		var id table.ID
		plain := strings.ReplaceAll(text, "-", "")
		if len(text) != 36 || len(plain) != 32 {
			return fmt.Errorf("%q is no id", text)
		}
		if _, err := hex.Decode(id[:], []byte(plain)); err != nil {
			return err
		}
		b.PutUUID(col, id)
	case table.Bytes:
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return err
		}
		b.PutText(col, raw)
	default:
		b.PutString(col, text)
	}
	return nil
}

// readFloat reads a number, or one of those that JSON cannot say.
func readFloat(value []byte) (f float64, err error) {
	switch string(value) {
	case `"NaN"`:
		return math.NaN(), nil
	case `"Infinity"`:
		return math.Inf(1), nil
	case `"-Infinity"`:
		return math.Inf(-1), nil
	}
	return f, json.Unmarshal(value, &f)
}
