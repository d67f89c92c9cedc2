package decode

import (
	"fmt"
	"slices"
	"strings"

	"millrace/schemas/badrow"
)

// Members finds members of JSON objects by their places: names joined by dots, and
// numbers from 0 for what lies in a list. Others are passed over without being kept. It
// belongs to one goroutine.
type Members struct{ d JSONLines }

// MostMembers is how many places there can be.
const MostMembers = int(numFields) - 1

// NewMembers looks for the members at the places. Neither may a place stand there twice.
func NewMembers(places []string) (*Members, error) {
	if len(places) > MostMembers {
		return nil, fmt.Errorf("finding members of JSON objects: %d places, and %d are possible", len(places), MostMembers)
	}
	m := &Members{}
	for i, place := range places {
		names := strings.Split(place, ".")
		if slices.Contains(names, "") {
			return nil, fmt.Errorf("finding members of JSON objects: %q is no way to a member; write names joined by dots", place)
		}
		n := m.d.root.reach(names)
		if n.field != fieldNone {
			return nil, fmt.Errorf("finding members of JSON objects: %q stands there twice", place)
		}
		n.field = field(i + 1)
	}
	return m, nil
}

// Read reads a line. skip tells of an empty one.
func (m *Members) Read(line []byte) (skip bool, reason badrow.Reason) { return m.d.fields(line) }

// Text is the member at a place, by its number: the content of a text, or a number,
// true or false as it stands there. It is empty for null, "-", an object, a list, and
// nothing, and valid until the next line.
func (m *Members) Text(i int) []byte { return m.d.raw[i+1] }

// Times reads times in many ways: ISO 8601 with an offset, or Unix time in seconds
// with or without a fraction up to eleven digits, in milliseconds above. It belongs to
// one goroutine.
type Times struct{ day dayClock }

// Read gives Unix milliseconds. What is before 1995 is no time.
func (t *Times) Read(text []byte) (ms int64, ok bool) {
	ms, ok = t.day.any(text)
	return ms, ok && ms >= earliest
}
