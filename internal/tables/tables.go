// Package tables writes what makes the tables and indexes that outputs can go to, for
// whoever wants to make them by hand or to see them first.
package tables

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"millrace/io/opensearchio"
	"millrace/io/rowid"
	"millrace/schemas/ddl"
	"millrace/schemas/table"
)

// opensearch is the target that takes no SQL.
const opensearch = "opensearch"

// Targets lists what there are statements for.
func Targets() (names []string) {
	for _, t := range ddl.Targets() {
		names = append(names, string(t))
	}
	return append(names, opensearch)
}

// Place says what tables are called and where a lake lies.
type Place struct {
	Schema string // of the database; empty for none
	Lake   string // place of the lake, for Athena
}

// Statements is what makes the place for the rows of an output.
func Statements(target, output string, rows *table.Schema, at Place) (string, error) {
	if target == opensearch {
		return template(output, rows)
	}
	if !slices.Contains(ddl.Targets(), ddl.Target(target)) {
		return "", fmt.Errorf("there is no target %s; there are %s", target, strings.Join(Targets(), ", "))
	}
	key, err := rowid.Columns("", rows)
	if err != nil {
		return "", err
	}
	t := ddl.Table{Target: ddl.Target(target), Name: output, Rows: rows, Key: key}
	if at.Schema != "" {
		t.Name = at.Schema + "." + output
	}
	if t.Target == ddl.Athena {
		if !strings.HasPrefix(at.Lake, "s3://") {
			return "", fmt.Errorf("tables of Athena lie over a lake on S3; say where with --lake s3://BUCKET/PREFIX")
		}
		t.Folder = strings.TrimSuffix(at.Lake, "/") + "/" + output + "/"
	}
	var b strings.Builder
	for _, statement := range t.Create() {
		b.WriteString(statement + ";\n")
	}
	return b.String(), nil
}

// template is a call of OpenSearch's interface, as its console takes it.
func template(output string, rows *table.Schema) (string, error) {
	name, body, err := opensearchio.IndexTemplate("opensearch://localhost/"+strings.ReplaceAll(output, "_", "-")+"-{day}", rows)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	b.WriteString("PUT _index_template/" + name + "\n")
	if err := json.Indent(&b, body, "", "  "); err != nil {
		return "", err
	}
	return b.String() + "\n", nil
}
