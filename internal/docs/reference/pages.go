package reference

import (
	"strings"

	"millrace/schemas/table"
)

// types explains the types of columns, in the order of table's kinds.
var types = []struct{ name, doc string }{
	{"string", "UTF-8 text"},
	{"int32", "32-bit whole number"},
	{"int64", "64-bit whole number"},
	{"float64", "64-bit floating point number"},
	{"bool", "true or false"},
	{"timestamp", "point in time, UTC, in milliseconds"},
	{"date", "calendar day, UTC"},
	{"uuid", "16 bytes"},
	{"bytes", "any bytes"},
}

func outputs(jobs []Job) []byte {
	p := newPage("Outputs", "Every output of every job, column by column. Under a lake an output `NAME` is the files\n"+
		"`NAME/year=YYYY/month=MM/day=DD/*.parquet`; `--output NAME=URL` sends it elsewhere. A schema's\n"+
		"version grows with every change that readers of older rows would not survive.")
	for _, j := range jobs {
		p.add("\n## %s\n\n%s\n", j.Name, sentence(j.Doc))
		for _, o := range j.Outputs {
			p.add("\n### %s: %s\n\n%s Schema `%s`; a row's day is that of %s, rows are ordered by %s.\n",
				j.Name, o.Name, sentence(o.Doc), o.Schema.ID(), code(o.Schema.Columns[o.Schema.DayBy].Name), order(o.Schema))
			p.header("column", "type", "null", "mask class", "ECS name", "meaning")
			for _, c := range o.Schema.Columns {
				p.row(code(c.Name), c.Type, yes(c.Null), string(c.Mask), code(c.ECS), c.Doc)
			}
		}
	}
	p.add("\n## Types\n")
	p.header("type", "values")
	for _, t := range types {
		p.row(t.name, t.doc)
	}
	p.add("\n## Mask classes\n\nWhat was done to a text so that it may be stored.\n")
	p.header("class", "text is")
	for _, m := range table.MaskClasses() {
		p.row(string(m), m.Doc())
	}
	return p.Bytes()
}

func order(s *table.Schema) string {
	var names []string
	for _, col := range s.Order {
		names = append(names, code(s.Columns[col].Name))
	}
	return strings.Join(names, ", ")
}

func jobSettings(jobs []Job) []byte {
	p := newPage("Settings", "The settings of each job: `--set NAME=VALUE`, or `settings:` in the YAML file of `--config`.\n"+
		"Durations are written as `90s`, `30m` or `1h30m`.")
	for _, j := range jobs {
		p.add("\n## %s\n\n%s\n", j.Name, sentence(j.Doc))
		p.header("setting", "type", "default", "meaning")
		for _, s := range j.Settings {
			p.row(code(s.Name), s.Type, code(s.Default), s.Doc)
		}
	}
	return p.Bytes()
}

func endpoints(list []Endpoint) []byte {
	p := newPage("Endpoints", "Where data comes from and goes to. A place is a URL or a plain path; parameters follow a question\n"+
		"mark, `URL?name=value&name=value`, and an unknown one is an error. Sizes are written as `65536`,\n"+
		"`64KiB`, `16MiB` or `1GiB`. A URL never holds a credential: those come from the AWS credential chain\n"+
		"or the environment, where `AWS_ENDPOINT_URL_<SERVICE>` names another server.")
	for _, e := range list {
		p.add("\n## %s\n\n%s\n\n    %s\n", e.Scheme, sentence(e.Doc), e.Example)
		if len(e.Parameters) == 0 {
			continue
		}
		p.header("parameter", "of", "values", "default", "meaning")
		for _, q := range e.Parameters {
			var of []string
			if q.Source {
				of = append(of, "source")
			}
			if q.Sink {
				of = append(of, "sink")
			}
			p.row(code(q.Name), strings.Join(of, ", "), q.Type, code(q.Default), q.Doc)
		}
	}
	return p.Bytes()
}

func commands(list []Command) []byte {
	p := newPage("Command line", "What each verb says of itself with `--help`.")
	for _, c := range list {
		p.add("\n## %s\n\n```text\n%s\n```\n", c.Name, strings.TrimSpace(c.Help))
	}
	return p.Bytes()
}

// sentence makes one of words that begin small and end without a full stop.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
