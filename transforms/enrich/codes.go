package enrich

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"

	"millrace/internal/parquetlimit"
)

// Codes is a table of codes: rows of texts, found by the value of one column.
// Safe for concurrent use.
type Codes struct {
	version string
	key     string
	columns []string
	rows    map[string][]string
}

// Limits of a table of codes; all its workers keep it in memory. Cells count where
// they are empty, too: in a list of objects each may name a column of its own. Text is
// what rows hold: a dictionary may say a long one once for all of them.
const (
	maxCodeBytes   = 64 << 20
	maxCodeRows    = 1 << 20
	maxCodeColumns = 1 << 10
	maxCodeCells   = 1 << 24
	maxCodeText    = 64 << 20
)

// ParseCodes reads a table whose key is in the named column. The format is csv
// (with a header line), json (a list of objects, or one object a line) or
// parquet (flat columns, as package parquetlimit reads tables). Numbers become their
// decimal text. A key that stands
// there twice, or nowhere, is an error: which row was meant cannot be known.
func ParseCodes(format string, content []byte, key string) (*Codes, error) {
	if len(content) > maxCodeBytes {
		return nil, fmt.Errorf("reading a table of codes: %d bytes, and %d are possible", len(content), maxCodeBytes)
	}
	var columns []string
	var rows [][]string
	var err error
	switch format {
	case "csv":
		columns, rows, err = csvRows(content)
	case "json":
		columns, rows, err = jsonRows(content)
	case "parquet":
		err = guard(func() (err error) {
			columns, rows, err = parquetRows(content)
			return err
		})
	default:
		err = fmt.Errorf("format %q is none of csv, json, parquet", format)
	}
	if err != nil {
		return nil, fmt.Errorf("reading a table of codes as %s: %w", format, err)
	}
	at := slices.Index(columns, key)
	if at < 0 {
		return nil, fmt.Errorf("reading a table of codes: it has no column %s (there are %q)", key, columns)
	}
	c := &Codes{version: version(content), key: key, columns: columns, rows: make(map[string][]string, len(rows))}
	for i, row := range rows {
		if row[at] == "" {
			return nil, fmt.Errorf("reading a table of codes: row %d has no %s", i+1, key)
		}
		if _, twice := c.rows[row[at]]; twice {
			return nil, fmt.Errorf("reading a table of codes: row %d has the %s of an earlier row", i+1, key)
		}
		c.rows[row[at]] = row
	}
	return c, nil
}

// Version identifies the content.
func (c *Codes) Version() string { return c.version }

// Key is the column by whose values rows are found.
func (c *Codes) Key() string { return c.key }

// Columns are the names of the columns, in the order of rows.
func (c *Codes) Columns() []string { return c.columns }

// Len is the number of rows.
func (c *Codes) Len() int { return len(c.rows) }

// Keys are the keys, in no order.
func (c *Codes) Keys() iter.Seq[string] { return maps.Keys(c.rows) }

// Lookup returns the row of a key; it must not be changed.
func (c *Codes) Lookup(key []byte) (row []string, ok bool) {
	row, ok = c.rows[string(key)]
	return row, ok
}

// CodesFormat tells the format of a table of codes by the name of its file.
func CodesFormat(name string) (string, error) {
	switch ending := strings.ToLower(path.Ext(name)); ending {
	case ".csv", ".json", ".parquet":
		return ending[1:], nil
	case ".ndjson", ".jsonl":
		return "json", nil
	}
	return "", fmt.Errorf("a table of codes ends in .csv, .json, .ndjson, .jsonl or .parquet, and %s does not", path.Base(name))
}

var (
	errManyRows    = fmt.Errorf("more than %d rows", maxCodeRows)
	errManyColumns = fmt.Errorf("more than %d columns", maxCodeColumns)
	errManyCells   = fmt.Errorf("more than %d cells", maxCodeCells)
	errMuchText    = fmt.Errorf("more than %d bytes of text", maxCodeText)
)

// checkSize finds what so many rows of so many columns would take too much memory for.
func checkSize(rows, columns int) error {
	switch {
	case rows > maxCodeRows:
		return errManyRows
	case columns > maxCodeColumns:
		return errManyColumns
	case rows*columns > maxCodeCells:
		return errManyCells
	}
	return nil
}

func csvRows(content []byte) (columns []string, rows [][]string, err error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))))
	if columns, err = r.Read(); err != nil {
		return nil, nil, fmt.Errorf("header line: %w", err)
	}
	for {
		row, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return columns, rows, nil
		case err != nil:
			return nil, nil, err
		}
		if err := checkSize(len(rows)+1, len(columns)); err != nil {
			return nil, nil, err
		}
		rows = append(rows, row)
	}
}

func jsonRows(content []byte) (columns []string, rows [][]string, err error) {
	d := json.NewDecoder(bytes.NewReader(content))
	d.UseNumber()
	list := len(bytes.TrimSpace(content)) > 0 && bytes.TrimSpace(content)[0] == '['
	if list {
		if _, err := d.Token(); err != nil {
			return nil, nil, err
		}
	}
	var objects []map[string]any
	known := map[string]bool{}
	for {
		if list && !d.More() {
			if _, err := d.Token(); err != nil { // the end of the list
				return nil, nil, err
			}
			break
		}
		var o map[string]any
		if err := d.Decode(&o); errors.Is(err, io.EOF) && !list {
			break
		} else if err != nil {
			return nil, nil, fmt.Errorf("object %d: %w", len(objects)+1, err)
		}
		for name := range o {
			known[name] = true
		}
		if err := checkSize(len(objects)+1, len(known)); err != nil {
			return nil, nil, err
		}
		objects = append(objects, o)
	}
	columns = slices.Sorted(maps.Keys(known))
	for i, o := range objects {
		row := make([]string, len(columns))
		for j, name := range columns {
			if row[j], err = plainText(o[name]); err != nil {
				return nil, nil, fmt.Errorf("object %d: %s %w", i+1, name, err)
			}
		}
		rows = append(rows, row)
	}
	return columns, rows, nil
}

func plainText(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	}
	return "", errors.New("is an object or a list, and should be a single value")
}

func parquetRows(content []byte) (columns []string, rows [][]string, err error) {
	f, err := parquetlimit.OpenTable(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, nil, err
	}
	for _, field := range f.Schema().Fields() {
		if !field.Leaf() || field.Repeated() {
			return nil, nil, fmt.Errorf("column %s is an object or a list, and should be a single value", field.Name())
		}
		columns = append(columns, field.Name())
	}
	if err := checkSize(int(min(f.NumRows(), maxCodeRows+1)), len(columns)); err != nil {
		return nil, nil, err
	}
	table, cells, text := make([][]string, len(columns)), 0, 0
	err = parquetlimit.Values(f, func(column int, v parquet.Value) error {
		value := ""
		if !v.IsNull() {
			value = v.String()
		}
		table[column] = append(table[column], value)
		if cells++; cells > maxCodeCells {
			return errManyCells
		}
		if text += len(value); text > maxCodeText {
			return errMuchText
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if err := checkSize(cells/max(len(columns), 1), len(columns)); err != nil {
		return nil, nil, err
	}
	for i, values := range table {
		if len(values) != len(table[0]) {
			return nil, nil, fmt.Errorf("column %s has %d values, and the first one %d", columns[i], len(values), len(table[0]))
		}
		for j, value := range values {
			if i == 0 {
				rows = append(rows, make([]string, len(columns)))
			}
			rows[j][i] = value
		}
	}
	return columns, rows, nil
}
