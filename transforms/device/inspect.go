package device

import (
	"bytes"
	"fmt"
	"strings"

	"millrace/schemas/badrow"
	"millrace/transforms/decode"
)

// Inspect tells the format of a file by its first bytes, given one that a user named,
// or the zero Spec: of csv with the file's header. near is the time of the first
// record that can be read, 0 for none; note is what a person should know.
func Inspect(head []byte, given Spec) (s Spec, near int64, note string, err error) {
	if i := bytes.LastIndexByte(head, '\n'); i >= 0 {
		head = head[:i+1] // the last line may go on
	}
	first, _, _ := bytes.Cut(decode.TrimMark(head), []byte{'\n'})
	first = bytes.TrimSuffix(first, []byte{'\r'})
	s = given
	if s.Name == "" {
		s, _ = ParseSpec(detect(first))
	}
	if s.Name == CSV && s.Header == "" {
		if s.Header = string(first); len(s.String()) > maxSpec || strings.Contains(s.Header, " | ") {
			return s, 0, "", fmt.Errorf("format csv: its header line is too long or has a bar in it")
		}
	}
	d, err := s.Open()
	if err != nil {
		return s, 0, "", err
	}
	var r Record
	tried := 0
	for line := range bytes.Lines(head) {
		skip, reason := d.Decode(bytes.TrimRight(line, "\r\n"), &r)
		if skip {
			continue
		}
		if reason == badrow.None {
			return s, r.Time, "", nil
		}
		if tried++; tried == 100 {
			break
		}
	}
	if tried > 0 {
		note = fmt.Sprintf("none of the first %d lines can be read in format %s; is it the right one?", tried, s.Name)
	}
	return s, 0, note, nil
}

// detect tells a format by a first line.
func detect(line []byte) string {
	switch {
	case !bytes.HasPrefix(line, []byte("{")):
		return CSV
	case bytes.Contains(line, []byte(`"resourceType"`)):
		return FHIR
	}
	return JSON
}
