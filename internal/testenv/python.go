package testenv

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"millrace/internal/testenv/install"
)

//go:embed query.py
var queryScript string

// Python is the path of an interpreter that has duckdb and pyarrow.
func Python(t testing.TB) string {
	t.Helper()
	return tool(t, install.Python)
}

// RunPython runs a script with arguments and returns what it prints; a script
// that ends with an error fails the test.
func RunPython(t testing.TB, script string, args ...string) []byte {
	t.Helper()
	return runPython(t, "", script, args...)
}

func runPython(t testing.TB, stdin, script string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), Python(t), append([]string{"-c", script}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("python: %v\n%s", err, stderr.Bytes())
	}
	return stdout
}

type queryResult struct {
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"`
}

func query(t testing.TB, sql string) queryResult {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(runPython(t, sql, queryScript)))
	decoder.UseNumber() // a float64 would round 64-bit integers
	var result queryResult
	if err := decoder.Decode(&result); err != nil {
		t.Fatalf("result of the query %s: %v", sql, err)
	}
	return result
}

// DuckDB runs SQL statements and returns the rows of the last one as text:
// NULL for null, true and false, instants as 2015-05-17T10:05:03.000Z.
// s3:// names reach the S3 server that the test has started.
func DuckDB(t testing.TB, sql string) [][]string {
	t.Helper()
	result := query(t, sql)
	rows := make([][]string, len(result.Rows))
	for i, row := range result.Rows {
		rows[i] = make([]string, len(row))
		for j, value := range row {
			if rows[i][j] = "NULL"; value != nil {
				rows[i][j] = fmt.Sprint(value)
			}
		}
	}
	return rows
}

// QueryInto runs SQL statements and decodes the rows of the last one into a
// pointer to a slice of structs, whose JSON names are the columns. A column
// that the struct lacks fails the test.
func QueryInto(t testing.TB, sql string, rows any) {
	t.Helper()
	result := query(t, sql)
	objects := make([]map[string]any, len(result.Rows))
	for i, row := range result.Rows {
		objects[i] = make(map[string]any, len(row))
		for j, value := range row {
			objects[i][result.Columns[j]] = value
		}
	}
	encoded, err := json.Marshal(objects)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(rows); err != nil {
		t.Fatalf("rows of the query %s: %v", sql, err)
	}
}
