package maskpolicy

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"millrace/schemas/pii"
	"millrace/schemas/table"
	"millrace/transforms/mask"
)

// maxLine is the longest line that Mask reads.
const maxLine = 4 << 20

// Mask reads lines and writes them masked: a line that is a JSON object by its
// fields, any other as free text. It returns how many lines of each there were.
func Mask(w io.Writer, r io.Reader, p mask.Policy, keyID string, key [32]byte) (events, texts int, err error) {
	events, texts = 0, 0
	objects, text := mask.NewJSON(p, keyID, key), mask.New(keyID, key, p.Options())
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	var out []byte
	to := bufio.NewWriter(w)
	for lines.Scan() {
		out = out[:0]
		line := pii.Of(lines.Bytes())
		if b := bytes.TrimSpace(lines.Bytes()); len(b) > 0 && b[0] == '{' {
			if out, err = objects.Append(out, line); err == nil {
				events++
			}
		}
		if len(out) == 0 && lines.Text() != "" {
			out = text.AppendMasked(out, line, mask.FreeText)
			texts++
		}
		if _, err := to.Write(append(out, '\n')); err != nil {
			return events, texts, fmt.Errorf("writing masked lines: %w", err)
		}
	}
	err = lines.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		err = fmt.Errorf("line %d is longer than %d MiB: split it", events+texts+1, maxLine>>20)
	}
	if err != nil {
		return events, texts, fmt.Errorf("reading lines to mask: %w", err)
	}
	return events, texts, to.Flush()
}

// Output is an output of a job, with its schema.
type Output struct {
	Name   string
	Schema *table.Schema
}

// ShowOutputs lists every column of a job's outputs with its mask class and what
// was done to it.
func ShowOutputs(w io.Writer, outputs []Output) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprint(tw, "column\tclass\tmethod\n")
	for _, o := range outputs {
		for _, c := range o.Schema.Columns {
			class, method := string(c.Mask), c.Mask.Doc()
			if class == "" {
				class, method = "-", "no text"
			}
			fmt.Fprintf(tw, "%s.%s\t%s\t%s\n", o.Name, c.Name, class, method)
		}
	}
	return tw.Flush()
}

// ShowFields lists the fields of a job's output that a policy can set, with the class and
// the method that each gets.
func ShowFields(w io.Writer, output string, fields mask.Fields, p mask.Policy) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprint(tw, "column\tclass\tmethod\n")
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		class, method := p.RowMethod(name, fields[name])
		fmt.Fprintf(tw, "%s.%s\t%s\t%s\n", output, name, class, method)
	}
	return tw.Flush()
}

// Show lists every field of a policy with its class and method, and what becomes
// of the rest.
func Show(w io.Writer, p mask.Policy) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprint(tw, "field\tclass\tmethod\n")
	for _, path := range slices.Sorted(maps.Keys(p.Fields)) {
		r := p.Fields[path]
		fmt.Fprintf(tw, "%s\t%s\t%s\n", path, r.Class, p.Method(r))
	}
	unknown := p.Unknown
	if unknown == "" {
		unknown = mask.Drop
	}
	fmt.Fprintf(tw, "any other\t-\t%s\n\n", unknown)
	fmt.Fprint(tw, "finding in text\t\tmethod\n")
	types := p.Types
	if types == nil {
		types = mask.AllTypes()
	}
	for _, t := range types {
		method, ok := p.Findings[t]
		if !ok {
			method = mask.DefaultMethod(t)
		}
		fmt.Fprintf(tw, "%s\t\t%s\n", t, method)
	}
	return tw.Flush()
}
