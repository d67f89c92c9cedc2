// Command docs writes the reference in docs/reference from the catalogues of
// jobs and endpoints and from the help of the program; with -check it says
// instead what is out of date. It is run in the module's folder.
package main

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"millrace/internal/docs/reference"
	"millrace/internal/settings"
	"millrace/io/endpoint"
	"millrace/jobs"
)

func main() {
	check := flag.Bool("check", false, "compare with what is there and write nothing")
	dir := flag.String("dir", filepath.Join("docs", "reference"), "folder of the reference")
	flag.Parse()
	if err := write(*dir, *check); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(dir string, check bool) error {
	commands, err := help()
	if err != nil {
		return err
	}
	pages := reference.Pages(reference.Data{Jobs: catalogue(), Endpoints: kinds(), Commands: commands})
	if check {
		return reference.Check(dir, pages)
	}
	return reference.Write(dir, pages)
}

func catalogue() []reference.Job {
	var list []reference.Job
	for _, j := range jobs.Catalogue {
		job := reference.Job{Name: j.Name, Doc: j.Doc, Settings: settings.Describe(j.NewSettings())}
		for _, o := range j.Outputs {
			job.Outputs = append(job.Outputs, reference.Output{Name: o.Name, Doc: o.Doc, Schema: o.Schema})
		}
		list = append(list, job)
	}
	return list
}

func kinds() []reference.Endpoint {
	var list []reference.Endpoint
	for _, scheme := range slices.Sorted(maps.Keys(endpoint.Kinds)) {
		k := endpoint.Kinds[scheme]
		list = append(list, reference.Endpoint{Scheme: scheme, Doc: k.Doc, Example: k.Example, Parameters: k.Parameters})
	}
	return list
}

// help builds the program and lets it speak.
func help() (commands []reference.Command, err error) {
	dir, err := os.MkdirTemp("", "millrace-docs-")
	if err != nil {
		return nil, fmt.Errorf("building millrace: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	program := filepath.Join(dir, "millrace")
	build := exec.Command("go", "build", "-o", program, "./cmd/millrace")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("building millrace: %w", err)
	}
	return reference.Commands("millrace", func(args ...string) (string, error) {
		text, err := exec.Command(program, append(args, "--help")...).Output() //nolint:gosec // it was built here
		return string(text), err
	})
}
