package timeseries

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"millrace/internal/mutate"
	"millrace/schemas/table"
)

type textRow struct {
	At   table.Millis `col:"at,sort1,day" doc:"a time"`
	Name *string      `col:"name,null,sort2" mask:"none" doc:"a text"`
	N    *int32       `col:"n,null" doc:"a number"`
	ID   table.ID     `col:"id" doc:"an id"`
	On   table.Day    `col:"on" doc:"a day"`
	Blob []byte       `col:"blob" mask:"sealed" doc:"bytes"`
	Yes  bool         `col:"yes" doc:"a truth"`
	F    float64      `col:"f" doc:"a number"`
}

var textRows = table.MustOf[textRow]("timeseries.text", 1)

func TestValuesAsText(t *testing.T) {
	b, n, name := table.NewBatch(textRows), int32(-7), "a, b=c"
	b.Append(textRow{At: 1_741_003_200_007, Name: &name, N: &n, ID: table.ID{15: 1}, On: 1, Blob: []byte{1, 2, 3, 4}, Yes: true, F: 0.5})
	for col, want := range []string{"2025-03-03T12:00:00.007Z", name, "-7", "00000000-0000-0000-0000-000000000001", "1970-01-02", "AQIDBA==", "true", "0.5"} {
		if got := string(AppendPlain([]byte("x"), b, col, 0)); got != "x"+want {
			t.Errorf("column %d is %q, want %q", col, got, want)
		}
	}
	b.Append(textRow{})
	if text, ok := AppendDimension([]byte("x"), b, 1, 1); ok || string(text) != "x" {
		t.Errorf("null is %q, %t", text, ok)
	}
}

func FuzzDimension(tf *testing.F) {
	f := mutate.Of(tf)
	for _, pair := range [][2]string{{"", "~"}, {"~", "~7e"}, {"\n", "~0a"}, {"a\\", "a~5c"}, {"", "\x00"}, {"naïve", "日本語"}, {"\x7f", "~7f"}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := appendEscaped(nil, []byte(a)), appendEscaped(nil, []byte(b))
		if bytes.Equal(x, y) != (a == b) {
			t.Errorf("%q and %q are %q and %q", a, b, x, y)
		}
		if len(x) == 0 || bytes.ContainsFunc(x, func(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f }) || utf8.ValidString(a) != utf8.Valid(x) {
			t.Errorf("%q is %q", a, x)
		}
	})
}
