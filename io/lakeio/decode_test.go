package lakeio

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"

	"github.com/parquet-go/parquet-go"

	"millrace/schemas/table"
)

func readerAt(data []byte) io.ReaderAt { return bytes.NewReader(data) }

// decodeFile reads a Parquet file back into rows, column by name.
func decodeFile[T any](t *testing.T, data []byte) []T {
	t.Helper()
	f := openParquet(t, data)
	columns := f.Schema().Columns()
	fields := map[string]int{}
	for i, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		name, _, _ := bytes.Cut([]byte(field.Tag.Get("col")), []byte(","))
		fields[string(name)] = i
	}
	var rows []T
	for _, g := range f.RowGroups() {
		r := g.Rows()
		buf := make([]parquet.Row, 100)
		for {
			n, err := r.ReadRows(buf)
			for _, values := range buf[:n] {
				var row T
				for _, v := range values {
					setField(reflect.ValueOf(&row).Elem().Field(fields[columns[v.Column()][0]]), v)
				}
				rows = append(rows, row)
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		r.Close()
	}
	return rows
}

func setField(f reflect.Value, v parquet.Value) {
	if v.IsNull() {
		return
	}
	if f.Kind() == reflect.Pointer {
		f.Set(reflect.New(f.Type().Elem()))
		f = f.Elem()
	}
	switch f.Interface().(type) {
	case string:
		f.SetString(string(v.ByteArray()))
	case []byte:
		f.SetBytes(bytes.Clone(v.ByteArray()))
	case table.ID:
		f.Set(reflect.ValueOf(table.ID(v.ByteArray())))
	case bool:
		f.SetBool(v.Boolean())
	case float64:
		f.SetFloat(v.Double())
	case int32, table.Day:
		f.SetInt(int64(v.Int32()))
	default:
		f.SetInt(v.Int64())
	}
}
