package decode_test

import (
	"testing"

	"millrace/schemas/badrow"
	"millrace/transforms/decode"
)

func TestMembersAreFoundByTheirPlaces(t *testing.T) {
	m, err := decode.NewMembers([]string{"a", "b.c", "list.0.x", "list.1", "none"})
	if err != nil {
		t.Fatal(err)
	}
	skip, reason := m.Read([]byte(`{"a":"\u00e4","b":{"c":-1.5e3,"d":{}},"list":[{"x":true,"y":1},7,[1]],"other":null}`))
	if skip || reason != badrow.None {
		t.Fatal(skip, reason)
	}
	for i, want := range []string{"ä", "-1.5e3", "true", "7", ""} {
		if got := string(m.Text(i)); got != want {
			t.Errorf("member %d is %q, not %q", i, got, want)
		}
	}
	for _, places := range [][]string{{"a", "a"}, {"a..b"}, {""}, make([]string, decode.MostMembers+1)} {
		if _, err := decode.NewMembers(places); err == nil {
			t.Errorf("%q are places", places)
		}
	}
}

func TestTimesAreReadInManyWays(t *testing.T) {
	var times decode.Times
	for text, want := range map[string]int64{"2026-03-01T10:00:00.25+01:00": 1772355600250, "1772355600": 1772355600000, "1772355600.5": 1772355600500, "1772355600250": 1772355600250} {
		if got, ok := times.Read([]byte(text)); !ok || got != want {
			t.Errorf("%s is %d (%v), not %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "yesterday", "2026-03-01", "1", "1990-01-01T00:00:00Z"} {
		if ms, ok := times.Read([]byte(text)); ok {
			t.Errorf("%q is %d", text, ms)
		}
	}
}
