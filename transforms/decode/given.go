package decode

import (
	"errors"
	"fmt"
	"strings"

	"millrace/internal/nearest"
)

// Given reads a format as a person writes it: the text of a Spec, or where the
// name calls for more than a word a file with it:
//
//	json@mapping.yaml      a mapping file, see ParseMapping
//	nginx@FILE             the log_format of a configuration, or its text alone
//	nginx@FILE#NAME        the one of that name among several
//
// read gives the content of a file. What is returned needs no file any more, and
// opens.
func Given(text string, read func(file string) ([]byte, error)) (Spec, error) {
	text = strings.TrimSpace(text)
	name, file, inFile := strings.Cut(text, "@")
	inFile = inFile && !strings.ContainsAny(name, " \t")
	if !inFile {
		name, _, _ = strings.Cut(text, " ")
	}
	var spec Spec
	var err error
	switch {
	case inFile && name == "json":
		spec, err = givenMapping(file, read)
	case inFile && name == "nginx":
		spec, err = givenLogFormat(file, read)
	case inFile:
		err = fmt.Errorf("reading log format %q: only json and nginx take a file", text)
	default:
		if spec, err = ParseSpec(text); err != nil {
			if near := nearest.Name(name, SpecNames()); near != "" {
				err = fmt.Errorf("%w; did you mean %s?", err, near)
			}
		}
	}
	if err == nil {
		err = spec.needs()
	}
	if err == nil {
		_, err = spec.Open()
	}
	if err != nil {
		return Spec{}, err
	}
	return spec, nil
}

// needs tells what a name calls for and does not have.
func (s Spec) needs() error {
	switch {
	case s.Rest == "" && s.Name == "json":
		return errors.New("reading log format json: which member is which? Write json@mapping.yaml and in that file lines such as \"@timestamp\": time (docs/formats.md)")
	case s.Rest == "" && s.Name == "nginx":
		return errors.New("reading log format nginx: by which log_format? Write nginx@/etc/nginx/nginx.conf, or nginx and its text; nginx's own default is combined")
	case s.Rest != "" && (s.Name == "alb" || s.Name == "apigateway" || isApache(s.Name)):
		return fmt.Errorf("reading log format %q: %s takes nothing behind its name", s, s.Name)
	}
	return nil
}

func isApache(name string) bool {
	_, err := ParseFormat(name)
	return err == nil
}

func givenMapping(file string, read func(string) ([]byte, error)) (Spec, error) {
	content, err := read(file)
	if err != nil {
		return Spec{}, fmt.Errorf("reading the mapping of log format json: %w", err)
	}
	m, err := ParseMapping(file, content)
	return Spec{"json", m.String()}, err
}

func givenLogFormat(file string, read func(string) ([]byte, error)) (Spec, error) {
	file, name, _ := strings.Cut(file, "#")
	content, err := read(file)
	if err != nil {
		return Spec{}, fmt.Errorf("reading the log_format of log format nginx: %w", err)
	}
	text, err := findLogFormat(file, string(content), name)
	return Spec{"nginx", text}, err
}
