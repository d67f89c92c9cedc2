package kinesisio

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"millrace/io/driver"
	"millrace/schemas/table"
)

// everything has a column of each kind.
type everything struct {
	ID     table.ID     `col:"id" doc:"an id"`
	At     table.Millis `col:"at,sort1,day" doc:"a time"`
	Text   *string      `col:"text,null" mask:"none" doc:"a text"`
	Small  *int32       `col:"small,null" doc:"a number"`
	Large  *int64       `col:"large,null" doc:"a number"`
	Ratio  *float64     `col:"ratio,null" doc:"a number"`
	Yes    *bool        `col:"yes,null" doc:"a truth"`
	On     *table.Day   `col:"on,null" doc:"a day"`
	Other  *table.ID    `col:"other,null" doc:"another id"`
	Sealed *[]byte      `col:"sealed,null" mask:"sealed" doc:"bytes"`
}

var everythings = table.MustOf[everything]("kinesisio.everything", 1)

// versioned is a row that others overwrite.
type versioned struct {
	At      table.Millis `col:"at,sort1,day" doc:"a time"`
	Version int64        `col:"version" doc:"the greatest counts"`
}

var versions = table.MustOf[versioned]("kinesisio.versioned", 1)

func pointer[T any](v T) *T { return &v }

var fullRow = everything{
	ID:   table.ID{0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x52, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0x00},
	At:   1_741_000_000_007,
	Text: pointer("a \"quoted\" \\ <naïve> 日本\n\x01"), Small: pointer(int32(-7)), Large: pointer(int64(math.MaxInt64)), Ratio: pointer(0.1), Yes: pointer(true),
	On: pointer(table.Day(-1)), Other: pointer(table.ID{}), Sealed: pointer([]byte{0, 255}),
}

func batchOf(rows ...any) *table.Batch {
	b := table.NewBatch(everythings)
	for _, row := range rows {
		b.Append(row)
	}
	return b
}

func TestRowsBecomeDocuments(t *testing.T) {
	b := batchOf(fullRow, everything{At: -1}, everything{Ratio: pointer(math.NaN()), Text: pointer("")}, everything{Ratio: pointer(math.Inf(-1))}, everything{Ratio: pointer(1e300)})
	d := newDocument(everythings)
	const nobody, epoch = `{"id":"00000000-0000-0000-0000-000000000000",`, `"at":"1970-01-01T00:00:00.000Z"`
	for row, want := range []string{
		`{"id":"123e4567-e89b-52d3-a456-426614174000","at":"2025-03-03T11:06:40.007Z","text":"a \"quoted\" \\ <naïve> 日本\n\u0001","small":-7,"large":9223372036854775807,"ratio":0.1,"yes":true,"on":"1969-12-31","other":"00000000-0000-0000-0000-000000000000","sealed":"AP8="}`,
		nobody + `"at":"1969-12-31T23:59:59.999Z"}`,
		nobody + epoch + `,"text":"","ratio":"NaN"}`,
		nobody + epoch + `,"ratio":"-Infinity"}`,
		nobody + epoch + `,"ratio":1e+300}`,
	} {
		got := d.append(nil, &table.Rows{Batch: b}, row)
		if string(got) != want {
			t.Errorf("row %d is\n%s, want\n%s", row, got, want)
		}
		if !json.Valid(got) {
			t.Errorf("row %d is no JSON: %s", row, got)
		}
	}
	marked := newDocument(versions)
	v := table.NewBatch(versions)
	v.Append(versioned{At: 1, Version: 2 << 32})
	for kind, want := range map[table.RowKind]string{
		table.Sealed:      `{"_op":"upsert","_version":8589934592,"_sealed":true,"at":`,
		table.Provisional: `{"_op":"upsert","_version":8589934592,"_sealed":false,"at":`,
		table.Withdrawn:   `{"_op":"withdraw","_version":8589934592,"_sealed":true,"at":`,
	} {
		if got := string(marked.append(nil, &table.Rows{Batch: v, Kind: kind}, 0)); !strings.HasPrefix(got, want) {
			t.Errorf("%v gives %s, want %s...", kind, got, want)
		}
	}
}

