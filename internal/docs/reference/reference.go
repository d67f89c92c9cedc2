// Package reference writes docs/reference from the catalogues: jobs with their
// outputs and settings, endpoints, and what the program says of itself. It takes
// all of that as data, so that it is tested without Beam; the command above it
// collects the data.
package reference

import (
	"bytes"
	"fmt"
	"strings"

	"millrace/internal/settings"
	"millrace/io/driver"
	"millrace/schemas/table"
)

// Data is everything the reference is made of. Nothing in it is sorted here: the
// order of the catalogues is the order of the pages.
type Data struct {
	Jobs      []Job
	Endpoints []Endpoint
	Commands  []Command
}

// Job is a job of the catalogue.
type Job struct {
	Name, Doc string
	Outputs   []Output
	Settings  []settings.Setting
}

// Output is one output of a job.
type Output struct {
	Name, Doc string
	Schema    *table.Schema
}

// Endpoint is a kind of source or sink.
type Endpoint struct {
	Scheme, Doc, Example string
	Parameters           []driver.Parameter
}

// Command is a verb, "millrace run", and its help text.
type Command struct{ Name, Help string }

// Pages renders every page, by file name.
func Pages(d Data) map[string][]byte {
	return map[string][]byte{
		"outputs.md":   outputs(d.Jobs),
		"settings.md":  jobSettings(d.Jobs),
		"endpoints.md": endpoints(d.Endpoints),
		"cli.md":       commands(d.Commands),
	}
}

// page is a Markdown text under construction.
type page struct{ bytes.Buffer }

func newPage(title, lead string) *page {
	p := &page{}
	p.add("<!-- Written by `make docs` from the sources; change those. -->\n\n# %s\n\n%s\n", title, lead)
	return p
}

func (p *page) add(format string, a ...any) { fmt.Fprintf(&p.Buffer, format, a...) }

// row adds a row of a table. A bar would end its cell, a bracket begin a tag.
func (p *page) row(cells ...string) {
	for _, cell := range cells {
		p.add("| %s ", strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(cell))
	}
	p.add("|\n")
}

// header begins a table.
func (p *page) header(cells ...string) {
	p.add("\n")
	p.row(cells...)
	p.add("|%s\n", strings.Repeat(" --- |", len(cells)))
}

// code marks words of the program; nothing stays nothing.
func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}
