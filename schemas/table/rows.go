package table

import "reflect"

// Append adds one row given as the schema's struct or a pointer to it. It uses
// reflection: block DoFns put columns themselves.
func (b *Batch) Append(row any) {
	v := reflect.Indirect(reflect.ValueOf(row))
	if v.Type() != b.schema.row {
		panic("table: row is a " + v.Type().String() + ", the schema is of " + b.schema.row.String())
	}
	for i, col := range b.schema.Columns {
		f := v.Field(i)
		if f.Kind() == reflect.Pointer {
			if f.IsNil() {
				b.PutNull(i)
				continue
			}
			f = f.Elem()
		}
		switch col.Kind {
		case String:
			b.PutString(i, f.String())
		case Bytes:
			b.PutText(i, f.Bytes())
		case UUID:
			b.PutUUID(i, f.Interface().(ID))
		case Bool:
			b.PutBool(i, f.Bool())
		case Float64:
			b.PutFloat(i, f.Float())
		default:
			b.PutInt(i, f.Int())
		}
	}
	b.EndRow()
}

// Row copies row i into the schema's struct that row points to.
func (b *Batch) Row(i int, row any) {
	v := reflect.ValueOf(row).Elem()
	for col, c := range b.schema.Columns {
		f := v.Field(col)
		if b.Null(col, i) {
			f.SetZero()
			continue
		}
		if f.Kind() == reflect.Pointer {
			f.Set(reflect.New(f.Type().Elem()))
			f = f.Elem()
		}
		switch c.Kind {
		case String:
			f.SetString(string(b.Text(col, i)))
		case Bytes:
			f.SetBytes(append([]byte(nil), b.Text(col, i)...))
		case UUID:
			f.Set(reflect.ValueOf(b.UUID(col, i)))
		case Bool:
			f.SetBool(b.Bool(col, i))
		case Float64:
			f.SetFloat(b.Float(col, i))
		default:
			f.SetInt(b.Int(col, i))
		}
	}
}
