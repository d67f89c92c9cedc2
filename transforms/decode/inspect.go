package decode

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"millrace/schemas/badrow"
)

// Inspected is what the beginning of a file tells of it.
type Inspected struct {
	Spec Spec   // empty when nobody can tell
	Near int64  // time of the first record that has one, in Unix milliseconds; 0 for none
	Note string // what a person should know; mostly empty
}

// Inspect finds the format of a file by its first bytes (64 KiB count): the given
// one, completed by the file's own header, or else the one that DetectSpec finds.
// It refuses a file that is plainly in another format than the given one, and
// network flows where nobody asked for them.
func Inspect(head []byte, given Spec) (Inspected, error) {
	found := DetectSpec(head)
	spec := given
	switch {
	case given.Name == "" && found.Name == "vpcflow":
		return Inspected{}, fmt.Errorf("it holds network flows (a VPC flow log), which are no web requests; leave it out of the source, or give format vpcflow to have its flows as events without method and path")
	case given.Name == "" || given.Rest == "" && given.Name == found.Name:
		spec = found // with the fields of its header
	}
	if spec.Name == "" {
		i := Inspected{Near: firstTime(head, EventTime)}
		if beginsWithObject(head) {
			i.Note = "its lines are JSON objects; --format json@mapping.yaml says what their members mean (docs/formats.md)"
		}
		return i, nil
	}
	d, err := spec.Open()
	if err != nil {
		return Inspected{}, err
	}
	i := Inspected{Spec: spec, Near: firstTime(head, d.EventTime)}
	if given.Name == "" || isApache(given.Name) && (found.Name == "" || isApache(found.Name)) {
		return i, nil
	}
	tried, reasons := beginning(head, d)
	if tried == 0 || reasons == nil {
		return i, nil
	}
	if found.Name != "" && found.Name != given.Name {
		return i, fmt.Errorf("none of its first %d lines is in format %s, and they look like %s; leave the format out to have each file's detected, or give that one", tried, given.Name, found.Name)
	}
	i.Note = fmt.Sprintf("none of the first %d lines can be read in format %s (%s); is it the right one?", tried, given.Name, strings.Join(reasons, ", "))
	return i, nil
}

// beginsWithObject tells whether the first line is a JSON object.
func beginsWithObject(head []byte) bool {
	lines := NewLines(whole(head), 0)
	line, _, _ := lines.Next()
	skip, reason := NewJSONLines(nil).fields(line)
	return !skip && reason == badrow.None
}

// beginning reads the first lines of a file: how many there are besides headers
// and, where none makes an event, why not.
func beginning(head []byte, d Decoder) (tried int, reasons []string) {
	var log AccessLog
	counts := map[badrow.Reason]int{}
	for lines := NewLines(whole(head), 0); tried < maxVotes; {
		line, _, ok := lines.Next()
		if !ok {
			break
		}
		skip, reason := d.Decode(line, &log)
		if skip {
			continue
		}
		if reason == badrow.None {
			return tried + 1, nil
		}
		tried++
		counts[reason]++
	}
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		reasons = append(reasons, fmt.Sprintf("%s: %d", reason, counts[reason]))
	}
	return tried, reasons
}

func firstTime(head []byte, eventTime func([]byte) (int64, bool)) int64 {
	lines := NewLines(head, 0)
	for line, _, ok := lines.Next(); ok; line, _, ok = lines.Next() {
		if ms, ok := eventTime(line); ok {
			return ms
		}
	}
	return 0
}