func TestKeysFollowTheirExpression(t *testing.T) {
	b := batchOf(fullRow, everything{At: -1})
	for expression, want := range map[string][2]string{
		"":                  {"123e4567-e89b-52d3-a456-426614174000", "00000000-0000-0000-0000-000000000000"},
		"large":             {"9223372036854775807", "-"},
		"{large}":           {"9223372036854775807", "-"},
		"x{small}/{day}":    {"x-7/2025-03-03", "x/1969-12-31"},
		"{on}{at}z":         {"1969-12-312025-03-03T11:06:40.007Zz", "1969-12-31T23:59:59.999Zz"},
		"{yes}:{ratio}":     {"true:0.1", ":"},
		"{sealed}":          {"AP8=", "-"},
		"{day}{day} {text}": {"2025-03-032025-03-03 a \"quoted\" \\ <naïve> 日本\n\x01", "1969-12-311969-12-31 "},
	} {
		key, err := parseKey(expression, everythings)
		if err != nil {
			t.Errorf("key=%s: %v", expression, err)
			continue
		}
		for row := range want {
			if got := partitionKey(key.append(nil, b, row)); got != want[row] {
				t.Errorf("key=%s of row %d is %q, want %q", expression, row, got, want[row])
			}
		}
	}
	for expression, part := range map[string]string{
		"larg": "did you mean large?", "{nothing_like_it}": "it has id, at, text", "{at": "do not pair", "at}": "do not pair", "{{at}}": "do not pair",
		"{}": "no column", "{at}}": "do not pair",
	} {
		if _, err := parseKey(expression, everythings); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("key=%s gives %v", expression, err)
		}
	}
	for n, want := range map[int]int{256: 256, 257: 64} {
		if got := partitionKey([]byte(strings.Repeat("x", n))); len(got) != want {
			t.Errorf("a text of %d gives a key of %d", n, len(got))
		}
	}
	if got := partitionKey([]byte(strings.Repeat("é", 256))); got != strings.Repeat("é", 256) {
		t.Errorf("256 characters give %q", got)
	}
}

func TestTheDefaultKeyIsWhatIdentifiesRows(t *testing.T) {
	type hourly struct {
		At    table.Millis `col:"window_start,sort1,day" doc:"a time"`
		Rank  int32        `col:"rank,sort2" doc:"a number"`
		Views int64        `col:"views" doc:"a number"`
	}
	type visit struct {
		At      table.Millis `col:"start_time,sort1,day" doc:"a time"`
		Session string       `col:"session_id" mask:"hash" doc:"an id"`
	}
	hours, visits := table.MustOf[hourly]("kinesisio.hourly", 1), table.MustOf[visit]("kinesisio.visit", 1)
	b := table.NewBatch(hours)
	b.Append(hourly{At: 1, Rank: 2, Views: 3})
	if got := string(defaultKey(hours).append(nil, b, 0)); got != "1970-01-01T00:00:00.001Z/2" {
		t.Errorf("the key is %s", got)
	}
	b = table.NewBatch(visits)
	b.Append(visit{At: 1, Session: "s"})
	if got := string(defaultKey(visits).append(nil, b, 0)); got != "s" {
		t.Errorf("the key is %s", got)
	}
}

func TestASinkPutsItsRows(t *testing.T) {
	s := newPutServer(2)
	s.serve(t)
	sink, err := Open(t.Context(), "kinesis://rows?key=large&aggregate=true", everythings, driver.SinkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var rows []any
	want := map[string][]string{}
	for i := range 500 {
		rows = append(rows, everything{At: table.Millis(i), Large: pointer(int64(i % 7))})
		key := fmt.Sprint(i % 7)
		want[key] = append(want[key], time.UnixMilli(int64(i)).UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	if err := sink.Write(t.Context(), table.Rows{Batch: batchOf(rows...)}); err != nil {
		t.Fatal(err)
	}
	if err := sink.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, r := range s.read(t) {
		var d struct{ At string }
		if err := json.Unmarshal([]byte(r.data), &d); err != nil {
			t.Fatalf("%s: %v", r.data, err)
		}
		got[r.key] = append(got[r.key], d.At)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-written +read):\n%s", d)
	}
	if err := sink.Write(t.Context(), table.Rows{Batch: table.NewBatch(table.MustOf[everything]("kinesisio.other", 1))}); err == nil || !strings.Contains(err.Error(), "opened for kinesisio.everything/1") {
		t.Errorf("rows of another schema give %v", err)
	}
	if err := sink.Close(t.Context()); err != nil || sink.Stats().Acknowledged != 500 {
		t.Errorf("close gives %v, stats %+v", err, sink.Stats())
	}
	if _, err := Open(t.Context(), "kinesis://rows?key=nothing", everythings, driver.SinkOptions{}); !errors.Is(err, driver.ErrInvalid) {
		t.Errorf("a wrong key gives %v", err)
	}
}

func TestTheParametersOfASinkAreThoseItReads(t *testing.T) {
	var names []string
	for _, p := range Parameters() {
		if p.Sink {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	err := ValidateSink("kinesis://rows?zzz=1", everythings)
	if want := "(known: " + strings.Join(names, ", ") + ")"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

func TestARowTooLargeIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink, err := newSink(testPlace, everythings, "")
		if err != nil {
			t.Fatal(err)
		}
		server := newPutServer(1)
		refused := 0
		sink.producer = startProducer(t, server, ProducerOptions{Refused: func(r Record, err error) {
			if refused++; !errors.Is(err, driver.ErrInvalid) || !strings.HasPrefix(string(r.Data), `{"id":`) {
				t.Errorf("%.30s is refused for %v", r.Data, err)
			}
		}})
		if err := sink.Write(t.Context(), table.Rows{Batch: batchOf(everything{}, everything{Text: pointer(strings.Repeat("x", 1<<20))}, everything{At: 1})}); err != nil {
			t.Fatal(err)
		}
		if err := sink.Close(t.Context()); err != nil || refused != 1 || sink.Stats().Acknowledged != 2 {
			t.Errorf("close gives %v, %d refused, stats %+v", err, refused, sink.Stats())
		}
	})
}
