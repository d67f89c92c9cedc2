package rowjson

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"millrace/schemas/table"
)

type everything struct {
	ID     table.ID     `col:"id" doc:"an id"`
	At     table.Millis `col:"at,sort1,day" doc:"a time"`
	Text   string       `col:"text" mask:"none" doc:"a text"`
	Small  int32        `col:"small" doc:"a number"`
	Large  int64        `col:"large" doc:"a number"`
	Ratio  float64      `col:"ratio" doc:"a number"`
	Yes    bool         `col:"yes" doc:"a truth"`
	On     table.Day    `col:"on" doc:"a day"`
	Sealed []byte       `col:"sealed" mask:"sealed" doc:"bytes"`
}

func TestValuesOfEachKind(t *testing.T) {
	schema, err := table.Of(reflect.TypeFor[everything](), "rowjson.everything", 1)
	if err != nil {
		t.Fatal(err)
	}
	b := table.NewBatch(schema)
	b.Append(everything{
		ID: table.ID{0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x52, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0x00},
		At: 1_741_000_000_007, Text: "a \"quoted\" \\ <naïve> 日本\n\x01", Small: -7, Large: math.MaxInt64, Ratio: 0.1, Yes: true, On: -1, Sealed: []byte{0, 255},
	})
	b.Append(everything{Ratio: math.NaN()})
	b.Append(everything{Ratio: math.Inf(1)})
	b.Append(everything{Ratio: math.Inf(-1)})
	for col, want := range []string{
		`"123e4567-e89b-52d3-a456-426614174000"`, `"2025-03-03T11:06:40.007Z"`, `"a \"quoted\" \\ <naïve> 日本\n\u0001"`,
		"-7", "9223372036854775807", "0.1", "true", `"1969-12-31"`, `"AP8="`,
	} {
		if got := string(AppendValue(nil, b, col, 0)); got != want {
			t.Errorf("column %s is %s, want %s", schema.Columns[col].Name, got, want)
		}
	}
	for col, want := range []string{
		"123e4567-e89b-52d3-a456-426614174000", "2025-03-03T11:06:40.007Z", "a \"quoted\" \\ <naïve> 日本\n\x01", "-7", "9223372036854775807", "0.1", "true", "1969-12-31", "AP8=",
	} {
		if got := string(AppendText(nil, b, col, 0)); got != want {
			t.Errorf("column %s is the text %s, want %s", schema.Columns[col].Name, got, want)
		}
	}
	for i, want := range []string{`"NaN"`, `"Infinity"`, `"-Infinity"`} {
		if got := string(AppendValue(nil, b, 5, i+1)); got != want {
			t.Errorf("the float is %s, want %s", got, want)
		}
	}
}

// Whatever the text, a JSON reader gets it back.
func TestTextsSurviveJSON(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 4))
	for range 5000 {
		text := make([]byte, rng.IntN(12))
		for i := range text {
			if text[i] = byte(rng.Uint32()); rng.IntN(2) == 0 {
				text[i] &= 0x3f
			}
		}
		if rng.IntN(3) == 0 {
			text = []byte(string([]rune{rng.Int32N(0x11_0000), '"', rng.Int32N(0x3000)}))
		}
		var got string
		quoted := AppendString(nil, text)
		if err := json.Unmarshal(quoted, &got); err != nil {
			t.Fatalf("%q is written %s: %v", text, quoted, err)
		}
		if want := string([]rune(string(text))); got != want {
			t.Fatalf("%q is written %s and read as %q", text, quoted, got)
		}
	}
}

// Times are those of package time, also far away.
func TestTimesAreThoseOfTheStandardLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 4))
	for i := range 5000 {
		ms := rng.Int64N(8e13) - 4e13
		if i%5 == 0 {
			ms = rng.Int64N(8e15) - 4e15
		}
		at := time.UnixMilli(ms).UTC()
		if got, want := string(AppendTime(nil, ms)), at.Format("2006-01-02T15:04:05.000Z"); got != want {
			t.Fatalf("%d is written %s, want %s", ms, got, want)
		}
		if got, want := string(AppendDay(nil, table.FloorDay(ms))), at.Format(time.DateOnly); got != want {
			t.Fatalf("the day of %d is written %s, want %s", ms, got, want)
		}
	}
}
